package winograd

import (
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/internal/kerneltest"
	"lookalike/internal/misusetest"
	"lookalike/internal/sweeptest"
)

func TestMain(m *testing.M) { os.Exit(kerneltest.Main(m)) }

// shape is a convolution: pictures [batch, h, w, in] to [batch, oh, ow, out].
type shape struct {
	batch, h, w, in, out, top, left, oh, ow int
}

func (s shape) kernel(r *rand.Rand) []float32  { return random(r, 9*s.in*s.out) }
func (s shape) picture(r *rand.Rand) []float32 { return random(r, s.batch*s.h*s.w*s.in) }

func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// direct is the definition, in double precision: the sums, and the sums of
// their terms' magnitudes.
func (s shape) direct(x, kernel []float32) (sums, sizes []float64) {
	for b := range s.batch {
		for y := range s.oh {
			for col := range s.ow {
				sum, size := make([]float64, s.out), make([]float64, s.out)
				for i := range 3 {
					for j := range 3 {
						py, px := y+i-s.top, col+j-s.left
						if py < 0 || py >= s.h || px < 0 || px >= s.w {
							continue
						}
						for c := range s.in {
							v := float64(x[((b*s.h+py)*s.w+px)*s.in+c])
							for o, k := range kernel[((i*3+j)*s.in+c)*s.out:][:s.out] {
								sum[o] += v * float64(k)
								size[o] += math.Abs(v * float64(k))
							}
						}
					}
				}
				sums, sizes = append(sums, sum...), append(sizes, size...)
			}
		}
	}
	return sums, sizes
}

// pooled returns the greatest of each 2x2 of y.
func pooled[T float32 | float64](s shape, y []T) []T {
	var p []T
	for b := range s.batch {
		for i := range s.oh / 2 {
			for j := range s.ow / 2 {
				at := ((b*s.oh+2*i)*s.ow + 2*j) * s.out
				for o := at; o < at+s.out; o++ {
					p = append(p, max(y[o], y[o+s.out], y[o+s.ow*s.out], y[o+(s.ow+1)*s.out]))
				}
			}
		}
	}
	return p
}

// guard stands round what is written, and must stay.
const guard = -12345

// convolve runs k on memory that ends with the slices that it is given.
func (s shape) convolve(t *testing.T, k *Kernel, x []float32, ep Epilogue) []float32 {
	t.Helper()
	n := s.batch * s.oh * s.ow * s.out
	if ep.Pool {
		n = s.batch * (s.oh / 2) * (s.ow / 2) * s.out
	}
	const around = 40
	dst := slices.Repeat([]float32{guard}, n+2*around)
	for i := range dst[around:][:n] {
		dst[around+i] = float32(math.NaN())
	}
	k.Convolve(dst[around:][:n:n], slices.Clip(x), s.batch, s.h, s.w, s.top, s.left, s.oh, s.ow, ep)
	for i, v := range dst {
		if (i < around || i >= around+n) && v != guard {
			t.Fatalf("%+v: wrote %g %d values before its output or %d behind", s, v, around-i, i-around-n)
		}
	}
	return dst[around:][:n:n]
}

// tolerance is what one output may be off, in units of the deviation of an output
// whose terms are all there: rounding errors grow like the root of the number of
// channels beside it.
func tolerance(tile, in int) float64 {
	return map[int]float64{2: 8, 4: 40}[tile] * math.Sqrt(float64(in)+8) / (1 << 24)
}

// check compares every way to finish with the definition and with each other.
func check(t *testing.T, r *rand.Rand, tile int, s shape) {
	t.Helper()
	x, kernel, bias := s.picture(r), s.kernel(r), random(r, s.out)
	k := Transform(tile, kernel, s.in, s.out)
	want, _ := s.direct(x, kernel)
	for _, b := range [][]float32{nil, bias} {
		for i := range want {
			if b != nil {
				want[i] += float64(b[i%s.out])
			}
		}
		scale := math.Sqrt(9 * float64(s.in)) // terms are of variance 1
		var got []float32
		nearAndFar(func() {
			near := got
			got = s.convolve(t, k, x, Epilogue{Bias: b})
			if near != nil && !slices.Equal(near, got) {
				t.Fatalf("F%d %+v: near and far give different bits", tile, s)
			}
		})
		for i := range got {
			if err := math.Abs(float64(got[i]) - want[i]); !(err <= tolerance(tile, s.in)*scale) {
				t.Fatalf("F%d %+v: [%d] = %g, want %g: off by %g of %g", tile, s, i, got[i], want[i], err/scale, tolerance(tile, s.in))
			}
		}
		relu := slices.Clone(got)
		for i, v := range relu {
			relu[i] = max(v, 0)
		}
		for name, pair := range map[string][2][]float32{
			"ReLU":          {relu, s.convolve(t, k, x, Epilogue{Bias: b, ReLU: true})},
			"pool":          {pooled(s, got), s.convolve(t, k, x, Epilogue{Bias: b, Pool: true})},
			"ReLU and pool": {pooled(s, relu), s.convolve(t, k, x, Epilogue{Bias: b, ReLU: true, Pool: true})},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Fatalf("F%d %+v: %s, fused, has other bits than afterwards", tile, s, name)
			}
		}
	}
}

func TestConvolve(t *testing.T) {
	t.Logf("tier %s of %v", cpu.Tier(), cpu.Tiers())
	r := rand.New(rand.NewPCG(1, 1))
	for _, tile := range []int{2, 4} {
		for h := range 21 {
			for range sweeptest.Cases(1, 4, 40) {
				w := r.IntN(21)
				top, left := r.IntN(3), r.IntN(3)
				s := shape{r.IntN(3), h, w, 1 + r.IntN(70), 1 + r.IntN(70), top, left, max(0, h+top-r.IntN(3)), max(0, w+left-r.IntN(3))}
				check(t, r, tile, s)
			}
		}
		for _, channels := range []int{1, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 48, 64, 65, 100} {
			check(t, r, tile, shape{1, 6, 7, channels, 1 + r.IntN(70), 1, 1, 6, 7})
			check(t, r, tile, shape{2, 7, 9, 1 + r.IntN(70), channels, 1, 1, 7, 9})
		}
		check(t, r, tile, shape{1, 2, 3, 5, 20, 5, 9, 17, 16}) // tiles that see no picture
		check(t, r, tile, shape{2, 14, 14, 160, 150, 1, 1, 14, 14})
		check(t, r, tile, shape{1, 50, 60, 16, 16, 1, 1, 50, 60})
		check(t, r, tile, shape{2, 9, 17, 130, 140, 1, 1, 9, 17})
	}
}

// nearAndFar calls f with all convolutions near, as far as the caches allow, then with
// all of them far.
func nearAndFar(f func()) {
	defer func(n, m int) { nearKernel, partsEach = n, m }(nearKernel, partsEach)
	nearKernel, partsEach = math.MaxInt, 0
	f()
	nearKernel, partsEach = 0, 4
	f()
}

// TestGOMAXPROCS computes the same bits on any number of goroutines, near or far.
func TestGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(1, 2))
	for _, tile := range []int{2, 4} {
		for _, s := range []shape{{1, 14, 14, 160, 300, 1, 1, 14, 14}, {3, 40, 30, 20, 40, 1, 1, 40, 30}} {
			x, k := s.picture(r), Transform(tile, s.kernel(r), s.in, s.out)
			var first []float32
			nearAndFar(func() {
				for _, procs := range []int{1, 2, 7} {
					runtime.GOMAXPROCS(procs)
					if y := s.convolve(t, k, x, Epilogue{}); first == nil {
						first = y
					} else if !slices.Equal(first, y) {
						t.Errorf("F%d %+v: other bits with GOMAXPROCS=%d, nearKernel %d", tile, s, procs, nearKernel)
					}
				}
			})
		}
	}
}

// TestSpecials puts NaN and infinity in one pixel: all outputs that it touches are
// no numbers, whatever follows; tiles beyond them are not touched.
func TestSpecials(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	s := shape{1, 13, 13, 20, 20, 1, 1, 13, 13}
	for _, tile := range []int{2, 4} {
		k := Transform(tile, s.kernel(r), s.in, s.out)
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			for range 20 {
				x := s.picture(r)
				y, col := r.IntN(s.h), r.IntN(s.w)
				x[(y*s.w+col)*s.in+r.IntN(s.in)] = special
				for _, ep := range []Epilogue{{}, {ReLU: true}, {Pool: true}, {ReLU: true, Pool: true}} {
					step, w := 1, s.ow
					if ep.Pool {
						step, w = 2, s.ow/2
					}
					for i, v := range s.convolve(t, k, x, ep) {
						oy, ox := i/s.out/w*step, i/s.out%w*step
						touched := oy+step-1 >= y-1 && oy <= y+1 && ox+step-1 >= col-1 && ox <= col+1
						sees := func(o, at int) bool { return at >= o/tile*tile-1 && at <= o/tile*tile+tile }
						bad := v != v || math.IsInf(float64(v), 0)
						if touched && special != special && v == v || touched && !ep.ReLU && !ep.Pool && !bad || bad && !(sees(oy, y) && sees(ox, col)) {
							t.Fatalf("F%d, %+v, %g at (%d, %d): output (%d, %d) = %g", tile, ep, special, y, col, oy, ox, v)
						}
					}
				}
			}
		}
	}
}

// TestAllocations finds the scratch memory reused.
func TestAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	s := shape{1, 28, 28, 200, 200, 1, 1, 28, 28}
	x, k, dst := s.picture(r), Transform(4, s.kernel(r), s.in, s.out), make([]float32, 28*28*200)
	nearAndFar(func() {
		allocs := testing.AllocsPerRun(10, func() { k.Convolve(dst, x, 1, 28, 28, 1, 1, 28, 28, Epilogue{}) })
		if allocs > 40 { // goroutines and closures, nothing that grows with the picture
			t.Errorf("nearKernel %d: %g allocations", nearKernel, allocs)
		}
	})
}

func TestMisuse(t *testing.T) {
	x := make([]float32, 9*4)
	k := Transform(2, x, 2, 2)
	misusetest.CheckPanics(t, map[string]func(){
		"winograd.Transform: tile 3, kernel [3, 3, 2, 2]":              func() { Transform(3, x, 2, 2) },
		"winograd.Transform: tile 2, kernel [3, 3, 2, 3]":              func() { Transform(2, x, 2, 3) },
		"winograd.Convolve: picture [1, 3, 3, 2] in 36 values":         func() { k.Convolve(x[:18], x, 1, 3, 3, 1, 1, 3, 3, Epilogue{}) },
		"winograd.Convolve: picture [1, 3, 3, 2] in 18 values, kernel": func() { k.Convolve(x, x[:18], 1, 3, 3, 1, 1, 3, 3, Epilogue{Bias: x}) },
	})
}

// TestTransformAgain: a kernel that is transformed again has nothing left of what
// it was.
func TestTransformAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	var k Kernel
	for _, s := range []struct{ tile, in, out int }{{4, 20, 70}, {2, 30, 5}, {4, 3, 33}} {
		kernel := random(r, 9*s.in*s.out)
		k.Transform(s.tile, kernel, s.in, s.out)
		if want := Transform(s.tile, kernel, s.in, s.out); !slices.Equal(k.u, want.u) || k.tile != s.tile {
			t.Errorf("%+v: other values than those of a new transform", s)
		}
	}
}
