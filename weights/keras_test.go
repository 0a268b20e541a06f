package weights

import (
	"bytes"
	"encoding/json"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/damagetest"
	"lookalike/internal/f32"
	"lookalike/internal/sweeptest"
	"lookalike/tensor"
)

const kerasFiles = "testdata/keras"

// TestKeras: all formats of a network are the same arrays under the same names.
func TestKeras(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(kerasFiles, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]struct {
		Shape []int
		CRC32 uint32
	}
	if err := json.Unmarshal(text, &files); err != nil {
		t.Fatal(err)
	}
	if len(files) < 16 {
		t.Errorf("%d files", len(files))
	}
	for name, arrays := range files {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join(kerasFiles, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if want := slices.Sorted(maps.Keys(arrays)); !slices.Equal(f.Names(), want) {
				t.Fatalf("%q\nwant\n%q", f.Names(), want)
			}
			for array, want := range arrays {
				x, err := f.Tensor(array)
				if err != nil {
					t.Error(err)
					continue
				}
				v, err := f.View(array)
				if err != nil {
					t.Error(err)
					continue
				}
				if !slices.Equal(x.Shape(), want.Shape) || !bytes.Equal(f32.Bytes(x.Data()), f32.Bytes(v.Data())) {
					t.Errorf("%s: shape %v, want %v", array, x.Shape(), want.Shape)
				}
				if sum := crc32.ChecksumIEEE(f32.Bytes(x.Data())); littleEndian && sum != want.CRC32 {
					t.Errorf("%s: checksum %d of the values, want %d", array, sum, want.CRC32)
				}
			}
			whole := strings.HasSuffix(name, ".keras") || name == "auto.h5" || name == "deep.h5"
			if config := f.Metadata()["architecture"]; whole != json.Valid([]byte(config)) {
				t.Errorf("architecture: %q", config)
			}
			if whole && f.Metadata()["keras_version"] != "3.15.1" {
				t.Errorf("version %q", f.Metadata()["keras_version"])
			}
			format := map[bool]string{true: "model", false: "weights"}[whole]
			if !strings.Contains(f.Format(), format) {
				t.Errorf("format %q, want %s", f.Format(), format)
			}
		})
	}
}

// TestKerasWritten: what SaveKeras writes comes back under the same names.
func TestKerasWritten(t *testing.T) {
	kernel, bias := tensor.New(3, 3, 2, 4), tensor.New(4)
	for i := range kernel.Data() {
		kernel.Data()[i] = float32(i) / 4
	}
	bias.Data()[3] = -1
	layer := func(class, name string) KerasLayer {
		return KerasLayer{Class: class, Name: name, Variables: []*tensor.Tensor{kernel, bias}}
	}
	network := KerasLayer{Class: "Sequential", Name: "auto", Layers: []KerasLayer{
		{Class: "Sequential", Name: "encoder", Layers: []KerasLayer{layer("Conv2D", "conv2d"), layer("Conv2D", "code"), layer("Conv2D", "conv2d_1")}},
		layer("Conv2DTranspose", ""),
	}}
	for _, options := range [][]Option{nil, {Half}} {
		path := filepath.Join(t.TempDir(), "a.weights.h5")
		if err := SaveKeras(path, network, options...); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var want []string
		for _, layer := range []string{"conv2d_transpose", "encoder/code", "encoder/conv2d", "encoder/conv2d_1"} {
			want = append(want, layer+"/bias", layer+"/kernel")
		}
		if !slices.Equal(f.Names(), want) {
			t.Errorf("%q, want %q", f.Names(), want)
		}
		for _, name := range f.Names() {
			x, err := f.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			want := kernel
			if strings.HasSuffix(name, "bias") {
				want = bias
			}
			if !slices.Equal(x.Shape(), want.Shape()) || !slices.Equal(x.Data(), want.Data()) {
				t.Errorf("%s: %v", name, x)
			}
		}
	}
}

func TestKerasAmbiguous(t *testing.T) {
	_, err := Open(filepath.Join(kerasFiles, "ambiguous.weights.h5"))
	if err == nil || !strings.Contains(err.Error(), "gamma or beta") {
		t.Errorf("%v", err)
	}
}

func TestLegacyName(t *testing.T) {
	for _, c := range []struct{ group, weight, want string }{
		{"conv", "conv/kernel:0", "kernel"},
		{"conv", "conv_1/kernel:0", "kernel"},
		{"conv", "conv_W:0", "kernel"},
		{"bn", "bn/batchnorm/moving_mean", "batchnorm/moving_mean"},
		{"separable", "separable/depthwise_kernel:0", "depthwise_kernel"},
		{"encoder", "encoder/inner/dense/bias", "inner/dense/bias"},
		{"encoder", "inner/dense/bias:0", "inner/dense/bias"},
	} {
		path, variable := legacyName(c.group, c.weight, nil)
		if got := strings.Join(append(path, variable), "/"); got != c.want {
			t.Errorf("%s in %s: %s, want %s", c.weight, c.group, got, c.want)
		}
	}
}

// TestKerasMutations changes bytes of Keras's files and cuts them short: no
// panic, no hang, and memory in proportion.
func TestKerasMutations(t *testing.T) {
	cases := sweeptest.Cases(4_000, 15_000, 400_000)
	names, err := filepath.Glob(filepath.Join(kerasFiles, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	var files [][]byte
	for _, name := range names {
		if b, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		} else if ext := filepath.Ext(name); ext == ".h5" || ext == ".keras" {
			files = append(files, b)
		}
	}
	damagetest.Run(t, cases, 4<<20, func(n int) []byte { return files[n%len(files)] },
		func(_ int, b []byte) error { return readEverything(b) })
}

func readEverything(b []byte) error {
	f, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	for _, name := range f.Names() {
		if _, err := f.Tensor(name); err != nil {
			return err
		}
	}
	return nil
}

func FuzzKeras(f *testing.F) {
	for _, name := range []string{"auto_weights.h5", "auto_latest.weights.h5", "auto_deflated.keras", "deep.h5", "bfloat16.weights.h5", "own.weights.h5", "flat_keras1.h5"} {
		b, err := os.ReadFile(filepath.Join(kerasFiles, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { readEverything(b) })
}
