package weights

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"lookalike/tensor"
)

// A view is the mapped file itself: two views share memory, and writing to one
// leaves the file alone.
func TestView(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	tensors := example()
	if err := Save(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range tensors {
		got, err := f.View(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Shape(), want.Shape()) || !slices.Equal(bitsOf(got.Data()), bitsOf(want.Data())) {
			t.Errorf("%q: view %v, want %v", name, got, want)
		}
		again, err := f.View(name)
		if err != nil {
			t.Fatal(err)
		}
		if got.Len() > 0 && &got.Data()[0] != &again.Data()[0] && runtime.GOARCH != "wasm" { // where no file is mapped
			t.Errorf("%q: two views do not share memory: this is a copy", name)
		}
		for i := range got.Data() {
			got.Data()[i]++
		}
	}
	if x, err := f.Tensor("matrix"); err != nil || !slices.Equal(bitsOf(x.Data()), bitsOf(tensors["matrix"].Data())) {
		t.Errorf("after its view was written to, the array reads %v, %v", x, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("writing to views changed the file")
	}

	r, err := Read(bytes.NewReader(before), int64(len(before)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.View("matrix")
	if err != nil || !slices.Equal(bitsOf(x.Data()), bitsOf(tensors["matrix"].Data())) {
		t.Errorf("a view without a mapping: %v, %v", x, err)
	}
}

// Arrays that fill whole cache lines lie on cache lines.
func TestSaveAligns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := Save(path, map[string]*tensor.Tensor{"a": tensor.New(3), "b": tensor.New(4, 32), "c": tensor.New(5), "d": tensor.New(16)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range []string{"b", "d"} {
		x, err := f.View(name)
		if err != nil {
			t.Fatal(err)
		}
		if place := uintptr(unsafe.Pointer(&x.Data()[0])); place%64 != 0 {
			t.Errorf("%q lies at %#x", name, place)
		}
	}
}

// A file that another program cuts short is an error, not a crash, for all but
// views.
func TestCutWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.safetensors")
	if err := Save(path, map[string]*tensor.Tensor{"a": tensor.New(1 << 20)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 4096); err != nil {
		t.Skip(err) // Windows keeps mapped files as they are
	}
	if _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("error %v", err)
	}
}
