package modelfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/modelfile"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

func open(t *testing.T, path string) *modelfile.File {
	t.Helper()
	f, err := modelfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// An autoencoder is known, and the same in every format that it is converted to.
func TestAutoencoder(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	m, err := autoencoder.New(autoencoder.Config{Size: 32, Code: 8}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(file("m.safetensors"), nil); err != nil {
		t.Fatal(err)
	}
	f := open(t, file("m.safetensors"))
	if f.Network != "autoencoder" || f.Unknown != nil || f.Summary != m.Summary() {
		t.Errorf("%q, %v", f.Network, f.Unknown)
	}
	d := f.Describe()
	parameters := 0
	for _, p := range m.Params() {
		parameters += p.Value.Len()
		if !slices.ContainsFunc(d.Arrays, func(a modelfile.Array) bool {
			return a.Name == p.Name && slices.Equal(a.Shape, p.Value.Shape()) && a.Parameters == p.Value.Len()
		}) {
			t.Errorf("no array %s of the shape %v", p.Name, p.Value.Shape())
		}
	}
	if d.Parameters != parameters || len(d.Arrays) != len(m.Params()) || d.Network != f.Network {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		name string
		half bool
	}{{"again.safetensors", false}, {"m.npz", false}, {"half.npz", true}, {"m.weights.h5", false}} {
		var written, compared []int64
		err := f.Convert(t.Context(), file(c.name), modelfile.ConvertOptions{Half: c.half,
			Writing: func(n int64) { written = append(written, n) }, Comparing: func(n int64) { compared = append(compared, n) }})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if written[0] != 0 || compared[0] != 0 || compared[len(compared)-1] != int64(parameters) {
			t.Errorf("%s: told %v and %v", c.name, written, compared)
		}
		if !c.half && c.name != "m.weights.h5" { // of which the names are Keras's
			was, err1 := weights.Open(file("m.safetensors"))
			is, err2 := weights.Open(file(c.name))
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			for _, p := range m.Params() {
				a, err1 := was.View(p.Name)
				b, err2 := is.View(p.Name)
				if err := errors.Join(err1, err2); err != nil || !slices.Equal(a.Data(), b.Data()) {
					t.Errorf("%s: %s: %v", c.name, p.Name, err)
				}
			}
			was.Close()
			is.Close()
		}
		if err := f.Convert(t.Context(), file(c.name), modelfile.ConvertOptions{}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s is written once more: %v", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Convert(ctx, file("never.npz"), modelfile.ConvertOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := f.Convert(t.Context(), file("m.h5"), modelfile.ConvertOptions{}); err == nil {
		t.Error("a format that is none is written")
	}
	for _, name := range []string{"never.npz", "m.h5"} {
		if _, err := os.Stat(file(name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

// What Keras cannot have is not written for it, and arrays that are no network are arrays.
func TestUnknown(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := weights.Save(file("a.safetensors"), map[string]*tensor.Tensor{"x": tensor.New(2, 3)}, nil); err != nil {
		t.Fatal(err)
	}
	f := open(t, file("a.safetensors"))
	if f.Network != "" || f.Unknown != modelfile.ErrUnknown || f.Summary != "" || len(f.Describe().Arrays) != 1 {
		t.Errorf("%q, %v, %+v", f.Network, f.Unknown, f.Describe())
	}
	if err := f.Convert(t.Context(), file("a.weights.h5"), modelfile.ConvertOptions{}); !errors.Is(err, modelfile.ErrUnknown) {
		t.Errorf("written for Keras: %v", err)
	}
	if err := f.Convert(t.Context(), file("a.npz"), modelfile.ConvertOptions{}); err != nil {
		t.Error(err)
	}

	m, err := embedding.New(embedding.Config{Base: embedding.Encoder, Size: 32, Dim: 8}, []string{"a", "b"}, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Save(file("e.safetensors"), nil); err != nil {
		t.Fatal(err)
	}
	e := open(t, file("e.safetensors"))
	if e.Network != "embedding" || e.Summary != m.Summary() {
		t.Errorf("%q, %v", e.Network, e.Unknown)
	}
	if err := e.Convert(t.Context(), file("e.weights.h5"), modelfile.ConvertOptions{}); err == nil || !strings.Contains(err.Error(), "embedding") {
		t.Errorf("an embedding for Keras: %v", err)
	}
	if _, err := modelfile.Open(file("none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A VGG is known by its arrays; one that is damaged is not, and why is said.
func TestVGG(t *testing.T) {
	net, err := vgg.New16(vgg.Config{NoTop: true, Input: [2]int{32, 32}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	arrays := map[string]*tensor.Tensor{}
	for _, p := range net.Params() {
		arrays[p.Name] = p.Value
	}
	path := filepath.Join(t.TempDir(), "vgg.safetensors")
	if err := weights.Save(path, arrays, nil); err != nil {
		t.Fatal(err)
	}
	if f := open(t, path); f.Network != "VGG16 without its top" || f.Unknown != nil || !strings.Contains(f.Summary, "block5_conv3") || f.IsTorch() {
		t.Errorf("%q, %v", f.Network, f.Unknown)
	}
	path = filepath.Join(t.TempDir(), "part.safetensors")
	if err := weights.Save(path, map[string]*tensor.Tensor{"block1_conv1/kernel": tensor.New(3, 3, 3, 64)}, nil); err != nil {
		t.Fatal(err)
	}
	if f := open(t, path); f.Network != "" || f.Unknown == nil || f.Unknown == modelfile.ErrUnknown {
		t.Errorf("%q, %v", f.Network, f.Unknown)
	}
}
