package weights

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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
			{Name: "conv2d", Class: "Conv2D", Variables: []*tensor.Tensor{sequence(0.25, 3, 3, 3, 2), sequence(1, 2)}},
			{Name: "max_pooling2d", Class: "MaxPooling2D"},
			{Name: "conv2d_1", Class: "Conv2D", Variables: []*tensor.Tensor{sequence(-0.25, 3, 3, 2, 4), sequence(2, 4)}},
			{Name: "flatten", Class: "Flatten"},
			{Name: "dense", Class: "Dense", Variables: []*tensor.Tensor{sequence(1, 64, 5), sequence(3, 5)}},
		}},
		{Name: "decoder", Class: "Sequential", Layers: []KerasLayer{
			{Name: "dense", Class: "Dense", Variables: []*tensor.Tensor{sequence(-1, 5, 64), sequence(4, 64)}},
			{Name: "reshape", Class: "Reshape"},
			{Name: "conv2d_transpose", Class: "Conv2DTranspose", Variables: []*tensor.Tensor{sequence(0.5, 3, 3, 3, 4), sequence(5, 3)}},
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
