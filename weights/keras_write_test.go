package weights

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/hdf5"
	"lookalike/tensor"
)

// sequence returns an array of 1, 2, 3, … times scale.
func sequence(scale float32, shape ...int) *tensor.Tensor {
	t := tensor.New(shape...)
	for i := range t.Data() {
		t.Data()[i] = float32(i+1) * scale
	}
	return t
}

// nested is a network of two networks, like the article's autoencoder.
func nested() KerasLayer {
	return KerasLayer{Name: "autoencoder", Class: "Sequential", Layers: []KerasLayer{
		{Name: "encoder", Class: "Sequential", Layers: []KerasLayer{
			{Class: "Conv2D", Variables: []*tensor.Tensor{sequence(0.25, 3, 3, 3, 2), sequence(1, 2)}},
			{Class: "MaxPooling2D"},
			{Class: "Conv2D", Variables: []*tensor.Tensor{sequence(-0.25, 3, 3, 2, 4), sequence(2, 4)}},
			{Class: "Flatten"},
			{Name: "fc", Class: "Dense", Variables: []*tensor.Tensor{sequence(1, 64, 5), sequence(3, 5)}},
		}},
		{Name: "decoder", Class: "Sequential", Layers: []KerasLayer{
			{Class: "Dense", Variables: []*tensor.Tensor{sequence(-1, 5, 64), sequence(4, 64)}},
			{Class: "Reshape"},
			{Class: "Conv2DTranspose", Variables: []*tensor.Tensor{sequence(0.5, 3, 3, 3, 4), sequence(5, 3)}},
		}},
	}}
}

// TestSaveKerasLoadedByKeras needs LOOKALIKE_PYTHON, the name of a Python with
// Keras.
func TestSaveKerasLoadedByKeras(t *testing.T) {
	python := os.Getenv("LOOKALIKE_PYTHON")
	if python == "" {
		t.Skip("LOOKALIKE_PYTHON names no Python with Keras")
	}
	for _, options := range [][]Option{nil, {Half}} {
		path := filepath.Join(t.TempDir(), "nested.weights.h5")
		if err := SaveKeras(path, nested(), options...); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "load_nested.py"), path).Output()
		if err != nil || string(out) != "ok\n" {
			exit, _ := err.(*exec.ExitError)
			t.Errorf("options %v: %v\n%s%s", options, err, out, exit.Stderr)
		}
	}
}

// TestSaveKerasStructure: groups, names and arrays are where Keras 3.15 puts
// them, as testdata/load_nested.py proves with Keras itself.
func TestSaveKerasStructure(t *testing.T) {
	for _, c := range []struct {
		options []Option
		size    int
	}{{nil, 4}, {[]Option{Half}, 2}} {
		path := filepath.Join(t.TempDir(), "nested.weights.h5")
		if err := SaveKeras(path, nested(), c.options...); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := hdf5.Open(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		var list func(path string, g *hdf5.Group)
		list = func(path string, g *hdf5.Group) {
			if name, err := g.Attr("name"); err == nil {
				text, err := name.Strings()
				got = append(got, fmt.Sprint(path, " is ", text, " ", err))
			}
			for _, name := range g.Names() {
				o, err := g.Object(name)
				if err != nil {
					t.Fatal(err)
				}
				switch o := o.(type) {
				case *hdf5.Group:
					list(path+"/"+name, o)
				case *hdf5.Dataset:
					values := make([]float32, o.Len())
					err := o.ReadFloat32(values)
					got = append(got, fmt.Sprint(path+"/"+name, o.Shape(), values[0], err, o.Stored() == int64(c.size*len(values))))
				}
			}
		}
		list("", f.Root())
		want := []string{
			"/layers/sequential/layers/conv2d/vars is [conv2d] <nil>",
			"/layers/sequential/layers/conv2d/vars/0[3 3 3 2] 0.25 <nil> true",
			"/layers/sequential/layers/conv2d/vars/1[2] 1 <nil> true",
			"/layers/sequential/layers/conv2d_1/vars is [conv2d_1] <nil>",
			"/layers/sequential/layers/conv2d_1/vars/0[3 3 2 4] -0.25 <nil> true",
			"/layers/sequential/layers/conv2d_1/vars/1[4] 2 <nil> true",
			"/layers/sequential/layers/dense/vars is [fc] <nil>",
			"/layers/sequential/layers/dense/vars/0[64 5] 1 <nil> true",
			"/layers/sequential/layers/dense/vars/1[5] 3 <nil> true",
			"/layers/sequential/layers/flatten/vars is [flatten] <nil>",
			"/layers/sequential/layers/max_pooling2d/vars is [max_pooling2d] <nil>",
			"/layers/sequential/vars is [encoder] <nil>",
			"/layers/sequential_1/layers/conv2d_transpose/vars is [conv2d_transpose] <nil>",
			"/layers/sequential_1/layers/conv2d_transpose/vars/0[3 3 3 4] 0.5 <nil> true",
			"/layers/sequential_1/layers/conv2d_transpose/vars/1[3] 5 <nil> true",
			"/layers/sequential_1/layers/dense/vars is [dense] <nil>",
			"/layers/sequential_1/layers/dense/vars/0[5 64] -1 <nil> true",
			"/layers/sequential_1/layers/dense/vars/1[64] 4 <nil> true",
			"/layers/sequential_1/layers/reshape/vars is [reshape] <nil>",
			"/layers/sequential_1/vars is [decoder] <nil>",
			"/vars is [autoencoder] <nil>",
		}
		if !slices.Equal(got, want) {
			t.Errorf("the file has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestSaveKerasRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		layer   KerasLayer
		options []Option
		want    string
	}{
		"a.h5":                {KerasLayer{}, nil, "must end in .weights.h5"},
		"a.weights.h5":        {KerasLayer{Variables: []*tensor.Tensor{sequence(1e5, 2)}}, []Option{Half}, "does not fit float16"},
		"b.weights.h5":        {KerasLayer{Name: "a\x00"}, nil, "contains a zero"},
		"absent/a.weights.h5": {KerasLayer{}, nil, "absent"},
	} {
		path := filepath.Join(dir, name)
		if err := SaveKeras(path, c.layer, c.options...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: was written", name)
		}
	}
}

func TestSnakeCase(t *testing.T) {
	for class, want := range map[string]string{
		"Conv2D": "conv2d", "Conv2DTranspose": "conv2d_transpose", "MaxPooling2D": "max_pooling2d", "Dense": "dense",
		"BatchNormalization": "batch_normalization", "InputLayer": "input_layer", "GlobalAveragePooling2D": "global_average_pooling2d",
		"LeakyReLU": "leaky_re_lu", "ReLU": "re_lu", "ELU": "elu", "PReLU": "p_re_lu",
	} {
		if got := snakeCase(class); got != want {
			t.Errorf("%s: %s, want %s", class, got, want)
		}
	}
}
