package autoencoder_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/internal/misusetest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
)

// count is so many photographs, of which none can be read.
type count int

func (c count) Len() int                         { return int(c) }
func (c count) Load(int) (*picture.Image, error) { return nil, nil }

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	ctx := context.Background()
	m, err := autoencoder.New(autoencoder.Config{Size: 16, Widths: []int{2}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	empty, none := autoencoder.Pictures{picture.New(0, 0)}, autoencoder.Pictures{nil}
	var missing *autoencoder.Model
	misusetest.Check(t, map[string]func() error{
		`autoencoder: size -16`:                      func() error { _, err := autoencoder.New(autoencoder.Config{Size: -16}, 1); return err },
		`autoencoder: no photographs`:                func() error { _, err := m.Encode(ctx, nil); return err },
		`autoencoder: no photographs|given`:          func() error { _, err := m.Fit(ctx, nil, nn.FitConfig{}); return err },
		`autoencoder: photograph 0|no pixels`:        func() error { _, err := m.Encode(ctx, empty); return err },
		`autoencoder: photograph 0|no picture`:       func() error { _, err := m.Reconstruct(ctx, none); return err },
		`autoencoder.Input|picture 1 of 1|no pixels`: func() error { m.Input(empty); return nil },
		`picture.Bilinear|no picture`:                func() error { m.Prepare(nil); return nil },
		`nn.Predict|[]`:                              func() error { m.Decode(nil); return nil },
		`autoencoder: |empty|New|Encode`: func() error {
			_, err := new(autoencoder.Model).Encode(ctx, empty)
			return fmt.Errorf("Encode: %w", err)
		},
		`autoencoder: |empty|New|Reconstruct`: func() error { _, err := missing.Reconstruct(ctx, empty); return fmt.Errorf("Reconstruct: %w", err) },
		`autoencoder: |empty|New|Fit`:         func() error { _, err := missing.Fit(ctx, empty, nn.FitConfig{}); return fmt.Errorf("Fit: %w", err) },
		`autoencoder: |empty|New|FitSamples`: func() error {
			_, err := missing.FitSamples(ctx, nil, nn.FitConfig{})
			return fmt.Errorf("FitSamples: %w", err)
		},
		`autoencoder: |empty|New|Save`:       func() error { return fmt.Errorf("Save: %w", missing.Save("x", nil)) },
		`autoencoder.Params: `:               func() error { missing.Params(); return nil },
		`autoencoder.Summary: `:              func() error { missing.Summary(); return nil },
		`autoencoder.Fingerprint: `:          func() error { missing.Fingerprint(); return nil },
		`autoencoder.Metadata: `:             func() error { missing.Metadata(); return nil },
		`autoencoder.Decode: `:               func() error { new(autoencoder.Model).Decode(nil); return nil },
		`autoencoder.Prepare: `:              func() error { new(autoencoder.Model).Prepare(nil); return nil },
		`autoencoder.Input: `:                func() error { new(autoencoder.Model).Input(nil); return nil },
		`autoencoder.Samples: |nil or empty`: func() error { missing.Samples(empty, augment.Config{}, 1); return nil },
		`autoencoder.Samples: |<nil>`:        func() error { m.Samples(nil, augment.Config{}, 1); return nil },
		`autoencoder.Samples: |size of 0`:    func() error { autoencoder.Samples(empty, 0, augment.Config{}, 1); return nil },
		`autoencoder.Load: |no picture 1`:    func() error { empty.Load(1); return nil },
		`autoencoder.Input: size 0`:          func() error { autoencoder.Input(nil, 0); return nil },
		`-1 photographs`:                     func() error { _, err := m.Encode(ctx, count(-1)); return err },
		`9223372036854775807 photographs`:    func() error { _, err := m.Encode(ctx, count(math.MaxInt)); return err },
		`augment.Draw: crop of NaN`:          func() error { augment.Config{Crop: math.NaN()}.Draw(1, 0, 0, 16); return nil },
		`augment: contrast of 2`: func() error {
			_, err := m.FitSamples(ctx, m.Samples(autoencoder.Pictures{picture.New(16, 16)}, augment.Config{Contrast: 2}, 1), nn.FitConfig{Optimizer: &optim.Adamax{}})
			return err
		},
	})
}
