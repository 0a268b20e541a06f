package picture

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	image := New(2, 2)
	for want, run := range map[string]func() error{
		`picture.New|-1x2`:                   func() error { New(-1, 2); return nil },
		`picture.New|cannot be`:              func() error { New(math.MaxInt/2, 4); return nil },
		`picture.Nearest|no picture`:         func() error { Nearest(nil, 2, 2); return nil },
		`picture.Bilinear|0x3 has no pixels`: func() error { Bilinear(New(0, 3), 2, 2); return nil },
		`picture.Bilinear|2x3 has 12 values`: func() error { Bilinear(&Image{2, 3, image.Pix}, 2, 2); return nil },
		`picture.Nearest|2x2 to 0x2`:         func() error { Nearest(image, 0, 2); return nil },
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
