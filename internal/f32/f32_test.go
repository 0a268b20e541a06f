package f32

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/internal/kerneltest"
	"lookalike/internal/misusetest"
	"lookalike/internal/sweeptest"
)

// available are the tiers that this processor has, best first, each once.
var available = func() (list []*tier) {
	for _, name := range cpu.Tiers() {
		list = append(list, tierOf(name))
	}
	return slices.Compact(list)
}()

// eachTier runs f for every tier that this processor has.
func eachTier(t *testing.T, f func(t *testing.T, x *tier)) {
	for _, x := range available {
		t.Run(x.name, func(t *testing.T) { f(t, x) })
	}
}

// TestTiersFilled finds every kernel in every tier.
func TestTiersFilled(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		v := reflect.ValueOf(x).Elem()
		for i := range v.NumField() {
			if field := v.Field(i); field.Kind() == reflect.Func && field.IsNil() {
				t.Errorf("%s is missing", v.Type().Field(i).Name)
			}
		}
	})
}

func TestReductions(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, n := range kerneltest.Lengths() {
			a, b := kerneltest.Edge(t, kerneltest.Random(r, n)), kerneltest.Edge(t, kerneltest.Random(r, n))
			var dot, square, size float64
			for i := range a {
				p, d := float64(a[i])*float64(b[i]), float64(a[i])-float64(b[i])
				dot += p
				size += math.Abs(p)
				square += d * d
			}
			if err := math.Abs(float64(x.dot(a, b)) - dot); !(err <= float64(n+1)*kerneltest.Eps*size) {
				t.Errorf("dot of %d values is %g off", n, err)
			}
			if err := math.Abs(float64(x.squaredDistance(a, b)) - square); !(err <= float64(n+3)*kerneltest.Eps*square) {
				t.Errorf("squaredDistance of %d values is %g off", n, err)
			}
			for _, i := range []int{0, n / 2, n - 1} {
				if n == 0 {
					break
				}
				old := a[i]
				a[i] = float32(math.NaN())
				if v := x.dot(a, b); v == v {
					t.Errorf("dot of %d values loses NaN at %d", n, i)
				}
				if v := x.squaredDistance(a, b); v == v {
					t.Errorf("squaredDistance of %d values loses NaN at %d", n, i)
				}
				a[i] = old
			}
		}
	})
}

func TestAxpy(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 3))
		for _, n := range kerneltest.Lengths() {
			xs, y := kerneltest.Edge(t, kerneltest.Random(r, n)), kerneltest.Edge(t, kerneltest.Random(r, n))
			old := slices.Clone(y)
			x.axpy(y, 1.25, xs)
			for i := range y {
				want := float64(old[i]) + 1.25*float64(xs[i])
				if err := math.Abs(float64(y[i]) - want); !(err <= 2*kerneltest.Eps*(math.Abs(float64(old[i]))+math.Abs(want))) {
					t.Fatalf("%d values: y[%d] = %g, want %g", n, i, y[i], want)
				}
			}
		}
	})
}

// ulps returns how many units in the last place of want, rounded to float32, got
// lies off; want's denormals have the smallest unit.
func ulps(got float32, want float64) float64 {
	switch w := float32(want); {
	case math.IsNaN(want) || math.IsInf(float64(w), 0):
		if math.Float32bits(got) == math.Float32bits(w) || got != got && want != want {
			return 0
		}
		return math.Inf(1)
	case want == 0:
		return math.Abs(float64(got)) / math.SmallestNonzeroFloat32
	default:
		_, exp := math.Frexp(want)
		return math.Abs(float64(got)-want) / math.Ldexp(1, max(exp-24, -149))
	}
}

// sparse is how many times fewer values are tried in short tests, in emulation, where
// they take minutes.
func sparse() int { return sweeptest.Cases(10, 1, 1) }

// sweep calls f with slices of many values: all exponents, both signs, dense
// where exp is finite, and the special ones.
func sweep(f func(src []float32)) {
	step, dense := uint64(1<<10*sparse()), 1<<20/sparse()
	block := make([]float32, 0, 4096)
	for bits := uint64(0); bits < 1<<32; bits += step - 7 {
		block = append(block, math.Float32frombits(uint32(bits)))
		if len(block) == cap(block) {
			f(block)
			block = block[:0]
		}
	}
	for i := range dense {
		block = append(block, (float32(i)/float32(dense)-0.5)*210)
		if len(block) == cap(block) {
			f(block)
			block = block[:0]
		}
	}
	inf := float32(math.Inf(1))
	f(append(block, 0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), 1, -1, 88.72283, 88.72284, -87.33654, -103.97207, -103.97209, -104))
}

func TestExp(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		worst, at := 0.0, float32(0)
		dst := make([]float32, 5000)
		sweep(func(src []float32) {
			x.exp(dst[:len(src)], src)
			for i, v := range src {
				if u := ulps(dst[i], math.Exp(float64(v))); !(u <= worst) {
					worst, at = u, v
				}
			}
		})
		t.Logf("exp: at most %.3f ulp off, at %g", worst, at)
		if !(worst <= 2) {
			t.Errorf("exp(%g) is %g ulp off", at, worst)
		}
	})
}

func TestELU(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		for _, alpha := range []float32{1, 0.3} {
			worst, at := 0.0, float32(0)
			dst := make([]float32, 5000)
			sweep(func(src []float32) {
				x.elu(dst[:len(src)], src, alpha)
				for i, v := range src {
					want := float64(v)
					if v <= 0 {
						want = float64(alpha) * math.Expm1(want)
					}
					if u := ulps(dst[i], want); !(u <= worst) {
						worst, at = u, v
					}
				}
			})
			t.Logf("elu with alpha %g: at most %.3f ulp off, at %g", alpha, worst, at)
			if !(worst <= 3) {
				t.Errorf("elu(%g) with alpha %g is %g ulp off", at, alpha, worst)
			}
		}
	})
}

// sameELU tells whether an ELU of x is within some units in the last place of the portable one, with
// its sign. Only -0 loses that: to the kernels e^x - 1 is a sum, and 0.
func sameELU(x, got, want float32, most float64) bool {
	sign := math.Signbit(float64(got)) == math.Signbit(float64(want)) || x == 0 && math.Signbit(float64(x)) || want != want
	return sign && ulps(got, float64(want)) <= most
}

// TestELUAnyAlpha holds zeros, infinities and NaN against the portable kernel's with any alpha,
// which scales zeros' sign, too, and is nothing to what is above zero. It was added to that
// as 0*alpha once, which took zeros' signs, and made NaN where alpha is infinite.
func TestELUAnyAlpha(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	zero := float32(math.Copysign(0, -1))
	src := []float32{0, zero, 1, -1, 1e-45, -1e-45, 1e-38, -1e-38, 0.3, -0.3, 30, -30, 200, -200, math.MaxFloat32, -math.MaxFloat32, inf, -inf, nan}
	for len(src) < 40 { // whole registers, and one that is cut
		src = append(src, src...)
	}
	want, got := make([]float32, len(src)), make([]float32, len(src))
	eachTier(t, func(t *testing.T, x *tier) {
		for _, alpha := range []float32{1, 0.3, 0, zero, -1, -0.3, 1e-45, -1e-45, math.MaxFloat32, -math.MaxFloat32, inf, -inf, nan} {
			generic.elu(want, src, alpha)
			x.elu(got, src, alpha)
			for i, w := range want {
				if !sameELU(src[i], got[i], w, 3) {
					t.Errorf("elu(%g) with alpha %g = %g, portable %g", src[i], alpha, got[i], w)
				}
			}
		}
	})
}

// TestELURises: max-pooling may come before ELU instead of behind it, with the
// same bits, because ELU of a greater value is never less. This takes one of 61 (or
// 610) runs of neighbouring values; all have been tried once, with alpha 1 and 0.3.
func TestELURises(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		const run, negative, infinite = 1 << 12, 0x80000000, 0xff800000
		stride := uint32(61 * run * sparse())
		src, dst := make([]float32, run), make([]float32, run)
		last := float32(0)
		for base := uint32(negative); base < infinite-stride; base += stride {
			for i := range src {
				src[i] = math.Float32frombits(base + uint32(i))
			}
			x.elu(dst, src, 1)
			for i, v := range dst {
				if !(v <= last) {
					t.Fatalf("elu(%g) = %g, more than %g before", src[i], v, last)
				}
				last = v
			}
		}
	})
}

// TestRectifiers holds every tier against the definition, bit for bit, in place.
func TestRectifiers(t *testing.T) {
	const alpha = 0.3
	pick := func(yes bool, a, b float32) float32 {
		if yes {
			return a
		}
		return b
	}
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 12))
		for _, n := range kerneltest.Lengths() {
			for name, c := range map[string]struct {
				run  func(v, y []float32)
				want func(v, y float32) float32
			}{
				"relu":      {func(v, _ []float32) { x.relu(v, v) }, func(v, _ float32) float32 { return pick(v < 0, 0, v) }},
				"reluGrad":  {func(v, y []float32) { x.reluGrad(v, v, y) }, func(v, y float32) float32 { return pick(y <= 0, 0, v) }},
				"leaky":     {func(v, _ []float32) { x.leaky(v, v, alpha) }, func(v, _ float32) float32 { return pick(v < 0, alpha*v, v) }},
				"leakyGrad": {func(v, y []float32) { x.leakyGrad(v, v, y, alpha) }, func(v, y float32) float32 { return pick(y <= 0, alpha*v, v) }},
			} {
				src, y := hard(r, n, true), kerneltest.Edge(t, hard(r, n, true))
				v, all := guarded[float32](t, r, n, 7777)
				copy(v, src)
				c.run(v, y)
				for i, got := range v {
					if want := c.want(src[i], y[i]); math.Float32bits(got) != math.Float32bits(want) {
						t.Fatalf("%s of %d values: [%d] of %g and %g is %g, want %g", name, n, i, src[i], y[i], got, want)
					}
				}
				untouched(t, name, all, len(all)-n, n, 7777)
			}
		}
	})
}

// TestElementwiseLengths runs every length in place, at the end of a page.
func TestElementwiseLengths(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 4))
		for _, n := range kerneltest.Lengths() {
			src := kerneltest.Random(r, n)
			check := func(name string, got []float32, want func(i int) float64) {
				for i := range got {
					if u := ulps(got[i], want(i)); !(u <= 4) {
						t.Fatalf("%s of %d values: [%d] = %g, want %g", name, n, i, got[i], want(i))
					}
				}
			}
			v := kerneltest.Edge(t, src)
			x.exp(v, v)
			check("exp", v, func(i int) float64 { return math.Exp(float64(src[i])) })
			v = kerneltest.Edge(t, src)
			x.elu(v, v, 1)
			check("elu", v, func(i int) float64 {
				if src[i] > 0 {
					return float64(src[i])
				}
				return math.Expm1(float64(src[i]))
			})
			y, dy := kerneltest.Edge(t, src), kerneltest.Random(r, n)
			if n > 2 {
				y[n/2] = 0
			}
			v = kerneltest.Edge(t, dy)
			x.eluGrad(v, v, y, 1.5)
			check("eluGrad", v, func(i int) float64 {
				if y[i] > 0 {
					return float64(dy[i])
				}
				return float64(dy[i]) * float64(y[i]+1.5)
			})
			if n > 0 {
				y[n-1] = float32(math.NaN())
				if x.eluGrad(v, dy, y, 1); v[n-1] == v[n-1] {
					t.Fatalf("eluGrad of %d values loses NaN", n)
				}
			}
		}
	})
}

func FuzzELU(f *testing.F) {
	for _, bits := range []uint32{0, 1 << 31, 0x3f800000, 0xbf800000, 0x7f800000, 0x7fc00000, 0x80000001, 0xc2cf0000} {
		for _, alpha := range []float32{1, 0, -0.3} {
			f.Add(bits, alpha)
		}
	}
	f.Fuzz(func(t *testing.T, bits uint32, alpha float32) {
		if size := math.Abs(float64(alpha)); alpha != 0 && !(size >= 1.0/(1<<20) && size < 1<<20) {
			t.Skip("not a useful alpha")
		}
		src := []float32{math.Float32frombits(bits)}
		var want, got [1]float32
		generic.elu(want[:], src, alpha)
		for _, x := range available {
			x.elu(got[:], src, alpha)
			if !sameELU(src[0], got[0], want[0], 4) {
				t.Errorf("%s: elu(%g) with alpha %g = %g, portable %g", x.name, src[0], alpha, got[0], want[0])
			}
		}
	})
}

func TestMisuse(t *testing.T) {
	misusetest.CheckPanics(t, map[string]func(){
		"f32.Dot: lengths 2 and 3 differ": func() { Dot(make([]float32, 2), make([]float32, 3)) },
		"f32.MaxPool2x2: 6 values of 4 channels from rows of 12 and 12": func() {
			MaxPool2x2(4, make([]float32, 6), nil, make([]float32, 12), make([]float32, 12))
		},
		"f32.MaxPool2x2Grad: 4 values of 4 channels from rows of 8 and 7": func() {
			MaxPool2x2Grad(4, make([]float32, 8), make([]float32, 7), make([]float32, 4), make([]uint8, 4))
		},
		"f32.MaxPool2x2: lengths 4 and 3 differ": func() {
			MaxPool2x2(4, make([]float32, 4), make([]uint8, 3), make([]float32, 8), make([]float32, 8))
		},
		"f32.MaxInto: lengths 2 and 1 differ": func() { MaxInto(make([]float32, 2), make([]uint8, 1), make([]float32, 2), 0) },
		"f32.Adamax: lengths 2 and 3 differ": func() {
			Adamax(make([]float32, 2), make([]float32, 2), make([]float32, 3), make([]float32, 2), 1, 1, 1, 1, 1)
		},
		"f32.Adam: lengths 2 and 1 differ": func() {
			Adam(make([]float32, 2), make([]float32, 2), make([]float32, 2), make([]float32, 1), 1, 1, 1, 1, 1, 1)
		},
	})
}
