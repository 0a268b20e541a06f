package picture

import (
	"bytes"
	"image"
	"math"
	"strings"
	"testing"
)

// A JPEG file that is large enough comes at an eighth of its size, close to what
// averaging all its pixels gives; one that is not comes whole.
func TestDecodeThumbnail(t *testing.T) {
	eighths := 0
	for name, data := range fixtures(t) {
		whole, err := Decode(bytes.NewReader(data), Options{})
		if err != nil {
			continue // of no use to other tests either
		}
		small, err := Decode(bytes.NewReader(data), Options{Thumbnail: image.Pt(4, 4)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if small.Width == whole.Width {
			if strings.HasPrefix(string(data), "\xff\xd8") && min(whole.Width, whole.Height) >= 64 {
				t.Errorf("%s comes whole", name)
			}
			continue
		}
		eighths++
		if w, h := (whole.Width+7)/8, (whole.Height+7)/8; small.Width != w || small.Height != h {
			t.Fatalf("%s: %dx%d of %dx%d", name, small.Width, small.Height, whole.Width, whole.Height)
		}
		// Chroma that is halved is so at an eighth, too: of colours that change within
		// 16 pixels, brightness alone stays, where it is not beyond what RGB can show
		// as in the flat ones.
		if off := lumaOff(small, whole); off > 3 && !strings.HasPrefix(name, "flat-") {
			t.Errorf("%s: the brightness is off by %.1f levels", name, off)
		}
		if again, err := Decode(bytes.NewReader(data), Options{Thumbnail: image.Pt(whole.Width/8+1, whole.Height/8+1)}); err != nil || again.Width != whole.Width {
			t.Errorf("%s: too small for its box, it does not come whole: %v", name, err)
		}
	}
	if eighths < 5 {
		t.Errorf("%d files came at an eighth", eighths)
	}
}

// lumaOff is by how much the brightness of a picture differs from the mean of 8x8
// pixels of another, in the mean, but for the edges.
func lumaOff(small, whole *Image) float64 {
	luma := func(p []uint8) float64 { return 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2]) }
	off, n := 0.0, 0.0
	for y := range whole.Height / 8 {
		for x := range whole.Width / 8 {
			sum := 0.0
			for i := range 64 {
				sum += luma(whole.Pix[3*((8*y+i/8)*whole.Width+8*x+i%8):]) / 64
			}
			off, n = off+math.Abs(luma(small.Pix[3*(y*small.Width+x):])-sum), n+1
		}
	}
	return off / max(n, 1)
}
