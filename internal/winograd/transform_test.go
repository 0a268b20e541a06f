package winograd

import (
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/kerneltest"
)

// TestTransforms compares assembly with the portable code, on memory that ends
// where the slices end, with strides that leave gaps, which must stay.
func TestTransforms(t *testing.T) {
	if arch == nil {
		t.Skip("this tier is the portable code")
	}
	r := rand.New(rand.NewPCG(1, 10))
	for n := lanes(); n < 5*lanes(); n++ {
		for _, tile := range []int{2, 4} {
			checkTransforms(t, r, tile, n)
		}
	}
}

func FuzzTransforms(f *testing.F) {
	f.Add(uint64(1), uint16(40))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		for _, tile := range []int{2, 4} {
			checkTransforms(t, rand.New(rand.NewPCG(seed, 1)), tile, lanes()+int(n)%600)
		}
	})
}

func checkTransforms(t *testing.T, r *rand.Rand, tile, n int) {
	t.Helper()
	portable := func(f func()) {
		defer func(a *transforms) { arch = a }(arch)
		arch = nil
		f()
	}
	side := tile + 2
	in, out := 1+n%9, micro.NR+r.IntN(5)
	kernel := kerneltest.Edge(t, random(r, (9*in-1)*out+micro.NR))
	u := kerneltest.Edge(t, make([]float32, side*side*in*micro.NR))
	transformed := make([]float32, len(u))
	kernelTransform(tile, in, micro.NR, u, kernel, out)
	portable(func() { kernelTransform(tile, in, micro.NR, transformed, kernel, out) })
	same(t, "kernel", tile, in, u, transformed)

	col, gap := n+r.IntN(3), r.IntN(5)
	row, vs := side*col+gap, n+r.IntN(20)
	x := kerneltest.Edge(t, random(r, (side-1)*(row+col)+n))
	v := kerneltest.Edge(t, random(r, (side*side-1)*vs+n))
	want := append([]float32(nil), v...)
	input(tile, n, v, vs, x, row, col)
	portable(func() { input(tile, n, want, vs, x, row, col) })
	same(t, "input", tile, n, v, want)

	m, bias := v, kerneltest.Edge(t, random(r, n))
	for _, pool := range []bool{false, true} {
		for _, floor := range []float32{0, float32(math.Inf(-1))} {
			y := kerneltest.Edge(t, random(r, (tile-1)*(row+col)+n))
			if pool {
				y = kerneltest.Edge(t, random(r, (tile/2-1)*(row+col)+n))
			}
			want := append([]float32(nil), y...)
			output(tile, pool, n, y, row, col, m, vs, bias, floor)
			portable(func() { output(tile, pool, n, want, row, col, m, vs, bias, floor) })
			same(t, "output", tile, n, y, want)
		}
	}

	if tile == gradTile {
		dy := kerneltest.Edge(t, random(r, (tile-1)*(row+col)+n))
		gradient(n, v, vs, dy, row, col)
		portable(func() { gradient(n, want, vs, dy, row, col) })
		same(t, "gradient", tile, n, v, want)
	}
}

// same allows for fused multiplications in one of the two.
func same(t *testing.T, what string, tile, n int, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if err := math.Abs(float64(got[i]) - float64(w)); !(err <= 1e-4) {
			t.Fatalf("%s of F%d, %d channels: [%d] = %g, portable %g", what, tile, n, i, got[i], w)
		}
	}
}

// TestAccuracy holds the package documentation's figures: the norm of the error over
// the norm of the outputs.
func TestAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 11))
	for _, in := range []int{16, 64, 256, 512} {
		s := shape{1, 8, 12, in, 8, 1, 1, 8, 12}
		x, kernel := s.picture(r), s.kernel(r)
		want, sizes := s.direct(x, kernel)
		for tile, limit := range map[int]float64{2: 9e-7, 4: 3e-6} {
			var off, norm, worst float64
			for i, v := range s.convolve(t, Transform(tile, kernel, in, 8), x, Epilogue{}) {
				err := float64(v) - want[i]
				off += err * err
				norm += want[i] * want[i]
				worst = max(worst, math.Abs(err)/sizes[i])
			}
			t.Logf("F%d, %d channels: %.2g of the output's norm; at most %.2g of the sum of the terms' magnitudes", tile, in, math.Sqrt(off/norm), worst)
			if !(math.Sqrt(off/norm) <= limit) {
				t.Errorf("F%d, %d channels: %g of the output's norm, want %g", tile, in, math.Sqrt(off/norm), limit)
			}
		}
	}
}
