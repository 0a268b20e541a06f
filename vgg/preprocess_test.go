package vgg_test

import (
	"slices"
	"strings"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/picture"
	"lookalike/vgg"
	"lookalike/weights"
)

// TestPreprocess: every level of every channel becomes what Keras makes of it, to
// the bit.
func TestPreprocess(t *testing.T) {
	f := kerastest.Open(t, "vgg16.safetensors")
	p := picture.New(256, 1)
	for i := range p.Pix {
		p.Pix[i] = uint8(i / 3)
	}
	for _, mode := range []vgg.Mode{vgg.Caffe, vgg.Torch} {
		got := vgg.Preprocess([]*picture.Image{p, p}, 1, 256, mode)
		if want := kerastest.Tensor(t, f, mode.String()).Data(); !slices.Equal(got.Row(0), want) || !slices.Equal(got.Row(1), want) {
			t.Errorf("mode %v differs from Keras's", mode)
		}
	}
}

// Channels are swapped and pictures resized as Keras does it.
func TestPreprocessOrder(t *testing.T) {
	p := picture.New(4, 2)
	for i := range p.Pix {
		p.Pix[i] = uint8(i)
	}
	bgr := vgg.Preprocess([]*picture.Image{p}, 2, 2, vgg.Caffe).Data()
	for at, pixel := range []int{1, 3, 5, 7} { // of two columns the right one
		for c, mean := range []float32{103.939, 116.779, 123.68} {
			if got, want := bgr[3*at+c], float32(3*pixel+2-c)-mean; got != want {
				t.Errorf("pixel %d, channel %d: %v, want %v", at, c, got, want)
			}
		}
	}
}

// withMetadata is a source with notes.
type withMetadata struct{ mapped }

func (*withMetadata) Metadata() map[string]string {
	return map[string]string{vgg.PreprocessingKey: "torch"}
}

// Weights say how their pictures are scaled.
func TestModeOfWeights(t *testing.T) {
	p := []*picture.Image{noise(1, 50, 70)}
	c := vgg.Config{NoTop: true, Input: [2]int{32, 40}}
	for mode, src := range map[vgg.Mode]weights.Source{
		vgg.Caffe: &mapped{arrays{values: random16()}},
		vgg.Torch: &withMetadata{mapped{arrays{values: random16()}}},
	} {
		m := load(t, src, c)
		want := vgg.Preprocess(p, 32, 40, mode)
		if x := m.Input(p); m.Mode() != mode || !slices.Equal(x.Data(), want.Data()) || x.String() != "float32[1 32 40 3]" {
			t.Errorf("mode %v of weights for %v", m.Mode(), mode)
		}
		if words := m.Preprocessing(); !strings.Contains(words, "40x32") || strings.Contains(words, "BGR") != (mode == vgg.Caffe) {
			t.Errorf("mode %v in words: %s", mode, words)
		}
	}
}
