package winograd

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"lookalike/internal/misusetest"
	"lookalike/internal/sweeptest"
)

// directGrad is KernelGrad's definition, in double precision: the sums, and the sums of
// their terms' squares.
func (s shape) directGrad(x, dy []float32) (sums, squares []float64) {
	sums, squares = make([]float64, 9*s.in*s.out), make([]float64, 9*s.in*s.out)
	for at := range s.batch * s.oh * s.ow {
		b, y, col := at/s.ow/s.oh, at/s.ow%s.oh, at%s.ow
		for tap := range 9 {
			py, px := y+tap/3-s.top, col+tap%3-s.left
			if py < 0 || py >= s.h || px < 0 || px >= s.w {
				continue
			}
			for c, v := range x[((b*s.h+py)*s.w+px)*s.in:][:s.in] {
				for o, d := range dy[at*s.out:][:s.out] {
					term := float64(v) * float64(d)
					sums[(tap*s.in+c)*s.out+o] += term
					squares[(tap*s.in+c)*s.out+o] += term * term
				}
			}
		}
	}
	return sums, squares
}

func (s shape) gradient(r *rand.Rand) []float32 { return random(r, s.batch*s.oh*s.ow*s.out) }

// kernelGrad runs KernelGrad on memory that ends with the slices that it is given.
func (s shape) kernelGrad(dk, x, dy []float32) {
	KernelGrad(dk, slices.Clip(x), slices.Clip(dy), s.batch, s.h, s.w, s.in, s.top, s.left, s.oh, s.ow, s.out)
}

// TestKernelGrad adds to what there is, and writes nothing beside it.
func TestKernelGrad(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 20))
	check := func(s shape) {
		t.Helper()
		x, dy, start := s.picture(r), s.gradient(r), s.kernel(r)
		const around = 40
		memory := slices.Repeat([]float32{guard}, len(start)+2*around)
		dk := memory[around:][:len(start):len(start)]
		copy(dk, start)
		s.kernelGrad(dk, x, dy)
		for i, v := range memory {
			if (i < around || i >= around+len(dk)) && v != guard {
				t.Fatalf("%+v: wrote %g %d values before its output or %d behind", s, v, around-i, i-around-len(dk))
			}
		}
		sums, squares := s.directGrad(x, dy)
		for i, v := range dk {
			// What the transforms mix is as large as all terms of a tile together.
			scale := math.Sqrt(squares[i]+36) + math.Abs(float64(start[i]))
			if err := math.Abs(float64(v) - float64(start[i]) - sums[i]); !(err <= 1e-5*scale) {
				t.Fatalf("%+v: [%d] = %g, want %g: off by %g of %g", s, i, v, float64(start[i])+sums[i], err, scale)
			}
		}
	}
	for h := range 15 {
		for range sweeptest.Cases(1, 4, 40) {
			w := r.IntN(15)
			top, left := r.IntN(3), r.IntN(3)
			check(shape{r.IntN(3), h, w, 1 + r.IntN(70), 1 + r.IntN(70), top, left, max(0, h+top-r.IntN(3)), max(0, w+left-r.IntN(3))})
		}
	}
	for _, channels := range []int{1, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 129, 193} {
		check(shape{1, 6, 7, channels, 1 + r.IntN(70), 1, 1, 6, 7})
		check(shape{2, 7, 9, 1 + r.IntN(70), channels, 1, 1, 7, 9})
	}
	check(shape{1, 2, 3, 5, 20, 5, 9, 17, 16}) // tiles that see no picture
	check(shape{2, 50, 60, 20, 16, 1, 1, 50, 60})
	check(shape{1, 14, 14, 140, 150, 1, 1, 14, 14})
}

// TestKernelGradGOMAXPROCS computes the same bits on any number of goroutines.
func TestKernelGradGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(1, 21))
	for _, s := range []shape{{2, 14, 14, 70, 130, 1, 1, 14, 14}, {3, 40, 30, 20, 40, 1, 1, 40, 30}} {
		x, dy := s.picture(r), s.gradient(r)
		var first []float32
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			dk := make([]float32, 9*s.in*s.out)
			if s.kernelGrad(dk, x, dy); first == nil {
				first = dk
			} else if !slices.Equal(first, dk) {
				t.Errorf("%+v: other bits with GOMAXPROCS=%d", s, procs)
			}
		}
	}
}

// TestKernelGradSpecials puts NaN and infinity in one value: all of its channel is no
// number, and nothing of another.
func TestKernelGradSpecials(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 22))
	s := shape{1, 13, 13, 20, 24, 1, 1, 13, 13}
	for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		x, dy := s.picture(r), s.gradient(r)
		in, out := r.IntN(s.in), r.IntN(s.out)
		x[(5*s.w+6)*s.in+in], dy[(8*s.ow+3)*s.out+out] = special, special
		dk := make([]float32, 9*s.in*s.out)
		s.kernelGrad(dk, x, dy)
		for i, v := range dk {
			touched := i/s.out%s.in == in || i%s.out == out
			if bad := v-v != 0; bad != touched {
				t.Fatalf("%g in channels %d and %d: value %d of the kernel's [%d, %d] is %g", special, in, out, i/s.out/s.in, i/s.out%s.in, i%s.out, v)
			}
		}
	}
}

// TestKernelGradAccuracy holds the package documentation's figures.
func TestKernelGradAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 23))
	for _, s := range []shape{{1, 28, 28, 32, 16, 1, 1, 28, 28}, {4, 112, 112, 16, 16, 1, 1, 112, 112}} {
		x, dy, dk := s.picture(r), s.gradient(r), make([]float32, 9*s.in*s.out)
		s.kernelGrad(dk, x, dy)
		sums, squares := s.directGrad(x, dy)
		var off, norm, worst float64
		for i, v := range dk {
			err := float64(v) - sums[i]
			off += err * err
			norm += sums[i] * sums[i]
			worst = max(worst, math.Abs(err)/math.Sqrt(squares[i]))
		}
		t.Logf("%+v: %.2g of the gradient's norm; at most %.2g of the root of the sum of the terms' squares", s, math.Sqrt(off/norm), worst)
		if !(math.Sqrt(off/norm) <= 2e-6) {
			t.Errorf("%+v: %g of the gradient's norm", s, math.Sqrt(off/norm))
		}
	}
}

func TestKernelGradMisuse(t *testing.T) {
	x := make([]float32, 36)
	misusetest.CheckPanics(t, map[string]func(){
		"winograd.KernelGrad: picture [1, 3, 3, 2] in 18 values, output [1, 3, 3, 2] in 17 values": func() { KernelGrad(x, x[:18], x[:17], 1, 3, 3, 2, 1, 1, 3, 3, 2) },
	})
}
