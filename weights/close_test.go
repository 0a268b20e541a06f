package weights

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"lookalike/tensor"
)

// Once a file is closed nothing is read from it, whatever its format and whether it
// is mapped; its catalogue can still be asked for.
func TestClosed(t *testing.T) {
	dir := t.TempDir()
	safetensors, npz := filepath.Join(dir, "a.safetensors"), filepath.Join(dir, "a.npz")
	values := map[string]*tensor.Tensor{"a": tensor.From([]float32{1, 2, 3}, 3)}
	if err := errors.Join(Save(safetensors, values, nil), SaveNPZ(npz, values, map[string][]string{"words": {"x"}})); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{safetensors, npz} {
		opened, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		info, err := r.Stat()
		if err != nil {
			t.Fatal(err)
		}
		read, err := Read(r, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*File{opened, read} {
			for range 2 {
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
			for call, do := range map[string]func() error{
				"Tensor": func() error { _, err := f.Tensor("a"); return err },
				"View":   func() error { _, err := f.View("a"); return err },
				"ReadTo": func() error { return f.ReadTo(tensor.New(3), "a") },
				"Load":   func() error { return Load(f, map[string]*tensor.Tensor{"a": tensor.New(3)}) },
				"Hold":   f.Hold,
				"Texts": func() error {
					if path != npz {
						return fs.ErrClosed
					}
					_, err := f.Texts("words")
					return err
				},
			} {
				if err := do(); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("%s: %s: %v", path, call, err)
				}
			}
			if !slices.Equal(f.Names(), []string{"a"}) {
				t.Errorf("%s: names %q", path, f.Names())
			}
		}
		if _, err := r.Stat(); err != nil {
			t.Errorf("what Read has taken is not its own to close: %v", err)
		}
	}
}

// Views stay as they are while they are held, and Close waits for it.
func TestCloseWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	want := tensor.New(1 << 16)
	for i := range want.Data() {
		want.Data()[i] = float32(i)
	}
	if err := Save(path, map[string]*tensor.Tensor{"a": want}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var all, begun sync.WaitGroup
	for range 8 {
		begun.Add(1)
		all.Go(func() {
			for first := true; ; first = false {
				err := f.Hold()
				if first {
					begun.Done()
				}
				if err != nil {
					if !errors.Is(err, fs.ErrClosed) || first {
						t.Error(err)
					}
					return
				}
				view, err := f.View("a") // refused if Close waits already
				if err != nil && !errors.Is(err, fs.ErrClosed) {
					t.Error(err)
				}
				if err == nil && !slices.Equal(view.Data(), want.Data()) {
					t.Error("a view has other values")
				}
				f.Release()
				if read, err := f.Tensor("a"); err == nil && !slices.Equal(read.Data(), want.Data()) || err != nil && !errors.Is(err, fs.ErrClosed) {
					t.Errorf("read: %v", err)
				}
			}
		})
	}
	begun.Wait()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	all.Wait()
}
