package weights

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lookalike/tensor"
)

// Every writer tells how far it is, and ends without a file when it is told to.
func TestWatch(t *testing.T) {
	x := tensor.New(1000, 1000)
	for i := range x.Data() {
		x.Data()[i] = float32(i)
	}
	arrays := map[string]*tensor.Tensor{"x": x}
	for name, save := range map[string]func(path string, o ...Option) error{
		"a.safetensors": func(path string, o ...Option) error { return Save(path, arrays, nil, o...) },
		"a.npz":         func(path string, o ...Option) error { return SaveNPZ(path, arrays, nil, o...) },
		"a.weights.h5": func(path string, o ...Option) error {
			return SaveKeras(path, KerasLayer{Class: "Sequential", Layers: []KerasLayer{{Class: "Dense", Variables: []*tensor.Tensor{x}}}}, o...)
		},
	} {
		path := filepath.Join(t.TempDir(), name)
		var last int64
		times := 0
		if err := save(path, Watch(func(n int64) error {
			if n <= last {
				t.Errorf("%s: %d bytes after %d", name, n, last)
			}
			last = n
			times++
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if last != info.Size() || times < 4 {
			t.Errorf("%s: told of %d bytes in %d times, the file has %d", name, last, times, info.Size())
		}
		stop := errors.New("enough")
		path = filepath.Join(t.TempDir(), name)
		err = save(path, Watch(func(n int64) error {
			if n > 1e6 {
				return stop
			}
			return nil
		}))
		if !errors.Is(err, stop) {
			t.Errorf("%s: stopped with %v", name, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) > 0 {
			t.Errorf("%s: %q left behind", name, left)
		}
	}
}
