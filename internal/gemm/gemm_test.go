package gemm

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"lookalike/internal/cpu"
	"lookalike/internal/f32"
	"lookalike/internal/kerneltest"
	"lookalike/internal/misusetest"
	"lookalike/internal/sweeptest"
)

// TestMain makes blocks small for short tests, in emulation, and for the portable tier:
// shapes that cross their borders are small then.
func TestMain(m *testing.M) {
	flag.Parse()
	if sweeptest.Quick() || cpu.Tier() == "generic" {
		kc, nc = 80, 2*kernel.NR
	}
	os.Exit(kerneltest.Main(m))
}

// eps is half a unit in the last place of 1.
const eps = 1.0 / (1 << 24)

func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = r.Float32() - 0.5
	}
	return s
}

// guard lies between the rows of every matrix, and must stay.
const guard = -12345

// operand is a matrix as it is stored; its slice ends with its last value.
type operand struct {
	data  []float32
	ld    int
	trans bool
}

func newOperand(r *rand.Rand, rows, cols, pad int, trans bool) operand {
	if trans {
		rows, cols = cols, rows
	}
	o := operand{random(r, max(0, rows*(cols+pad)-pad)), cols + pad, trans}
	for i := range o.data {
		if i%o.ld >= cols {
			o.data[i] = float32(math.NaN()) // must not be read
		}
	}
	return o
}

func (o operand) at(i, j int) float64 {
	if o.trans {
		i, j = j, i
	}
	return float64(o.data[i*o.ld+j])
}

// check compares C = start + A·B with float64, and the values between rows. Of a
// large C it takes some values, spread over all places in a tile.
func check(t *testing.T, name string, m, n, k int, a, b func(i, j int) float64, start func(i, j int) float64, c []float32, ldc int) {
	t.Helper()
	each := 1 + m*n*k>>20
	for i, got := range c {
		row, col := i/ldc, i%ldc
		if col >= n {
			if got != guard {
				t.Fatalf("%s: wrote %g behind row %d", name, got, row)
			}
			continue
		}
		if (row*7+col)%each != 0 && got == got {
			continue
		}
		want := start(row, col)
		size := math.Abs(want)
		for p := range k {
			v := a(row, p) * b(p, col)
			want += v
			size += math.Abs(v)
		}
		if err := math.Abs(float64(got) - want); !(err <= float64(k+2)*eps*size) {
			t.Fatalf("%s: C[%d, %d] = %g, want %g, off by %g of %g", name, row, col, got, want, err, size)
		}
	}
}

// startValues fills C and returns what the product is added to: nothing, a bias,
// or C. Where C must not be read it is NaN.
func startValues(r *rand.Rand, kind, m, n, ldc int) (c, bias []float32, accumulate bool, start func(i, j int) float64) {
	c = make([]float32, max(0, m*ldc-(ldc-n)))
	for i := range c {
		switch {
		case i%ldc >= n:
			c[i] = guard
		case kind == 2:
			c[i] = r.Float32() - 0.5
		default:
			c[i] = float32(math.NaN())
		}
	}
	switch kind {
	case 1:
		bias = random(r, n)
		return c, bias, false, func(_, j int) float64 { return float64(bias[j]) }
	case 2:
		old := slices.Clone(c)
		return c, nil, true, func(i, j int) float64 { return float64(old[i*ldc+j]) }
	}
	return c, nil, false, func(_, _ int) float64 { return 0 }
}

func checkMul(t *testing.T, r *rand.Rand, transA, transB bool, m, n, k, pad, kind int) {
	t.Helper()
	a, b := newOperand(r, m, k, pad, transA), newOperand(r, k, n, pad, transB)
	ldc := n + pad
	c, bias, accumulate, start := startValues(r, kind, m, n, ldc)
	Mul(transA, transB, m, n, k, a.data, a.ld, b.data, b.ld, Epilogue{Bias: bias, Accumulate: accumulate}, c, ldc)
	check(t, fmt.Sprintf("Mul(%t, %t, %d, %d, %d), strides +%d, start %d", transA, transB, m, n, k, pad, kind),
		m, n, k, a.at, b.at, start, c, ldc)
}

func TestMul(t *testing.T) {
	t.Logf("tier %s of %v, blocks kc %d, mc %d, nc %d", cpu.Tier(), cpu.Tiers(), kc, mc, nc)
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 2, 3, 4, 5, 6, 7, 13, 14, 15, 16, 17, 28, 31, 32, 33, 43, 64, 70, 97}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range []int{0, 1, 3, 8, 17, 40} {
				checkMul(t, r, r.IntN(2) == 0, r.IntN(2) == 0, m, n, k, r.IntN(4), r.IntN(3))
			}
		}
	}
}

// TestMulBlocks crosses the border of every cache block, with every layout, and
// strides that ask for copies of A, and B fetched, packed ahead, and packed when it is
// its turn.
func TestMulBlocks(t *testing.T) {
	defer func(was [2]bool) { strided, mayPackAhead = was[0], was[1] }([2]bool{strided, mayPackAhead})
	for _, way := range [][2]bool{{true, false}, {false, true}, {false, false}} {
		strided, mayPackAhead = way[0], way[1]
		checkBlocks(t)
	}
}

func checkBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for _, s := range []struct{ m, n, k int }{
		{3, 2*nc + 5, kc + 9}, {kernel.MR + 1, 2, 2*kc + 3}, {mc + 5, kernel.NR + 3, kc + 1}, {9, 8*nc + 7, 13},
		{2*mc + 1, nc + 1, 7}, {5, 4*kernel.NR + 1, 2*kc + 1}, {20, 2*partWidth + 3, kc + 2}, {thinRows, 3, 3000}, {1, 5000, 300}, {1, 4*kernel.NR + 5, 20*kc + 7},
		{inPlaceRows, 3*nc + 5, kc + 9}, {inPlaceRows + 1, 2*nc + 5, 2*kc + 3}, {aheadRows, 2*nc + kernel.NR + 5, kc + 9},
	} {
		for layout := range 4 {
			checkMul(t, r, layout&1 != 0, layout&2 != 0, s.m, s.n, s.k, r.IntN(4), r.IntN(3))
		}
	}
	checkMul(t, r, false, false, kernel.MR+3, 5*kernel.NR, 1000, 24, 0) // rows of A a page apart
	checkMul(t, r, true, false, 1000, 5*kernel.NR, kc+5, 24, 1)
}

// TestActivate finds the bits of a pass of its own over the whole product, in one
// row, a few and many, and what lies between the rows left alone.
func TestActivate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	activations := map[string]func([]float32){
		"ReLU":  func(x []float32) { f32.ReLU(x, x) },
		"leaky": func(x []float32) { f32.LeakyReLU(x, x, 0.2) }, // shows what is activated twice
		"ELU":   func(x []float32) { f32.ELU(x, x, 1) },
	}
	for _, s := range []struct{ m, n, k int }{
		{1, 1, 1}, {1, 5000, 300}, {1, 5*kernel.NR + 3, 20*kc + 7}, {thinRows, 70, 2*kc + 3}, {9, 40, 0}, {20, 3*nc + 5, 2*kc + 3}, {mc + 5, kernel.NR + 3, kc + 1},
	} {
		for layout := range 4 {
			a, b := newOperand(r, s.m, s.k, 1, layout&1 != 0), newOperand(r, s.k, s.n, 2, layout&2 != 0)
			for name, activate := range activations {
				for kind := range 3 {
					ldc := s.n + 3
					got, bias, accumulate, _ := startValues(r, kind, s.m, s.n, ldc)
					want := slices.Clone(got)
					e := Epilogue{Bias: bias, Accumulate: accumulate}
					Mul(a.trans, b.trans, s.m, s.n, s.k, a.data, a.ld, b.data, b.ld, e, want, ldc)
					for i := range s.m {
						activate(want[i*ldc:][:s.n])
					}
					e.Activate = activate
					Mul(a.trans, b.trans, s.m, s.n, s.k, a.data, a.ld, b.data, b.ld, e, got, ldc)
					if !slices.Equal(got, want) {
						t.Errorf("%+v, layout %d, start %d: %s at the store gives other bits than in a pass of its own", s, layout, kind, name)
					}
				}
			}
		}
	}
}

// TestGOMAXPROCS computes the same bits on any number of goroutines. Each product is long
// enough to be cut for them.
func TestGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(1, 4))
	for _, s := range []struct{ m, n, k int }{{110, 300, 300}, {40, 5000, 70}, {1, 22000, 200}, {1, 5*kernel.NR + 3, 110*kc + 7}, {3, 500, 3000}, {1500, 20, 310}} {
		for layout := range 4 {
			transA, transB := layout&1 != 0, layout&2 != 0
			a, b := newOperand(r, s.m, s.k, 0, transA), newOperand(r, s.k, s.n, 0, transB)
			var first []float32
			for _, procs := range []int{1, 2, 5} {
				runtime.GOMAXPROCS(procs)
				c := make([]float32, s.m*s.n)
				Mul(transA, transB, s.m, s.n, s.k, a.data, a.ld, b.data, b.ld, Epilogue{}, c, s.n)
				if first == nil {
					first = c
				} else if !slices.Equal(first, c) {
					t.Errorf("%dx%dx%d, layout %d: other bits with GOMAXPROCS=%d", s.m, s.n, s.k, layout, procs)
				}
			}
		}
	}
}

// A product that one goroutine computes is not cut for two: pieces cost time. What is
// activated tells the pieces.
func TestShortProductsAreNotCut(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, s := range []struct{ m, n, k int }{{1, 1024, 512}, {3, 512, 500}, {8, 512, 512}} {
		if s.m > thinRows && alone(s.m, s.n, s.k) >= 250*time.Microsecond {
			continue // it is not short for kernels as slow as these
		}
		a, b, c := make([]float32, s.m*s.k), make([]float32, s.k*s.n), make([]float32, s.m*s.n)
		var want int64
		for _, procs := range []int{1, 2} {
			runtime.GOMAXPROCS(procs)
			least := int64(math.MaxInt64) // goroutines that come late, from other tests, may want a part now and then
			for range 100 {
				var pieces atomic.Int64
				e := Epilogue{Activate: func([]float32) { pieces.Add(1) }}
				Mul(false, false, s.m, s.n, s.k, a, s.k, b, s.n, e, c, s.n)
				least = min(least, pieces.Load())
			}
			if procs == 1 {
				want = least
			} else if least != want {
				t.Errorf("%+v: %d pieces, of one goroutine %d", s, least, want)
			}
		}
	}
}

// TestPacked multiplies by a packed matrix, from overlapping rows of A.
func TestPacked(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	var packed Packed
	for _, s := range []struct{ m, n, k, lda int }{
		{20, 40, 30, 30}, {33, 70, 31, 7}, {1, 1, 1, 0}, {5, 100, 2*kc + 5, 64}, {mc + 3, 33, 0, 4},
		{kernel.MR + 2, 5 * kernel.NR, 40, 1024}, {0, 5, 5, 5}, {5, 0, 5, 5}, {5, 9, 0, 5}, {40, nc + 40, 50, 1},
	} {
		for kind := range 3 {
			transB := kind == 1
			b := newOperand(r, s.k, s.n, 3, transB)
			packed.Pack(s.k, s.n, b.data, b.ld, transB)
			a := random(r, max(0, (s.m-1)*s.lda+s.k))
			ldc := s.n + 2
			c, bias, accumulate, start := startValues(r, kind, s.m, s.n, ldc)
			packed.Mul(s.m, a, s.lda, Epilogue{Bias: bias, Accumulate: accumulate}, c, ldc)
			check(t, fmt.Sprintf("Packed.Mul %+v", s), s.m, s.n, s.k,
				func(i, p int) float64 { return float64(a[i*s.lda+p]) }, b.at, start, c, ldc)
		}
	}
}

// TestPackedTransA multiplies by transposed A, whose stored rows may overlap.
func TestPackedTransA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	var packed Packed
	for _, s := range []struct{ m, n, k, lda int }{
		{20, 40, 30, 20}, {96, 64, 112, 32}, {33, 70, 50, 7}, {1, 1, 1, 0}, {mc + 5, 5 * kernel.NR, kc + 9, 40}, {0, 5, 5, 0}, {5, 9, 0, 5},
	} {
		for kind := 0; kind < 3; kind += 2 {
			b := newOperand(r, s.k, s.n, 3, false)
			packed.Pack(s.k, s.n, b.data, b.ld, false)
			a := random(r, max(0, (s.k-1)*s.lda+s.m))
			ldc := s.n + 2
			c, _, accumulate, start := startValues(r, kind, s.m, s.n, ldc)
			packed.MulTransA(s.m, a, s.lda, accumulate, c, ldc)
			check(t, fmt.Sprintf("Packed.MulTransA %+v", s), s.m, s.n, s.k,
				func(i, p int) float64 { return float64(a[p*s.lda+i]) }, b.at, start, c, ldc)
		}
	}
}

// TestPackedTurns multiplies by an A whose columns lie in turns.
func TestPackedTurns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	var packed Packed
	for _, s := range []struct{ m, n, turns, k, lda, turn int }{
		{224, 64, 3, 9, 3, 678}, {20, 40, 1, 30, 30, 0}, {33, 70, 5, 4, 2, 90}, {1, 1, 1, 1, 0, 0}, {0, 5, 3, 9, 3, 30},
		{kernel.MR + 1, 3 * kernel.NR, 2, 40, 50, 7}, {5, 0, 3, 9, 3, 30}, {kernel.MR, kernel.NR + 1, 7, 1, 1, 20},
	} {
		for kind := range 2 {
			b := newOperand(r, s.turns*s.k, s.n, 3, false)
			packed.Pack(s.turns*s.k, s.n, b.data, b.ld, false)
			a := random(r, max(0, (s.m-1)*s.lda+(s.turns-1)*s.turn+s.k))
			ldc := s.n + 2
			c, bias, _, start := startValues(r, kind, s.m, s.n, ldc)
			packed.MulTurns(s.m, s.turns, a, s.lda, s.turn, bias, c, ldc)
			check(t, fmt.Sprintf("Packed.MulTurns %+v", s), s.m, s.n, s.turns*s.k,
				func(i, p int) float64 { return float64(a[i*s.lda+p/s.k*s.turn+p%s.k]) }, b.at, start, c, ldc)
		}
	}
}

// TestSpecials puts NaN and infinity against zeros: no term may be skipped.
func TestSpecials(t *testing.T) {
	for _, m := range []int{1, 3, 40} {
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			const n, k = 50, 30
			a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
			a[(m-1)*k+7] = special
			Mul(false, false, m, n, k, a, k, b, n, Epilogue{}, c, n)
			for i, v := range c {
				if hit := i/n == m-1; hit != (v != v) {
					t.Fatalf("%d rows, %g in A's last: C[%d, %d] = %g", m, special, i/n, i%n, v)
				}
			}
		}
	}
}

// TestAllocations finds the packing buffers reused.
func TestAllocations(t *testing.T) {
	a, b, c := make([]float32, 200*300), make([]float32, 300*400), make([]float32, 200*400)
	var packed Packed
	allocs := testing.AllocsPerRun(20, func() {
		Mul(false, false, 200, 400, 300, a, 300, b, 400, Epilogue{}, c, 400)
		packed.Pack(300, 400, b, 400, false)
		packed.Mul(200, a, 300, Epilogue{}, c, 400)
	})
	if allocs > 40 { // goroutines and closures, nothing that grows with the matrices
		t.Errorf("%g allocations", allocs)
	}
}

func TestMisuse(t *testing.T) {
	x := make([]float32, 100)
	var packed Packed
	packed.Pack(5, 4, x, 4, false)
	misusetest.CheckPanics(t, map[string]func(){
		"gemm.Mul: A [3, 4] with stride 4 in 100 values times B [4, 6] with stride 5 ":           func() { Mul(false, false, 3, 6, 4, x, 4, x, 5, Epilogue{}, x, 6) },
		"gemm.Mul: A [30, 4] with stride 4 in 100 values times B [4, 2] stored transposed with ": func() { Mul(false, true, 30, 2, 4, x, 4, x, 4, Epilogue{}, x, 2) },
		"gemm.Mul: A [-1, 4]": func() { Mul(false, false, -1, 6, 4, x, 4, x, 6, Epilogue{}, x, 6) },
		"gemm.Mul: A [2, 2] with stride 2 in 100 values times B [2, 2] with stride 2 in 100 values (bias of 1": func() { Mul(false, false, 2, 2, 2, x, 2, x, 2, Epilogue{Bias: x[:1]}, x, 2) },
		"gemm.Packed.Mul: A [2, 5] with str":                      func() { packed.Mul(2, x, 96, Epilogue{}, x, 4) },
		"gemm.Packed.MulTransA: A [5, 30] s":                      func() { packed.MulTransA(30, x, 30, false, x, 4) },
		"gemm.Packed.MulTurns: A [9, 5 turns] with strides 3, 80": func() { packed.MulTurns(9, 5, x, 3, 80, nil, x, 4) },
		"gemm.Packed.MulTurns: A [9, 2 turns] with strides 3, 9 ": func() { packed.MulTurns(9, 2, x, 3, 9, nil, x, 4) }, // 5 rows of B
		"gemm.Packed.Pack: B [50, 4]":                             func() { packed.Pack(50, 4, x, 4, false) },
	})
}

func FuzzMul(f *testing.F) {
	f.Add(uint64(1), uint16(20), uint16(40), uint16(30), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, layout uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		checkMul(t, r, layout&1 != 0, layout&2 != 0, int(m%200), int(n%200), int(k%600), int(layout>>2&3), int(layout>>4)%3)
	})
}

// TestRowsStandAlone multiplies a row alone, with few others and with many: a
// picture's code must not depend on the pictures beside it.
func TestRowsStandAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	const m, n, k = 40, 33, 3000
	a, b, bias := random(r, m*k), random(r, k*n), random(r, n)
	want := make([]float32, m*n)
	Mul(false, false, m, n, k, a, k, b, n, Epilogue{Bias: bias}, want, n)
	for _, rows := range []int{1, 2, thinRows, thinRows + 1} {
		c := make([]float32, rows*n)
		Mul(false, false, rows, n, k, a, k, b, n, Epilogue{Bias: bias}, c, n)
		if !slices.Equal(c, want[:rows*n]) {
			t.Errorf("%d rows alone have other bits than among %d", rows, m)
		}
	}
}
