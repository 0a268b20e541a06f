package vgg_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/vgg"
)

type builder = func(vgg.Config, *rand.Rand) (*nn.Sequential, error)

func build(t *testing.T, f builder, c vgg.Config, rng *rand.Rand) *nn.Sequential {
	t.Helper()
	net, err := f(c, rng)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func TestSummaryEqualsKeras(t *testing.T) {
	for name, c := range map[string]vgg.Config{"VGG16": {}, "VGG16 without top": {NoTop: true}} {
		want := kerastest.Summary(t, name)
		got := build(t, vgg.New16, c, nil).Summary()
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestParameterCounts(t *testing.T) {
	for _, c := range []struct {
		name string
		new  builder
		cfg  vgg.Config
		want int
	}{
		{"VGG16", vgg.New16, vgg.Config{}, 138_357_544},
		{"VGG16 without top", vgg.New16, vgg.Config{NoTop: true}, 14_714_688},
		{"VGG19", vgg.New19, vgg.Config{}, 143_667_240},
		{"VGG19 without top", vgg.New19, vgg.Config{NoTop: true, Input: [2]int{64, 32}}, 20_024_384},
	} {
		got := 0
		for _, p := range build(t, c.new, c.cfg, nil).Params() {
			got += p.Value.Len()
		}
		if got != c.want {
			t.Errorf("%s has %d parameters, want %d", c.name, got, c.want)
		}
	}
}

func TestParameterNames(t *testing.T) {
	params := build(t, vgg.New16, vgg.Config{}, nil).Params()
	for i, want := range map[int]string{0: "block1_conv1/kernel", 25: "block5_conv3/bias", 26: "fc1/kernel", 31: "predictions/bias"} {
		if got := params[i].Name; got != want {
			t.Errorf("parameter %d is named %q, want %q", i, got, want)
		}
	}
	if len(params) != 32 {
		t.Errorf("%d parameters, want 32", len(params))
	}
}

// TestTwiceTheInput: with zero biases, ReLU and max-pooling, a picture times a
// power of two gives features times the same, to the bit.
func TestTwiceTheInput(t *testing.T) {
	net := build(t, vgg.New16, vgg.Config{NoTop: true, Input: [2]int{32, 64}}, rand.New(rand.NewPCG(1, 0)))
	rng := rand.New(rand.NewPCG(2, 0))
	x := tensor.New(2, 32, 64, 3)
	for i := range x.Data() {
		x.Data()[i] = float32(rng.NormFloat64())
	}
	once := net.Predict(x).Clone()
	for i := range x.Data() {
		x.Data()[i] *= 2
	}
	twice := net.Predict(x)
	if got, want := twice.String(), "float32[2 1 2 512]"; got != want {
		t.Fatalf("features are %s, want %s", got, want)
	}
	positive := 0
	for i, v := range twice.Data() {
		if !(v == 2*once.Data()[i]) || v < 0 {
			t.Fatalf("feature %d is %v, of the picture at half the brightness %v", i, v, once.Data()[i])
		}
		if v > 0 {
			positive++
		}
	}
	if positive < 100 {
		t.Errorf("%d features of %d are positive", positive, twice.Len())
	}
}

func TestSizesThatCannotBe(t *testing.T) {
	for want, c := range map[string]vgg.Config{
		"take pictures of 224x224, not 64x96": {Input: [2]int{64, 96}},
		"31x224 are too small":                {NoTop: true, Input: [2]int{31, 224}},
		"64x0 are too small":                  {NoTop: true, Input: [2]int{64, 0}},
		"99x5000 are too large":               {NoTop: true, Input: [2]int{99, 5000}},
		`pooling "avg" is for a network`:      {Pooling: vgg.Average},
	} {
		if _, err := vgg.New16(c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", c, err, want)
		}
	}
}
