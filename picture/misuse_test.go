package picture

import (
	"math"
	"strings"
	"testing"

	"lookalike/internal/misusetest"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	image := New(2, 2)
	misusetest.Check(t, map[string]func() error{
		`picture.New|-1x2`:                   func() error { New(-1, 2); return nil },
		`picture.New|cannot be`:              func() error { New(math.MaxInt/2, 4); return nil },
		`picture.Nearest|no picture`:         func() error { Nearest(nil, 2, 2); return nil },
		`picture.Bilinear|0x3 has no pixels`: func() error { Bilinear(New(0, 3), 2, 2); return nil },
		`picture.Bilinear|2x3 has 12 values`: func() error { Bilinear(&Image{Width: 2, Height: 3, Pix: image.Pix}, 2, 2); return nil },
		`picture.Nearest|2x2 to 0x2`:         func() error { Nearest(image, 0, 2); return nil },
		`picture.RGBA|5x5 has 0 values`:      func() error { (&Image{Width: 5, Height: 5}).RGBA(); return nil },
		`picture.FromImage|no picture`:       func() error { FromImage(nil); return nil },
		`picture.Read: |nil`:                 func() error { return Read(nil, 0, Options{}, func([]byte) error { return nil }) },
		`picture.Read: |use is nil`:          func() error { return Read(strings.NewReader(""), 0, Options{}, nil) },
		`the file is |empty`:                 func() error { _, err := DecodeBytes(nil, Options{}, nil); return err },
		`picture.Decode: |nil`:               func() error { _, err := Decode(nil, Options{}); return err },
		`picture.RGBA|no picture`:            func() error { (*Image)(nil).RGBA(); return nil },
	})
}
