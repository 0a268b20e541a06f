package vgg_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// shared returns the path of one of the large files that are not in the project:
// a folder "shared" beside it or further up.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skipf("there is no shared/%s", name)
		}
		dir = up
	}
}

// vgg16 returns the network with the published weights, without its top.
func vgg16(t testing.TB, c vgg.Config) *vgg.Model {
	t.Helper()
	m, err := vgg.Open(shared(t, "weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// photographs reads the pictures that a fixture is about.
func photographs(t testing.TB, f *weights.File) []*picture.Image {
	t.Helper()
	var names []string
	if err := json.Unmarshal([]byte(f.Metadata()["photographs"]), &names); err != nil {
		t.Fatal(err)
	}
	dir := shared(t, "caltech101")
	var pictures []*picture.Image
	for _, name := range names {
		p, err := picture.File(filepath.Join(dir, name), picture.Options{IgnoreOrientation: true})
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, picture.Nearest(p, 224, 224)) // all that is needed of it
	}
	return pictures
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, v := range a {
		ab += float64(v) * float64(b[i])
		aa += float64(v) * float64(v)
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// The least that features may be like Keras's. JPEG is decoded to the same bits
// and the arithmetic differs in the sixth digit, so these are far from being
// reached.
const minCosine, medianCosine = 0.9999, 0.99999

// alike fails unless features are Keras's, by their cosine with them.
func alike(t *testing.T, got, want *tensor.Tensor) {
	t.Helper()
	cosines := make([]float64, want.Dim(0))
	for i := range cosines {
		cosines[i] = cosine(got.Row(i), want.Row(i))
		if !(cosines[i] >= minCosine) {
			t.Errorf("photograph %d: cosine with Keras's features is %.7f", i, cosines[i])
		}
	}
	slices.Sort(cosines)
	least, median := cosines[0], cosines[len(cosines)/2]
	if !(median >= medianCosine) {
		t.Errorf("the median of the cosines is %.7f", median)
	}
	t.Logf("cosines with Keras's features of %d photographs: least %.8f, median %.8f", len(cosines), least, median)
}

// TestFeaturesEqualKeras: real photographs, the published weights, Keras's
// features. keras/make_vgg16.py made them.
func TestFeaturesEqualKeras(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	m := vgg16(t, vgg.Config{NoTop: true, Pooling: vgg.Average})
	f := kerastest.Open(t, "vgg16.safetensors")
	got, err := m.Features(t.Context(), photographs(t, f), "global_average_pooling2d")
	if err != nil {
		t.Fatal(err)
	}
	alike(t, got, kerastest.Tensor(t, f, "average"))
}

// TestKerasLong compares the deepest features of 341 photographs, and every value
// of every layer from equal inputs, with what Keras computed on this machine.
func TestKerasLong(t *testing.T) {
	path := os.Getenv("LOOKALIKE_KERAS_VGG16")
	if path == "" {
		t.Skip("LOOKALIKE_KERAS_VGG16 does not name the long fixture, which testdata/keras/make_vgg16.py SHARED OUT_FILE makes")
	}
	m, f := vgg16(t, vgg.Config{NoTop: true}), kerastest.OpenFile(t, path)
	const tolerance = 1e-5 // of a layer's norm
	x := kerastest.Tensor(t, f, "input")
	for _, layer := range m.Layers() {
		got, err := m.Outputs(t.Context(), x, layer.Name)
		if err != nil {
			t.Fatal(err)
		}
		off := distance(got.Data(), kerastest.Tensor(t, f, layer.Name).Data())
		if !(off <= tolerance) {
			t.Errorf("%s is off by %.2g of its norm", layer.Name, off)
		}
		t.Logf("%-13s off by %.2g of its norm", layer.Name, off)
	}
	got, err := m.Features(t.Context(), photographs(t, f), "block5_pool")
	if err != nil {
		t.Fatal(err)
	}
	alike(t, got, kerastest.Tensor(t, f, "pool"))
}

// distance returns the norm of got - want as a part of want's.
func distance(got, want []float32) float64 {
	var d, n float64
	for i, w := range want {
		d += (float64(got[i]) - float64(w)) * (float64(got[i]) - float64(w))
		n += float64(w) * float64(w)
	}
	return math.Sqrt(d / n)
}
