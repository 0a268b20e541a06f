package perceptual

import (
	"bytes"
	"cmp"
	"image/jpeg"
	"math"
	"testing"

	"lookalike/internal/sample"
	"lookalike/picture"
)

func distance(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += (float64(x) - float64(b[i])) * (float64(x) - float64(b[i]))
	}
	return math.Sqrt(sum)
}

// Copies are within the distance, other drawings are not. (The figures at Within
// were measured on photographs.)
func TestCopies(t *testing.T) {
	var all []*picture.Image
	for p := range sample.Gallery(1, 2, 160) {
		all = append(all, picture.FromImage(p.Image))
	}
	for i, m := range all {
		v := Describe(m)
		if len(v) != Width {
			t.Fatalf("%d values", len(v))
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m.RGBA(), &jpeg.Options{Quality: 30}); err != nil {
			t.Fatal(err)
		}
		again, err := picture.Decode(&b, picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		darker := picture.New(m.Width, m.Height)
		for k, x := range m.Pix {
			darker.Pix[k] = uint8(int(x) * 9 / 10)
		}
		for name, copied := range map[string]*picture.Image{
			"itself": m, "prepared": Prepare(m), "half": picture.Area(m, 80, 80), "squeezed": picture.Area(m, 90, 70),
			"JPEG": again, "darker": darker, "twice": picture.Bilinear(m, 320, 320),
		} {
			d := distance(v, Describe(copied))
			if limit := map[string]float64{"itself": 1e-6, "prepared": 0.02}[name]; !(d <= cmp.Or(limit, Within)) {
				t.Errorf("picture %d %s is at %v", i, name, d)
			}
		}
		for k, other := range all[:i] {
			if d := distance(v, Describe(other)); !(d > Within) {
				t.Errorf("pictures %d and %d are at %v", i, k, d)
			}
		}
	}
}

// Of pictures without any content, and tiny ones, something finite is said.
func TestExtremes(t *testing.T) {
	for _, m := range []*picture.Image{picture.New(1, 1), picture.New(2000, 1), picture.New(3, 5)} {
		for _, x := range Describe(m) {
			if x-x != 0 {
				t.Fatalf("%dx%d: %v", m.Width, m.Height, x)
			}
		}
	}
}
