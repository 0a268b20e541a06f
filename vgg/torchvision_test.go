package vgg

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
	"lookalike/weights"
)

func open(t *testing.T, path string) *weights.File {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The fixtures hold one network in other forms, see weights/testdata/make_formats.py.
func TestTorchvision(t *testing.T) {
	want := open(t, filepath.Join("..", "weights", "testdata", "vgg.safetensors"))
	if Keras(want) != want {
		t.Error("a file of Keras's layout is arranged anew")
	}
	for name, format := range map[string]string{
		"torchvision.npz":         "NumPy .npz of torchvision's VGG16",
		"torchvision.safetensors": "safetensors of torchvision's VGG16",
		"timm.safetensors":        "safetensors of torchvision's VGG16",
		"torchvision.pth":         "PyTorch .pth of torchvision's VGG16",
		"half.pth":                "PyTorch .pth of torchvision's VGG16",
		"notop.pth":               "PyTorch .pth of torchvision's VGG16",
	} {
		f := Keras(open(t, filepath.Join("testdata", name)))
		if f.Format() != format || f.Metadata()[PreprocessingKey] != "torch" {
			t.Errorf("%s: format %q, want %q; notes %v", name, f.Format(), format, f.Metadata())
		}
		names := want.Names()
		if strings.Contains(name, "notop") {
			names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "block") })
		}
		if got := f.Names(); !slices.Equal(got, names) {
			t.Errorf("%s: names %q, want %q", name, got, names)
			continue
		}
		for _, array := range names {
			w, err := want.Tensor(array)
			if err != nil {
				t.Fatal(err)
			}
			for how, read := range map[string]func(string) (*tensor.Tensor, error){"Tensor": f.Tensor, "View": f.View} {
				g, err := read(array)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(g.Shape(), w.Shape()) || !slices.Equal(g.Data(), w.Data()) {
					t.Errorf("%s: %s(%q) differs from vgg.safetensors", name, how, array)
				}
			}
		}
	}
}

// Load takes torchvision's arrays for Keras's: what it complains of in a network of few
// channels is their shapes, not their names. A file with one array more is not torchvision's.
func TestLoadTorchvision(t *testing.T) {
	f := open(t, filepath.Join("testdata", "notop.pth"))
	if _, err := Load(f, Config{}); err == nil || !strings.Contains(err.Error(), "block1_conv1/kernel: shape [3 3 3 2] in the file") {
		t.Errorf("error %v", err)
	}
	more := map[string]*tensor.Tensor{"more": tensor.New(1)}
	for _, name := range f.Names() {
		x, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		more[name] = x
	}
	path := filepath.Join(t.TempDir(), "more.safetensors")
	if err := weights.Save(path, more, nil); err != nil {
		t.Fatal(err)
	}
	if g := open(t, path); Keras(g) != g {
		t.Error("a file with one array more is taken for torchvision's")
	}
}
