package autoencoder_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	ctx := context.Background()
	m, err := autoencoder.New(autoencoder.Config{Size: 16, Widths: []int{2}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	empty, none := autoencoder.Pictures{picture.New(0, 0)}, autoencoder.Pictures{nil}
	for want, run := range map[string]func() error{
		`autoencoder: size -16`:                      func() error { _, err := autoencoder.New(autoencoder.Config{Size: -16}, 1); return err },
		`autoencoder: no photographs`:                func() error { _, err := m.Encode(ctx, nil); return err },
		`autoencoder: no photographs|given`:          func() error { _, err := m.Fit(ctx, nil, nn.FitConfig{}); return err },
		`autoencoder: photograph 0|no pixels`:        func() error { _, err := m.Encode(ctx, empty); return err },
		`autoencoder: photograph 0|no picture`:       func() error { _, err := m.Reconstruct(ctx, none); return err },
		`autoencoder.Input|picture 1 of 1|no pixels`: func() error { m.Input(empty); return nil },
		`picture.Bilinear|no picture`:                func() error { m.Prepare(nil); return nil },
		`nn.Predict|[]`:                              func() error { m.Decode(nil); return nil },
		`augment: crop of NaN`:                       func() error { augment.Config{Crop: math.NaN()}.Draw(1, 0, 0, 16); return nil },
		`augment: contrast of 2`: func() error {
			_, err := m.FitSamples(ctx, m.Samples(autoencoder.Pictures{picture.New(16, 16)}, augment.Config{Contrast: 2}, 1), nn.FitConfig{Optimizer: &optim.Adamax{}})
			return err
		},
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
