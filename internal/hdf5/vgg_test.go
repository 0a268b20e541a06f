package hdf5

import (
	"os"
	"path/filepath"
	"testing"
)

// shared finds a file of the data that lie beside the project, or skips.
func shared(t *testing.T, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, "shared", name); exists(path) {
			return path
		}
	}
	t.Skipf("shared/%s is not there", name)
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestVGG16 reads the real weights, as Keras writes them.
func TestVGG16(t *testing.T) {
	r, err := os.Open(shared(t, "weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(r, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	a, err := f.Root().Attr("layer_names")
	if err != nil {
		t.Fatal(err)
	}
	layers, err := a.Strings()
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != 18 {
		t.Fatalf("layers %q", layers)
	}
	values := 0
	for _, layer := range layers {
		g, err := f.Root().Group(layer)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range g.Names() {
			d, err := g.Dataset(name)
			if err != nil {
				t.Fatal(err)
			}
			values += d.Len()
			if _, n, ok := d.Contiguous(); !ok || n != int64(4*d.Len()) {
				t.Errorf("%s: %d bytes in one piece, %v", d.Path(), n, ok)
			}
			if name == "block1_conv1_W_1:0" {
				v := make([]float32, d.Len())
				if err := d.ReadFloat32(v); err != nil {
					t.Fatal(err)
				}
				// The published first filter's first tap.
				if want := float32(0.42947057); v[0] != want {
					t.Errorf("first value %v, want %v", v[0], want)
				}
			}
		}
	}
	if want := 14_714_688; values != want {
		t.Errorf("%d values, want %d", values, want)
	}
}
