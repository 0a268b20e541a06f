package main

import (
	"archive/zip"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/autoencoder"
	"lookalike/internal/sweeptest"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// TestConvertVGG16 converts a network of zeros but for a number in each array.
func TestConvertVGG16(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	net, err := vgg.New16(vgg.Config{NoTop: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	arrays := map[string]*tensor.Tensor{}
	for i, p := range net.Params() {
		p.Value.Data()[p.Value.Len()-1] = float32(i + 1)
		arrays[p.Name] = p.Value
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := weights.Save(file("v.safetensors"), arrays, map[string]string{"preprocessing": "torch"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"v.safetensors", "v.weights.h5"}, {"v.weights.h5", "half.weights.h5", "--half"}, {"v.safetensors", "half.safetensors", "--half"}} {
		args := append([]string{"convert", file(c[0]), file(c[1])}, c[2:]...)
		if out := printed(t, args...); !strings.Contains(out, ": VGG16 without its top, 26 arrays, 14,714,688 parameters, float") {
			t.Errorf("%s: %s", args, out)
		}
		if out := printed(t, "summary", file(c[1])); out != net.Summary() {
			t.Errorf("%s: summary\n%s\nwant\n%s", c[1], out, net.Summary())
		}
	}
	f, err := weights.Open(file("half.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata()["preprocessing"]; got != "torch" {
		t.Errorf("preprocessing %q was kept, want torch", got)
	}
}

// TestConvertRefusesABomb: arrays of zeros, compressed to a thousandth, each of
// which may be read but not all at once.
func TestConvertRefusesABomb(t *testing.T) {
	const values = 7 << 20
	path := filepath.Join(t.TempDir(), "bomb.npz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive := zip.NewWriter(file)
	zeros := make([]byte, 4*values)
	for i := range 3 {
		w, err := archive.Create(fmt.Sprintf("%d.npy", i))
		if err != nil {
			t.Fatal(err)
		}
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }", values)
		fmt.Fprintf(w, "\x93NUMPY\x01\x00%c\x00%s\n", len(header)+1, header)
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "lookalike", "convert", path, filepath.Join(t.TempDir(), "out.safetensors")).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "more than four times the file's") {
		t.Errorf("%v: %s", err, out)
	}
}

// inKeras returns a function that runs testdata/keras/open_converted.py, or
// skips. LOOKALIKE_PYTHON is the name of a Python with Keras.
func inKeras(t *testing.T) func(args ...string) {
	python := os.Getenv("LOOKALIKE_PYTHON")
	if python == "" {
		t.Skip("LOOKALIKE_PYTHON names no Python with Keras")
	}
	return func(args ...string) {
		t.Helper()
		var errs strings.Builder
		cmd := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("..", "..", "testdata", "keras", "open_converted.py")}, args...)...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v\n%s%s", args, err, out, &errs)
		}
		t.Logf("%s:\n%s", filepath.Base(args[1]), out)
	}
}

// TestAutoencoderOpensInKeras trains one and lets Keras describe and draw
// pictures with it.
func TestAutoencoderOpensInKeras(t *testing.T) {
	compare := inKeras(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	printed(t, "train", drawn(t, 2), "-o", file("m.safetensors"), "--size", "64", "--code", "16", "--epochs", "2", "--quiet")
	printed(t, "convert", file("m.safetensors"), file("half.safetensors"), "--half")
	for _, model := range []string{"m.safetensors", "half.safetensors"} {
		m, err := autoencoder.Load(file(model))
		if err != nil {
			t.Fatal(err)
		}
		x := tensor.New(5, 64, 64, 3)
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range x.Data() {
			x.Data()[i] = rng.Float32()
		}
		codes := m.Encoder.Predict(x)
		expected := map[string]*tensor.Tensor{"x": x, "codes": codes, "images": m.Decode(codes)}
		if err := weights.SaveNPZ(file(model+".expected.npz"), expected, nil); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{".weights.h5", ".npz"} {
			printed(t, "convert", file(model), file(model+suffix))
			compare("autoencoder", file(model+suffix), file(model+".expected.npz"))
		}
	}
	printed(t, "convert", file("m.safetensors"), file("half.weights.h5"), "--half")
	compare("autoencoder", file("half.weights.h5"), file("half.safetensors.expected.npz"))
}

// TestVGG16OpensInKeras converts the weights of ImageNet that lie beside the
// project.
func TestVGG16OpensInKeras(t *testing.T) {
	compare := inKeras(t)
	original, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "weights", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(original); err != nil {
		t.Skipf("the weights are not there: %v", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"v.safetensors", "v.npz", "v.weights.h5"} {
		printed(t, "convert", original, filepath.Join(dir, name))
	}
	printed(t, "convert", filepath.Join(dir, "v.npz"), filepath.Join(dir, "again.weights.h5"))
	printed(t, "convert", filepath.Join(dir, "v.safetensors"), filepath.Join(dir, "half.weights.h5"), "--half")
	printed(t, "convert", filepath.Join(dir, "v.weights.h5"), filepath.Join(dir, "half.npz"), "--half")
	for _, name := range []string{"v.npz", "v.weights.h5", "again.weights.h5", "half.weights.h5", "half.npz"} {
		compare("vgg", filepath.Join(dir, name), original)
	}
}
