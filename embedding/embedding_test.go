package embedding_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/internal/sweeptest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// small is a network that trains in no time.
var small = embedding.Config{Base: embedding.Encoder, Dim: 6, Size: 16, Widths: []int{4, 6}}

var classes = []string{"blue", "green", "red"}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// coloured returns n pictures of noise, each in a tone of its class.
func coloured(n int, seed uint64) (autoencoder.Pictures, []string) {
	rng := rand.New(rand.NewPCG(seed, 1))
	var pictures autoencoder.Pictures
	var labels []string
	for i := range n {
		p := picture.New(20, 18)
		for j := range p.Pix {
			p.Pix[j] = uint8(rng.IntN(60))
			if j%3 == 2-i%3 {
				p.Pix[j] += 180
			}
		}
		pictures, labels = append(pictures, p), append(labels, classes[i%3])
	}
	return pictures, labels
}

// train fits a small network from an epoch on, up to another.
func train(t *testing.T, m *embedding.Model, record *checkpoint.Training, epochs int) {
	t.Helper()
	photos, labels := coloured(18, 3)
	data := must(m.Samples(t.Context(), photos, labels, augment.Config{Flip: true, Contrast: 0.2}, record.Seed, nil))(t)
	o := &optim.Adamax{LearningRate: record.LearningRate}
	if record.Optimizer != nil {
		if err := o.Restore(record.Optimizer, m.Params()); err != nil {
			t.Fatal(err)
		}
	}
	h := must(m.FitSamples(t.Context(), data, nn.FitConfig{Epochs: epochs, InitialEpoch: len(record.Losses), Batch: record.Batch, Seed: record.Seed, Optimizer: o}))(t)
	for _, e := range h {
		record.Losses = append(record.Losses, e.Loss)
	}
	record.Optimizer = o.State()
}

func newRecord() *checkpoint.Training {
	return &checkpoint.Training{Batch: 4, LearningRate: 0.01, Seed: 3}
}

// spread returns the mean cosine of two pictures of one class, and of two of
// different ones.
func spread(t *testing.T, m *embedding.Model, pictures autoencoder.Pictures, labels []string) (same, other float64) {
	t.Helper()
	e := must(m.Embed(t.Context(), pictures))(t)
	var n, k int
	for i := range labels {
		length := 0.0
		for _, v := range e.Row(i) {
			length += float64(v) * float64(v)
		}
		if math.Abs(length-1) > 1e-5 {
			t.Fatalf("embedding %d has length %v", i, math.Sqrt(length))
		}
		for j := range i {
			cosine := 0.0
			for d, v := range e.Row(i) {
				cosine += float64(v) * float64(e.Row(j)[d])
			}
			if labels[i] == labels[j] {
				same, n = same+cosine, n+1
			} else {
				other, k = other+cosine, k+1
			}
		}
	}
	return same / float64(n), other / float64(k)
}

// TestLearnsClasses: after training, pictures that it has not seen lie with
// their class.
func TestLearnsClasses(t *testing.T) {
	m := must(embedding.New(small, classes, "", 7))(t)
	record := newRecord()
	train(t, m, record, 12)
	if first, last := record.Losses[0], record.Losses[11]; !(last < first/3) {
		t.Errorf("loss went from %v to %v", first, last)
	}
	pictures, labels := coloured(15, 99)
	if same, other := spread(t, m, pictures, labels); !(same > 0.8 && other < 0.5) {
		t.Errorf("cosines of %v within classes, %v between", same, other)
	}
}

func TestFileRoundTripAndResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	whole, part := must(embedding.New(small, classes, "", 7))(t), must(embedding.New(small, classes, "", 7))(t)
	train(t, whole, newRecord(), 3)
	record := newRecord()
	train(t, part, record, 1)
	if err := part.Save(path, record); err != nil {
		t.Fatal(err)
	}
	loaded := must(embedding.Load(path))(t)
	if !reflect.DeepEqual(loaded.Config, part.Config) || !reflect.DeepEqual(loaded.Classes, classes) || must(loaded.Fingerprint())(t) != must(part.Fingerprint())(t) {
		t.Errorf("loaded %+v %s, saved %+v %s", loaded.Config, must(loaded.Fingerprint())(t), part.Config, must(part.Fingerprint())(t))
	}
	if err := loaded.Close(); err != nil {
		t.Error(err)
	}
	resumed, got, err := embedding.Resume(path)
	if err != nil || !reflect.DeepEqual(got, record) {
		t.Fatalf("resumed %+v, saved %+v, %v", got, record, err)
	}
	threads := runtime.GOMAXPROCS(3)
	train(t, resumed, got, 3)
	runtime.GOMAXPROCS(threads)
	if must(resumed.Fingerprint())(t) != must(whole.Fingerprint())(t) {
		t.Error("other weights than those of an unbroken run")
	}
	if err := part.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := embedding.Resume(path); err == nil || !strings.Contains(err.Error(), "no record of its training") {
		t.Errorf("resuming a model without a record: %v", err)
	}
	if _, err := embedding.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestFromAutoencoder(t *testing.T) {
	for _, code := range []int{6, 9} {
		a := must(autoencoder.New(autoencoder.Config{Size: 16, Code: code, Widths: []int{4, 6}}, 1))(t)
		m := must(embedding.New(small, classes, "", 7))(t)
		if err := m.From(a); err != nil {
			t.Fatal(err)
		}
		for i, p := range a.Encoder.Params() {
			got := m.Params()[i].Value
			if same := reflect.DeepEqual(got.Data(), p.Value.Data()); same != (code == 6 || i < 4) {
				t.Errorf("a code of %d: %s is the autoencoder's: %v", code, p.Name, same)
			}
		}
	}
	other := must(autoencoder.New(autoencoder.Config{Size: 32, Code: 6, Widths: []int{4, 6}}, 1))(t)
	if err := must(embedding.New(small, classes, "", 7))(t).From(other); err == nil || !strings.Contains(err.Error(), "has size 32") {
		t.Errorf("another size: %v", err)
	}
}

// vggFile writes VGG16's convolutions with random weights, once.
var vggFile = sync.OnceValues(func() (string, error) {
	net, err := vgg.New16(vgg.Config{NoTop: true}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		return "", err
	}
	arrays := map[string]*tensor.Tensor{}
	for _, p := range net.Params() {
		arrays[p.Name] = p.Value
	}
	path := filepath.Join(dir, "vgg16.safetensors")
	return path, weights.Save(path, arrays, nil)
})

var dir string

// TestOnVGG trains on the features of a VGG16, from their principal components.
func TestOnVGG(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	file := must(vggFile())(t)
	m := must(embedding.New(embedding.Config{Base: "vgg16", Dim: 8}, classes, file, 7))(t)
	defer m.Close()
	photos, labels := coloured(6, 5)
	var told []int
	data := must(m.Samples(t.Context(), photos, labels, augment.Config{}, 1, func(n int) { told = append(told, n) }))(t)
	if !reflect.DeepEqual(told, []int{6}) {
		t.Errorf("told of %v pictures", told)
	}
	random, _ := spread(t, m, photos, labels)
	if err := m.Start(data, 1); err != nil {
		t.Fatal(err)
	}
	if begun, _ := spread(t, m, photos, labels); begun == random {
		t.Error("Start changes nothing")
	}
	must(m.FitSamples(t.Context(), data, nn.FitConfig{Epochs: 20, Batch: 3, Optimizer: &optim.Adamax{}}))(t)
	// Random weights make much the same of all pictures.
	if same, other := spread(t, m, photos, labels); !(1-other > 5*(1-same)) {
		t.Errorf("cosines of %v within classes, %v between", same, other)
	}

	// The file stands alone.
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := m.Save(path, newRecord()); err != nil {
		t.Fatal(err)
	}
	want := must(m.Embed(t.Context(), photos))(t)
	loaded := must(embedding.Load(path))(t)
	defer loaded.Close()
	resumed, _, err := embedding.Resume(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []*embedding.Model{loaded, resumed} {
		if got := must(other.Embed(t.Context(), photos))(t); !reflect.DeepEqual(got.Data(), want.Data()) || must(other.Fingerprint())(t) != must(m.Fingerprint())(t) {
			t.Error("the saved network embeds otherwise")
		}
	}

	if _, err := m.Samples(t.Context(), photos, labels, augment.Config{Flip: true}, 1, nil); err == nil || !strings.Contains(err.Error(), "cannot be changed at random") {
		t.Errorf("changes: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Samples(ctx, photos, labels, augment.Config{}, 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := embedding.New(embedding.Config{Base: "vgg19"}, classes, file, 7); err == nil || !strings.Contains(err.Error(), "holds weights of vgg16, not of vgg19") {
		t.Errorf("another network's weights: %v", err)
	}
	if err := m.From(must(autoencoder.New(autoencoder.Config{Size: 16}, 1))(t)); err == nil {
		t.Error("a VGG starts from an autoencoder")
	}
}

func TestConfigErrors(t *testing.T) {
	for want, c := range map[string]embedding.Config{
		`no base "resnet"`:                       {Base: "resnet"},
		"-1 numbers are not between":             {Base: embedding.Encoder, Dim: -1},
		"a margin of 4":                          {Base: embedding.Encoder, Margin: 4},
		"a scale of -1":                          {Base: embedding.Encoder, Scale: -1},
		"size 18 is not a multiple":              {Base: embedding.Encoder, Size: 18},
		"a width of 0":                           {Base: embedding.Encoder, Widths: []int{0}},
		"there is no file":                       {Base: "vgg16"},
		"size and widths are those of an encode": {Base: "vgg16", Size: 64},
	} {
		file := filepath.Join(t.TempDir(), "none")
		if strings.HasPrefix(want, "size and") {
			file = "" // is not looked at
		}
		if _, err := embedding.New(c, classes, file, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", c, err, want)
		}
	}
	for want, list := range map[string][]string{
		"1 classes; at least two": {"a"},
		"not sorted, or one":      {"b", "a"},
		"one comes twice":         {"a", "a", "b"},
	} {
		if _, err := embedding.New(small, list, "", 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", list, err, want)
		}
	}
	m := must(embedding.New(small, classes, "", 7))(t)
	photos, _ := coloured(1, 1)
	if _, err := m.Samples(t.Context(), photos, []string{"pink"}, augment.Config{}, 1, nil); err == nil || !strings.Contains(err.Error(), `"pink" is none of the network's classes`) {
		t.Errorf("another class: %v", err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	m := must(embedding.New(small, classes, "", 7))(t)
	good := m.Metadata()
	for want, change := range map[string][2]string{
		"is no embedding made by this program": {"format", "other"},
		`of version "2"`:                       {"version", "2"},
		"prepared as":                          {"preprocessing", "BGR"},
		"its configuration needs":              {"config", `{"base":"encoder","dim":6,"size":32,"widths":[4,6]}`},
		"unexpected end":                       {"config", `{"base":`},
		"at least two":                         {"classes", `["a"]`},
		"not sorted":                           {"classes", `["b","a"]`},
		"are too many":                         {"config", `{"base":"encoder","dim":16384,"size":16,"widths":[4,6]}`},
		`no base "x"`:                          {"config", `{"base":"x"}`},
		"none of its arrays is one of VGG16":   {"config", `{"base":"vgg16","dim":6}`},
	} {
		metadata := maps.Clone(good)
		metadata[change[0]] = change[1]
		if want == "are too many" {
			var names []string
			for i := range 10000 {
				names = append(names, fmt.Sprintf(`"%05d"`, i))
			}
			metadata["classes"] = "[" + strings.Join(names, ",") + "]"
		}
		arrays := map[string]*tensor.Tensor{}
		for _, p := range m.Params() {
			arrays[p.Name] = p.Value
		}
		if err := weights.Save(path, arrays, metadata); err != nil {
			t.Fatal(err)
		}
		if _, err := embedding.Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v, want one with %q and the path", err, want)
		}
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
	photos, labels := coloured(4, 1)
	m := must(embedding.New(small, classes, "", 1))(t)
	data := must(m.Samples(t.Context(), broken{photos}, labels, augment.Config{}, 1, nil))(t)
	_, fit := m.FitSamples(t.Context(), data, nn.FitConfig{Optimizer: &optim.Adamax{}})
	on := must(embedding.New(embedding.Config{Base: "vgg16", Dim: 4}, classes, must(vggFile())(t), 1))(t)
	defer on.Close()
	_, describe := on.Samples(t.Context(), broken{photos}, labels, augment.Config{}, 1, nil)
	for _, err := range []error{fit, describe} {
		if fmt.Sprint(err) != "photo 2 is broken" {
			t.Errorf("error %v", err)
		}
	}
}

// TestMain runs the tests with a folder for what several of them use.
func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "embedding"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
