package vgg_test

import (
	"fmt"
	"strings"
	"testing"

	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	image := picture.New(2, 2)
	for want, run := range map[string]func() error{
		`vgg: |Pooling(9)`:                         func() error { _, err := vgg.New16(vgg.Config{NoTop: true, Pooling: 9}, nil); return err },
		`vgg: |Pooling(-1)`:                        func() error { _, err := vgg.New19(vgg.Config{NoTop: true, Pooling: -1}, nil); return err },
		`vgg: |no source`:                          func() error { _, err := vgg.Load(nil, vgg.Config{}); return err },
		`vgg.Preprocess|Mode(9)`:                   func() error { vgg.Preprocess([]*picture.Image{image}, 4, 4, 9); return nil },
		`vgg.Preprocess|picture 2 of 2|no picture`: func() error { vgg.Preprocess([]*picture.Image{image, nil}, 4, 4, vgg.Caffe); return nil },
		`vgg.Preprocess|0x4|below 1`:               func() error { vgg.Preprocess([]*picture.Image{image}, 4, 0, vgg.Caffe); return nil },
		`vgg.Preprocess|0x0 has no pixels`:         func() error { vgg.Preprocess([]*picture.Image{picture.New(0, 0)}, 4, 4, vgg.Caffe); return nil },
		`vgg.Preprocess|3x3 has 12 values`: func() error {
			vgg.Preprocess([]*picture.Image{{Width: 3, Height: 3, Pix: image.Pix}}, 4, 4, vgg.Caffe)
			return nil
		},
		`vgg.DecodePredictions|[]`:    func() error { vgg.DecodePredictions(nil, 1); return nil },
		`vgg.DecodePredictions|[2 3]`: func() error { vgg.DecodePredictions(tensor.New(2, 3), 1); return nil },
	} {
		got := func() (message string) {
			defer func() {
				if r := recover(); r != nil {
					message = fmt.Sprint(r)
				}
			}()
			return fmt.Sprint(run())
		}()
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(got, part) {
				t.Errorf("got %q, want %q", got, part)
			}
		}
	}
}
