package picture

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Area is the mean of what a new pixel covers, by the definition.
func TestArea(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := New(1+r.IntN(40), 1+r.IntN(40))
		for i := range m.Pix {
			m.Pix[i] = uint8(r.Uint32())
		}
		w, h := 1+r.IntN(40), 1+r.IntN(40)
		got := Area(m, w, h)
		for y := range h {
			for x := range w {
				for c := range 3 {
					want := areaMean(m, w, h, x, y, c)
					if v := float64(got.Pix[3*(y*w+x)+c]); !(math.Abs(v-want) <= 0.501) {
						t.Fatalf("%dx%d to %dx%d at %d,%d,%d: %v, want %v", m.Width, m.Height, w, h, x, y, c, v, want)
					}
				}
			}
		}
	}
}

func areaMean(m *Image, w, h, x, y, c int) float64 {
	overlap := func(i, from, to, k int) float64 { // of old pixel k with new pixel i
		scale := float64(from) / float64(to)
		return max(0, min(float64(k+1), float64(i+1)*scale)-max(float64(k), float64(i)*scale)) / scale
	}
	sum := 0.0
	for sy := range m.Height {
		for sx := range m.Width {
			sum += overlap(x, m.Width, w, sx) * overlap(y, m.Height, h, sy) * float64(m.Pix[3*(sy*m.Width+sx)+c])
		}
	}
	return sum
}

// The same size is the same picture, and one of one colour stays so.
func TestAreaKeeps(t *testing.T) {
	m := New(31, 17)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 7)
	}
	if got := Area(m, 31, 17); string(got.Pix) != string(m.Pix) {
		t.Error("the same size changes pixels")
	}
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for _, v := range Area(m, 7, 5).Pix {
		if v != 255 {
			t.Fatalf("white becomes %d", v)
		}
	}
}

func BenchmarkArea(b *testing.B) {
	m := New(4000, 3000)
	for b.Loop() {
		Area(m, 400, 300)
	}
}
