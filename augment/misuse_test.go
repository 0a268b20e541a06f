package augment

import (
	"math"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/picture"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	nan, p := math.NaN(), picture.New(4, 4)
	same := Change{Contrast: 1, Saturation: 1}
	misusetest.Check(t, map[string]func() error{
		`augment: crop=NaN`:                    func() error { _, err := Parse("crop=NaN"); return err },
		`augment: crop=1e999`:                  func() error { _, err := Parse("crop=1e999"); return err },
		`augment: flip comes twice`:            func() error { _, err := Parse("flip,flip"); return err },
		`augment: there is no change ""`:       func() error { _, err := Parse(","); return err },
		`augment: brightness of -0.1`:          func() error { return Config{Brightness: -0.1}.Check() },
		`augment.Draw: |saturation of NaN`:     func() error { Config{Saturation: nan}.Draw(1, 0, 0, 4); return nil },
		`augment.Draw: |side of 0`:             func() error { Config{}.Draw(1, 0, 0, 0); return nil },
		`augment.Draw: |side of -4`:            func() error { Config{Crop: 0.5}.Draw(1, 0, 0, -4); return nil },
		`augment.Shape: there is no picture`:   func() error { same.Shape(nil); return nil },
		`augment.Shape: |3x3 has 0 values`:     func() error { same.Shape(&picture.Image{Width: 3, Height: 3}); return nil },
		`augment.Shape: |4x4|side 2 at 3, 0`:   func() error { Change{Side: 2, Left: 3}.Shape(p); return nil },
		`augment.Shape: |4x4|side 2 at 0, -1`:  func() error { Change{Side: 2, Top: -1}.Shape(p); return nil },
		`augment.Shape: |4x4|side -2`:          func() error { Change{Side: -2}.Shape(p); return nil },
		`augment.Shape: |4x4|side 5`:           func() error { Change{Side: 5}.Shape(p); return nil },
		`augment.Shape: |side 3|at 9223372036`: func() error { Change{Side: 3, Left: math.MaxInt}.Shape(p); return nil },
		`augment.Colours: 4 values`:            func() error { same.Colours(make([]float32, 4)); return nil },
		`augment.Colours: |NaN`:                func() error { Change{Contrast: float32(nan), Saturation: 1}.Colours(nil); return nil },
		`augment.Colours: |-1`:                 func() error { Change{Contrast: 1, Saturation: -1}.Colours(nil); return nil },
	})
}
