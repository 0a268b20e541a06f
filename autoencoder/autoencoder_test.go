package autoencoder_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"lookalike/autoencoder"
	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
	"lookalike/weights"
)

// small is a network that trains in no time.
var small = autoencoder.Config{Size: 16, Code: 5, Widths: []int{4, 6}}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// TestEqualsKeras encodes and draws pictures with weights that Keras trained.
func TestEqualsKeras(t *testing.T) {
	f := kerastest.Open(t, "autoencoder32.safetensors")
	m := must(autoencoder.New(autoencoder.Config{Size: 32, Code: 16, Widths: []int{8, 16, 32, 64}}, 1))(t)
	for _, p := range m.Params() {
		copy(p.Value.Data(), must(f.Tensor("final/"+p.Name))(t).Data())
	}
	codes := m.Encoder.Predict(must(f.Tensor("images"))(t))
	near(t, "codes", codes, must(f.Tensor("codes_after"))(t))
	near(t, "reconstructions", m.Decode(codes), must(f.Tensor("reconstructions_after"))(t))
}

// TestTrainedByKeras loads an autoencoder from the file that Keras wrote.
func TestTrainedByKeras(t *testing.T) {
	m := must(autoencoder.Load(filepath.Join("testdata", "trained.weights.h5")))(t)
	if want := (autoencoder.Config{Size: 16, Code: 5, Widths: []int{4, 8}}); !reflect.DeepEqual(m.Config, want) {
		t.Errorf("configuration %+v, want %+v", m.Config, want)
	}
	f := must(weights.Open(filepath.Join("testdata", "trained.npz")))(t)
	defer f.Close()
	codes := m.Encoder.Predict(must(f.Tensor("x"))(t))
	near(t, "codes", codes, must(f.Tensor("codes"))(t))
	near(t, "images", m.Decode(codes), must(f.Tensor("images"))(t))
}

// near fails unless values agree to 1e-5 of the greatest.
func near(t *testing.T, what string, got, want *tensor.Tensor) {
	t.Helper()
	if !reflect.DeepEqual(got.Shape(), want.Shape()) {
		t.Fatalf("%s: shape %v, Keras %v", what, got.Shape(), want.Shape())
	}
	var scale float64
	for _, v := range want.Data() {
		scale = max(scale, math.Abs(float64(v)))
	}
	for i, w := range want.Data() {
		if d := math.Abs(float64(got.Data()[i]) - float64(w)); !(d <= 1e-5*scale) {
			t.Fatalf("%s[%d] = %v, Keras %v", what, i, got.Data()[i], w)
		}
	}
}

// TestDefaultsAreTheArticles holds the numbers of parameters of the article.
func TestDefaultsAreTheArticles(t *testing.T) {
	m := must(autoencoder.New(autoencoder.Config{}, 1))(t)
	for _, want := range []string{"Total params: 1,994,080 (7.61 MB)", "Total params: 2,043,971 (7.80 MB)", "(None, 224, 224, 3)"} {
		if !strings.Contains(m.Summary(), want) {
			t.Errorf("no %q in\n%s", want, m.Summary())
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for want, c := range map[string]autoencoder.Config{
		"size 100 is not a multiple of 16 between 16 and 4096": {Size: 100},
		"size -16 is not a multiple":                           {Size: -16},
		"a code of -1 numbers is not between":                  {Code: -1},
		"a width of 0 is not between 1 and 4096":               {Widths: []int{8, 0}},
		"9 convolutions, at most 8 are possible":               {Widths: make([]int, 9)},
		"make 34359738368 parameters, at most 268435456":       {Size: 4096, Code: 1, Widths: []int{4096}},
	} {
		_, err := autoencoder.New(c, 1)
		if err == nil || !strings.Contains(err.Error(), strings.SplitN(want, "34359", 2)[0]) {
			t.Errorf("%+v: error %v, want one with %q", c, err, want)
		}
	}
}

// train fits a small network to noise and returns what a file keeps of it.
func train(t *testing.T, epochs int) (*autoencoder.Model, *autoencoder.Training) {
	t.Helper()
	m := must(autoencoder.New(small, 7))(t)
	o := &optim.Adamax{LearningRate: 0.01}
	h := must(m.Fit(t.Context(), noise(10, 20), nn.FitConfig{Epochs: epochs, Batch: 4, Seed: 3, Optimizer: o}))(t)
	record := &autoencoder.Training{Batch: 4, LearningRate: 0.01, Seed: 3, Photos: "noise", Optimizer: o.State()}
	for _, e := range h {
		record.Losses = append(record.Losses, e.Loss)
	}
	return m, record
}

func TestFileRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	m, record := train(t, 2)
	if err := m.Save(path, record); err != nil {
		t.Fatal(err)
	}
	loaded := must(autoencoder.Load(path))(t)
	if !reflect.DeepEqual(loaded.Config, m.Config) || loaded.Fingerprint() != m.Fingerprint() {
		t.Errorf("loaded %+v %s, saved %+v %s", loaded.Config, loaded.Fingerprint(), m.Config, m.Fingerprint())
	}
	photos := noise(3, 33)
	a, b := must(m.Encode(t.Context(), photos))(t), must(loaded.Encode(t.Context(), photos))(t)
	if !reflect.DeepEqual(a.Data(), b.Data()) {
		t.Errorf("codes %v, after loading %v", a.Data(), b.Data())
	}
	resumed, got, err := autoencoder.Resume(path)
	if err != nil {
		t.Fatal(err)
	}
	if resumed.Fingerprint() != m.Fingerprint() || !reflect.DeepEqual(got, record) {
		t.Errorf("resumed %+v, saved %+v", got, record)
	}
	if err := m.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := autoencoder.Resume(path); err == nil || !strings.Contains(err.Error(), "no record of its training") {
		t.Errorf("resuming a model without a record: %v", err)
	}
}

// TestWeightsWithoutMetadata: the arrays' shapes tell the configuration.
func TestWeightsWithoutMetadata(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	m, _ := train(t, 1)
	params := func() map[string]*tensor.Tensor {
		all := map[string]*tensor.Tensor{}
		for _, p := range m.Params() {
			all[p.Name] = p.Value
		}
		return all
	}
	if err := weights.Save(path, params(), nil); err != nil {
		t.Fatal(err)
	}
	loaded := must(autoencoder.Load(path))(t)
	if !reflect.DeepEqual(loaded.Config, m.Config) || loaded.Fingerprint() != m.Fingerprint() {
		t.Errorf("loaded %+v %s, saved %+v %s", loaded.Config, loaded.Fingerprint(), m.Config, m.Fingerprint())
	}
	for name, c := range map[string]struct {
		value *tensor.Tensor
		want  string
	}{
		"encoder/conv2d/kernel":   {tensor.New(9), "none of a convolution"},
		"encoder/conv2d_1/kernel": {tensor.New(3, 3, 4, 0), "none of a convolution"},
		"encoder/dense/kernel":    {tensor.New(95, 5), "does not follow 2 convolutions"},
		"encoder/dense/bias":      {tensor.New(6), "has 1727 parameters, its configuration needs 1726"},
		"decoder/other":           {tensor.New(0), "in the file, not in the network"},
	} {
		changed := params()
		changed[name] = c.value
		if err := weights.Save(path, changed, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := autoencoder.Load(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q and the path", name, err, c.want)
		}
	}
	none := params()
	delete(none, "encoder/dense/kernel")
	if err := weights.Save(path, none, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := autoencoder.Load(path); err == nil || !strings.Contains(err.Error(), `has no array "encoder/dense/kernel"`) {
		t.Errorf("no dense layer: error %v", err)
	}
}

// TestResumeReachesTheSameWeights trains 3 epochs in one go and in two.
func TestResumeReachesTheSameWeights(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	whole, _ := train(t, 3)
	m, record := train(t, 1)
	if err := m.Save(path, record); err != nil {
		t.Fatal(err)
	}
	m, record, err := autoencoder.Resume(path)
	if err != nil {
		t.Fatal(err)
	}
	o := &optim.Adamax{LearningRate: record.LearningRate}
	if err := o.Restore(record.Optimizer, m.Params()); err != nil {
		t.Fatal(err)
	}
	_, err = m.Fit(t.Context(), noise(10, 20), nn.FitConfig{
		Epochs: 3, InitialEpoch: len(record.Losses), Batch: record.Batch, Seed: record.Seed, Optimizer: o,
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Fingerprint() != whole.Fingerprint() {
		t.Error("other weights than those of an unbroken run")
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	m, _ := train(t, 1)
	params := map[string]*tensor.Tensor{}
	for _, p := range m.Params() {
		params[p.Name] = p.Value
	}
	good := map[string]string{
		"format": "lookalike autoencoder", "version": "1", "preprocessing": autoencoder.Preprocessing,
		"config": `{"size":16,"code":5,"widths":[4,6]}`,
	}
	for want, change := range map[string][2]string{
		"is no autoencoder made by this program": {"format", "other"},
		`of version "2"`:                         {"version", "2"},
		"prepared as":                            {"preprocessing", "BGR"},
		"its configuration needs":                {"config", `{"size":64,"code":60,"widths":[32,64]}`},
		"not a multiple of 4":                    {"config", `{"size":18,"code":5,"widths":[4,6]}`},
		"at most 268435456 are possible":         {"config", `{"size":4096,"code":65536,"widths":[4096]}`},
		"metadata \"config\"":                    {"config", `{"size":`},
		"do not correspond":                      {"config", `{"size":16,"code":5,"widths":[4,6]} `},
	} {
		metadata := map[string]string{}
		for k, v := range good {
			metadata[k] = v
		}
		metadata[change[0]] = change[1]
		tensors := map[string]*tensor.Tensor{}
		for k, v := range params {
			tensors[k] = v
		}
		if want == "do not correspond" {
			tensors["other"] = tensors["encoder/dense/bias"]
			delete(tensors, "encoder/dense/bias")
		}
		path := filepath.Join(dir, "m.safetensors")
		if err := weights.Save(path, tensors, metadata); err != nil {
			t.Fatal(err)
		}
		if _, err := autoencoder.Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, want)
		}
	}
	if _, err := autoencoder.Load(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// broken are photos of which one does not load.
type broken struct{ autoencoder.Pictures }

func (b broken) Load(i int) (*picture.Image, error) {
	if i == 2 {
		return nil, errors.New("photo 2 is broken")
	}
	return b.Pictures.Load(i)
}

func TestBrokenPhotoIsAnError(t *testing.T) {
	m := must(autoencoder.New(small, 1))(t)
	photos := broken{noise(4, 16)}
	_, encode := m.Encode(t.Context(), photos)
	_, fit := m.Fit(t.Context(), photos, nn.FitConfig{Optimizer: &optim.Adamax{}})
	for _, err := range []error{encode, fit} {
		if fmt.Sprint(err) != "photo 2 is broken" {
			t.Errorf("error %v", err)
		}
	}
}

// TestPicturesGoInAndOut: what the network sees is the picture, and a picture
// comes out of the values that would draw it.
func TestPicturesGoInAndOut(t *testing.T) {
	m := must(autoencoder.New(small, 1))(t)
	p := noise(1, 16)[0]
	x := m.Input([]*picture.Image{p})
	for i, v := range p.Pix {
		if x.Data()[i] != float32(v)/255 {
			t.Fatalf("level %d became %v", v, x.Data()[i])
		}
	}
	drawn := must(m.Reconstruct(t.Context(), noise(35, 40)))(t)
	if len(drawn) != 35 || drawn[34].Width != 16 || drawn[34].Height != 16 {
		t.Errorf("%d pictures drawn", len(drawn))
	}
	if m.Prepare(p) != p {
		t.Error("a picture of the right size was resized")
	}
}

// TestLearnsPhotographs trains on real photographs: the loss must fall a lot.
func TestLearnsPhotographs(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "caltech101")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no photographs in ../shared/caltech101")
	}
	set := must(album.Folder(os.DirFS(dir), picture.Options{}))(t)
	m := must(autoencoder.New(autoencoder.Config{Size: 32, Code: 16, Widths: []int{8, 16, 32}}, 1))(t)
	h := must(m.Fit(t.Context(), set.Limit(64), nn.FitConfig{Epochs: 30, Batch: 16, Optimizer: &optim.Adamax{LearningRate: 0.005}}))(t)
	if first, last := h[0].Loss, h[len(h)-1].Loss; !(last < first/3) {
		t.Errorf("loss went from %v to %v", first, last)
	}
}
