// Package gemm multiplies matrices of float32: cache blocking, packing and
// threads round the micro-kernel of package f32.
//
// Matrices are row-major with a row stride. Blocks of C are computed in parallel,
// each sum in ascending order of k by one goroutine, so results are the same bits
// whatever GOMAXPROCS is. NaN and infinity propagate: no zero is skipped.
//
// Accuracy against float64, which the tests hold for every tier and layout: a value
// of C is off by at most k+2 times 2^-24 of the sum of its terms' magnitudes. Random
// terms stay far below, for their errors cancel. Where the processor multiplies parts of
// values (tile.Parts, which takes products of 96 rows and more), besides each value of A
// and B may be off by 2^-126, and where infinity is a term, or a sum overflows, NaN may
// come out for infinity.
//
// Shapes that do not fit are programming errors and panic.
package gemm

import (
	"fmt"
	"time"

	"lookalike/internal/parallel"
)

// Epilogue is what happens to a product's values besides the multiplication, while
// they are at hand.
type Epilogue struct {
	Bias       []float32              // n values, added to each row; or nil
	Accumulate bool                   // add to what C holds, which is not read otherwise; not with a bias
	Activate   func(values []float32) // then, in place, on parts of rows, each once, from several goroutines; or nil
}

func (e Epilogue) fits(n int) bool { return e.Bias == nil || !e.Accumulate && len(e.Bias) >= n }

func (e Epilogue) String() string {
	return fmt.Sprintf("bias of %d values, accumulate %t", len(e.Bias), e.Accumulate)
}

// Mul computes C = A·B: A is [m, k], or stored as [k, m] if transA; B is [k, n],
// or stored as [n, k] if transB; C is [m, n]; lda, ldb and ldc are the row strides
// of what is stored. C must not overlap the others.
func Mul(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, e Epilogue, c []float32, ldc int) {
	if !holds(m, k, len(a), lda, transA) || !holds(k, n, len(b), ldb, transB) || !holds(m, n, len(c), ldc, false) || !e.fits(n) {
		panic(fmt.Sprintf("gemm.Mul: %s in %d values times %s in %d values (%s) to %s in %d values",
			describe("A", m, k, lda, transA), len(a), describe("B", k, n, ldb, transB), len(b), e,
			describe("C", m, n, ldc, false), len(c)))
	}
	if m == 0 || n == 0 {
		return
	}
	depth := kc
	if mayPackAhead && !transB && m < fewRows {
		depth = min(kc, fewDeep)
	}
	x := product{m: m, n: n, k: k, step: stepFor(k, depth), a: a, ars: lda, acs: 1, b: b, ldb: ldb, c: c, ldc: ldc}.with(e)
	if transA {
		x.ars, x.acs = 1, lda
	}
	if transB {
		x.layout = inColumns
	}
	if m <= thinRows {
		thin(x)
	} else {
		blocks(x)
	}
}

// blocks computes x in parallel. C is cut by rows, if each goroutine gets enough
// tiles of them to pay for packing all of B for itself or if there is no other way,
// else by columns. Goroutines share nothing but what they read.
func blocks(x product) {
	long := alone(x.m, x.n, x.k)
	workers := max(1, min(parallel.Goroutines(long), int(float64(x.m)*float64(x.n)*float64(x.k)/partGrain)))
	tiles, panels := ceil(x.m, kernel.MR), ceil(x.n, kernel.NR)
	down, across := 1, 1
	if tiles >= partTiles*workers || panels < 2*workers {
		down = min(tiles, ceil(ceil(x.m, mc), workers)*workers)
	} else {
		width := partWidth
		if x.packsAhead() && !x.byParts() { // all but a part's first block
			width = max(width, partValues/x.m)
		}
		across = min(panels, ceil(ceil(x.n, width), workers)*workers)
	}
	divisions.For(down*across, long, division{x, down, across}, division.multiply)
}

// division is C cut into parts by rows and columns.
type division struct {
	product
	down, across int
}

var divisions parallel.Loop[division]

func (d division) multiply(i int) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	x, panels := d.product, ceil(d.n, kernel.NR)
	r, c := i/d.across, i%d.across
	part := x.rows(r*x.m/d.down, (r+1)*x.m/d.down).columns(c*panels/d.across*kernel.NR, min(x.n, (c+1)*panels/d.across*kernel.NR))
	if x.byParts() {
		w.multiplyParts(part)
	} else {
		w.multiply(part)
	}
}

// alone returns about how long one goroutine takes for a product: kernels do about as
// many multiplications a nanosecond as their tiles are wide.
func alone(m, n, k int) time.Duration {
	return time.Duration(float64(m) * float64(n) * float64(k) / float64(kernel.NR))
}

const (
	partGrain = 1 << 19 // multiplications from which another goroutine pays
	partTiles = 16      // tiles of rows that pay for packing B
	partWidth = 1536    // columns of C that stay in the last-level cache from slab to slab

	partValues = 1 << 20 // of C, which may be wider where blocks of B are packed ahead
)

// holds reports whether size values hold a matrix [rows, cols], or its transpose,
// with row stride ld.
func holds(rows, cols, size, ld int, trans bool) bool {
	if trans {
		rows, cols = cols, rows
	}
	if rows <= 0 || cols <= 0 {
		return rows >= 0 && cols >= 0
	}
	return ld >= cols && (rows-1)*ld+cols <= size
}

// describe gives a matrix's shape and layout, for panics.
func describe(name string, rows, cols, ld int, trans bool) string {
	if trans {
		return fmt.Sprintf("%s [%d, %d] stored transposed with stride %d", name, rows, cols, ld)
	}
	return fmt.Sprintf("%s [%d, %d] with stride %d", name, rows, cols, ld)
}

// from returns b from element (row, col) of the matrix it stores.
func from(b []float32, row, col, ld int, trans bool) []float32 {
	if trans {
		row, col = col, row
	}
	return b[min(len(b), row*ld+col):]
}

// ceil returns n/d, rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// grow returns a slice of n values, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
