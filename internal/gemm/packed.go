package gemm

import (
	"fmt"
	"time"

	"lookalike/internal/parallel"
)

// Packed is a matrix B [k, n] in the order in which the micro-kernel reads it:
// panels of NR columns, each [k][NR] and contiguous, the last one filled with
// zeros. The zero value is empty; storage is reused by the next Pack. Once packed
// it may be read by many goroutines.
type Packed struct {
	k, n int
	data []float32
}

// Shape returns the rows and columns of the matrix that was packed last.
func (p *Packed) Shape() (k, n int) { return p.k, p.n }

// Pack stores b, [k, n] with row stride ldb, or if transB the transpose of b,
// [n, k] with row stride ldb. Large matrices are packed in parallel.
func (p *Packed) Pack(k, n int, b []float32, ldb int, transB bool) {
	if !holds(k, n, len(b), ldb, transB) {
		panic(fmt.Sprintf("gemm.Packed.Pack: %s does not fit in %d values", describe("B", k, n, ldb, transB), len(b)))
	}
	p.k, p.n = k, n
	nr := kernel.NR
	panels := ceil(n, nr)
	p.data = grow(p.data, panels*k*nr)
	if panels*k*nr <= packGrain {
		kernel.Pack(p.data, k*nr, k, n, b, ldb, transB)
		return
	}
	packings.Spans(panels, max(1, packGrain/max(1, k*nr)), time.Duration(panels*k*nr/packRate), packing{p.data, k, n, b, ldb, transB}, packing.pack)
}

// packing is a matrix and where it goes.
type packing struct {
	to     []float32
	k, n   int
	b      []float32
	ldb    int
	transB bool
}

var packings parallel.Loop[packing]

func (p packing) pack(lo, hi int) {
	nr := kernel.NR
	j := lo * nr
	kernel.Pack(p.to[j*p.k:], p.k*nr, p.k, min(hi*nr, p.n)-j, from(p.b, 0, j, p.ldb, p.transB), p.ldb, p.transB)
}

const (
	packGrain = 1 << 16 // values that one goroutine packs at a time
	packRate  = 4       // values that it packs in a nanosecond, about
)

// Mul computes C = A·B on the caller's goroutine: A [m, k] with row stride lda, whose
// rows may overlap (lda < k), C [m, n] with row stride ldc. C must not overlap A.
func (p *Packed) Mul(m int, a []float32, lda int, e Epilogue, c []float32, ldc int) {
	if m < 0 || m > 0 && p.k > 0 && (lda < 0 || (m-1)*lda+p.k > len(a)) ||
		!holds(m, p.n, len(c), ldc, false) || !e.fits(p.n) {
		panic(fmt.Sprintf("gemm.Packed.Mul: A [%d, %d] with stride %d in %d values times B [%d, %d] (%s) to %s in %d values",
			m, p.k, lda, len(a), p.k, p.n, e, describe("C", m, p.n, ldc, false), len(c)))
	}
	if m == 0 || p.n == 0 {
		return
	}
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	x := product{m: m, n: p.n, k: p.k, step: stepFor(p.k, kc), a: a, ars: lda, acs: 1, b: p.data, ldb: p.k * kernel.NR, layout: inPanels, c: c, ldc: ldc}
	w.multiply(x.with(e))
}

// MulTurns is Mul for an A whose columns lie in turns, all of B's rows in so many equal
// ones: element (r, p) is a[r*lda+p%k+p/k*turn] where a turn has k columns. B is
// expected to stay in the second-level cache.
func (p *Packed) MulTurns(m, turns int, a []float32, lda, turn int, bias, c []float32, ldc int) {
	k := p.k / max(1, turns)
	if m < 0 || turns < 1 || k*turns != p.k || k == 0 || lda < 0 || turn < 0 || m > 0 && (m-1)*lda+(turns-1)*turn+k > len(a) ||
		!holds(m, p.n, len(c), ldc, false) || bias != nil && len(bias) < p.n {
		panic(fmt.Sprintf("gemm.Packed.MulTurns: A [%d, %d turns] with strides %d, %d in %d values times B [%d, %d] (bias of %d values) to %s in %d values",
			m, turns, lda, turn, len(a), p.k, p.n, len(bias), describe("C", m, p.n, ldc, false), len(c)))
	}
	if m == 0 {
		return
	}
	t := cut(m)
	t.a, t.ars = a, lda
	for i := range t.count {
		lo, hi, from := t.tile(i)
		for j := 0; j < p.n; j += kernel.NR {
			kernel.MulTurns(hi-lo, min(kernel.NR, p.n-j), turns, k, from, lda, turn, p.data[j*p.k:], skip(bias, j), 0, c[lo*ldc+j:], ldc)
		}
	}
}

// MulTransA is Mul for a transposed A: it computes C = Aᵀ·B, for A stored as
// [k, m] with row stride lda, whose rows may overlap (lda < m).
func (p *Packed) MulTransA(m int, a []float32, lda int, accumulate bool, c []float32, ldc int) {
	if m < 0 || m > 0 && p.k > 0 && (lda < 0 || (p.k-1)*lda+m > len(a)) || !holds(m, p.n, len(c), ldc, false) {
		panic(fmt.Sprintf("gemm.Packed.MulTransA: A [%d, %d] stride %d in %d values, transposed, times B [%d, %d] to %s in %d values",
			p.k, m, lda, len(a), p.k, p.n, describe("C", m, p.n, ldc, false), len(c)))
	}
	if m == 0 || p.n == 0 {
		return
	}
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	x := product{m: m, n: p.n, k: p.k, step: stepFor(p.k, kc), a: a, ars: 1, acs: lda, b: p.data, ldb: p.k * kernel.NR, layout: inPanels, c: c, ldc: ldc}
	w.multiply(x.with(Epilogue{Accumulate: accumulate}))
}
