package vgg_test

import (
	"fmt"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	image := picture.New(2, 2)
	misusetest.Check(t, map[string]func() error{
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
		`vgg.Layers: |Open`:           func() error { (*vgg.Model)(nil).Layers(); return nil },
		`vgg.DefaultLayer: |Open`:     func() error { new(vgg.Model).DefaultLayer(); return nil },
		`vgg.Name: |Open`:             func() error { (*vgg.Model)(nil).Name(); return nil },
		`vgg.Mode: |Open`:             func() error { (*vgg.Model)(nil).Mode(); return nil },
		`vgg.Config: |Open`:           func() error { (*vgg.Model)(nil).Config(); return nil },
		`vgg.Input: |Open`:            func() error { new(vgg.Model).Input(nil); return nil },
		`vgg.Prepare: |Open`:          func() error { new(vgg.Model).Prepare(image); return nil },
		`vgg.Preprocessing: |Open`:    func() error { (*vgg.Model)(nil).Preprocessing(); return nil },
		`vgg: |empty|Open|Summary`:    func() error { _, err := new(vgg.Model).Summary(); return fmt.Errorf("Summary: %w", err) },
		`vgg: |empty|Open|Close`:      func() error { return fmt.Errorf("Close: %w", (*vgg.Model)(nil).Close()) },
		`vgg: |empty|Open|Layer`:      func() error { _, err := new(vgg.Model).Layer("fc1"); return fmt.Errorf("Layer: %w", err) },
		`vgg: |empty|Open|Features`: func() error {
			_, err := (*vgg.Model)(nil).Features(t.Context(), nil, "fc1")
			return fmt.Errorf("Features: %w", err)
		},
		`vgg: |empty|Open|Predict`: func() error {
			_, err := (*vgg.Model)(nil).Predict(t.Context(), nil)
			return fmt.Errorf("Predict: %w", err)
		},
		`vgg: |empty|Open|Outputs`: func() error {
			_, err := (*vgg.Model)(nil).Outputs(t.Context(), tensor.New(1), "fc1")
			return fmt.Errorf("Outputs: %w", err)
		},
		`vgg: |empty|Open|EachOutput`: func() error {
			return fmt.Errorf("EachOutput: %w", new(vgg.Model).EachOutput(t.Context(), tensor.New(1), nil))
		},
	})
}
