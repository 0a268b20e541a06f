package weights

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/tensor"
)

// The fixtures are made by testdata/make_formats.py.

func openFixture(t testing.TB, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Every format gives the same network, by Tensor and by View, mapped or not.
func TestFormatsAgree(t *testing.T) {
	want := openFixture(t, "vgg.safetensors")
	for name, format := range map[string]string{
		"vgg_keras.npz":               "NumPy .npz",
		"vgg_deflated.npz":            "NumPy .npz",
		"vgg_torchvision.npz":         "NumPy .npz of torchvision's VGG16",
		"vgg_torchvision.safetensors": "safetensors of torchvision's VGG16",
		"vgg_timm.safetensors":        "safetensors of torchvision's VGG16",
		"vgg_torchvision.pth":         "PyTorch .pth of torchvision's VGG16",
		"vgg_half.pth":                "PyTorch .pth of torchvision's VGG16",
		"vgg_notop.pth":               "PyTorch .pth of torchvision's VGG16",
	} {
		f := openFixture(t, name)
		if f.Format() != format {
			t.Errorf("%s: format %q, want %q", name, f.Format(), format)
		}
		if note := f.Metadata()[PreprocessingKey]; (note == "torch") != strings.Contains(format, "torchvision") {
			t.Errorf("%s: preprocessing %q", name, note)
		}
		names := want.Names()
		if strings.Contains(name, "notop") {
			names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "block") })
		}
		if got := f.Names(); !slices.Equal(got, names) {
			t.Errorf("%s: names %q, want %q", name, got, names)
			continue
		}
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, array := range names {
			w, err := want.Tensor(array)
			if err != nil {
				t.Fatal(err)
			}
			for how, read := range map[string]func(string) (*tensor.Tensor, error){
				"Tensor": f.Tensor, "View": f.View, "View without a file": r.View,
			} {
				g, err := read(array)
				if err != nil {
					t.Error(err)
				} else if !slices.Equal(g.Shape(), w.Shape()) || !slices.Equal(bitsOf(g.Data()), bitsOf(w.Data())) {
					t.Errorf("%s: %s(%q) differs from vgg.safetensors", name, how, array)
				}
			}
		}
	}
}

// counts checks that an array of shape [2, 3, 4] is 0, 1, 2, …
func counts(t *testing.T, f *File, name string) {
	t.Helper()
	x, err := f.Tensor(name)
	if err != nil {
		t.Error(err)
		return
	}
	if !slices.Equal(x.Shape(), []int{2, 3, 4}) {
		t.Errorf("%q has shape %v", name, x.Shape())
	}
	for i, v := range x.Data() {
		if v != float32(i) {
			t.Errorf("%q: value %d is %g", name, i, v)
			return
		}
	}
}

func TestNumPy(t *testing.T) {
	for _, fixture := range []string{"arrays.npz", "arrays_deflated.npz"} {
		f := openFixture(t, fixture)
		wants := map[string][]float32{
			"scalar": {7}, "empty": {}, "negative": {-1, -128, 127}, "fortran line": {0, 1, 2, 3},
		}
		if n := len(f.Names()); fixture == "arrays.npz" && n != 20+2+len(wants)+3 {
			t.Errorf("%d arrays: %q", n, f.Names())
		}
		for _, name := range f.Names() {
			if _, special := wants[name]; !special {
				counts(t, f, name)
			}
		}
		for name, want := range wants {
			if x, err := f.Tensor(name); err != nil || !slices.Equal(x.Data(), want) {
				t.Errorf("%s: %q is %v, %v; want %v", fixture, name, x, err, want)
			}
		}
		if shape, _ := f.Shape("empty"); !slices.Equal(shape, []int{0, 5}) {
			t.Errorf("the empty array has shape %v", shape)
		}
		for _, name := range []string{"texts", "texts big"} {
			if got, err := f.Texts(name); err != nil || !slices.Equal(got, []string{"a.jpg", "", "日本", "🦊"}) {
				t.Errorf("%s: %q: %q, %v", fixture, name, got, err)
			}
		}
		if _, err := f.Texts("scalar"); err == nil || !strings.Contains(err.Error(), fixture) {
			t.Errorf("Texts of an array of numbers: %v", err)
		}
	}
	counts(t, openFixture(t, "fortran.npy"), "arr_0")
}

func TestTorch(t *testing.T) {
	f := openFixture(t, "tensors.pth")
	if n := len(f.Names()); n != 16 {
		t.Errorf("%d arrays: %q", n, f.Names())
	}
	for _, name := range f.Names() {
		if name != "nested.scalar" && name != "nested.empty" {
			counts(t, f, name)
		}
	}
	if x, err := f.Tensor("nested.scalar"); err != nil || len(x.Shape()) != 0 || x.Data()[0] != 7 {
		t.Errorf("scalar: %v, %v", x, err)
	}
	if x, err := f.Tensor("nested.empty"); err != nil || !slices.Equal(x.Shape(), []int{0, 5}) {
		t.Errorf("empty: %v, %v", x, err)
	}
}

func TestBadFormats(t *testing.T) {
	for name, want := range map[string]string{
		"expanded.pth": "more than a storage of 1 values",
		"module.pth":   `operation 0x63 'c': asks for Python's "torch.nn.modules.linear.Linear"`,
		"old.pth":      "torch.save(torch.load(",
	} {
		_, err := Open(filepath.Join("testdata", name))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}
