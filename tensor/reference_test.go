package tensor

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// newRand prints its seed when the test fails.
func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func random(r *rand.Rand, shape ...int) *Tensor {
	t := New(shape...)
	for i := range t.data {
		t.data[i] = float32(r.NormFloat64())
	}
	return t
}

// dirty returns a tensor of NaN: what an operation leaves of it shows.
func dirty(shape ...int) *Tensor { return filled(float32(math.NaN()), shape...) }

func filled(v float32, shape ...int) *Tensor {
	t := New(shape...)
	for i := range t.data {
		t.data[i] = v
	}
	return t
}

// sum is a reference value: a sum in float64, what its terms come to without
// their signs, and how many they are.
type sum struct {
	value, size float64
	terms       int
}

func (s *sum) add(v float64) {
	s.value += v
	s.size += math.Abs(v)
	s.terms++
}

// tolerance is what a sum of float32 may be off by: the rounding errors of n
// terms go to both sides and so grow with √n.
func (s sum) tolerance() float64 {
	return (4 + 2*math.Sqrt(float64(s.terms))) / (1 << 24) * s.size
}

// checkSums fails unless got holds the sums of want.
func checkSums(t testing.TB, what string, got *Tensor, want []sum) {
	t.Helper()
	if len(got.data) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got.data), len(want))
	}
	for i, s := range want {
		if off := math.Abs(float64(got.data[i]) - s.value); !(off <= s.tolerance()) {
			t.Fatalf("%s %v [%d] = %v, want %v: off by %.3g, allowed %.3g", what, got.shape, i, got.data[i], s.value, off, s.tolerance())
		}
	}
}

// sums returns n sums, which begin with the values of start unless it is nil.
func sums(n int, start *Tensor) []sum {
	s := make([]sum, n)
	if start != nil {
		for i := range s {
			s[i].add(float64(start.data[i%len(start.data)]))
		}
	}
	return s
}

// eachTap calls f for every pixel of y, by row, and every tap of its window
// that lies in the picture x, with the offsets of their first channels.
func eachTap(y, x *Tensor, w Window, f func(y, x, tap int)) {
	for b := range y.shape[0] {
		for oy := range y.shape[1] {
			for ox := range y.shape[2] {
				for tap := range w.Size[0] * w.Size[1] {
					iy := oy*w.Stride[0] - w.Pad[0] + tap/w.Size[1]
					ix := ox*w.Stride[1] - w.Pad[1] + tap%w.Size[1]
					if iy >= 0 && iy < x.shape[1] && ix >= 0 && ix < x.shape[2] {
						f(((b*y.shape[1]+oy)*y.shape[2]+ox)*y.shape[3], ((b*x.shape[1]+iy)*x.shape[2]+ix)*x.shape[3], tap)
					}
				}
			}
		}
	}
}

// slide draws a window and, for pictures of x, an output whose last windows may
// hang over the end.
func slide(r *rand.Rand, x []int, channels int) (Window, []int) {
	var w Window
	y := []int{x[0], 0, 0, channels}
	for d := range 2 {
		w.Size[d], w.Stride[d] = 1+r.IntN(5), 1+r.IntN(3)
		w.Pad[d] = r.IntN(w.Size[d])
		y[1+d] = 1 + r.IntN((x[1+d]+w.Pad[d]-1)/w.Stride[d]+1)
	}
	return w, y
}

// sameOnAnyProcs fails unless f returns the same bits for every GOMAXPROCS.
func sameOnAnyProcs(t *testing.T, f func() *Tensor) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := f()
	for _, procs := range []int{2, 5} {
		runtime.GOMAXPROCS(procs)
		if got := f(); !slices.EqualFunc(got.data, want.data, sameBits) {
			t.Errorf("GOMAXPROCS %d and 1 differ", procs)
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
