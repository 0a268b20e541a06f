// Package gemm multiplies matrices of float32: cache blocking, packing and
// threads round the micro-kernel of package f32.
//
// Matrices are row-major with a row stride. Blocks of C are computed in parallel,
// each sum in ascending order of k by one goroutine, so results are the same bits
// whatever GOMAXPROCS is. NaN and infinity propagate: no zero is skipped.
//
// Shapes that do not fit are programming errors and panic.
package gemm

import (
	"fmt"
	"runtime"

	"lookalike/internal/parallel"
)

// Mul computes C = A·B: A is [m, k], or stored as [k, m] if transA; B is [k, n],
// or stored as [n, k] if transB; C is [m, n]; lda, ldb and ldc are the row strides
// of what is stored. bias, n values, is added to each row if it is not nil;
// accumulate adds to what C holds, which is not read otherwise; one of the two at
// most. C must not overlap the others.
func Mul(transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int, bias []float32, accumulate bool, c []float32, ldc int) {
	if !holds(m, k, len(a), lda, transA) || !holds(k, n, len(b), ldb, transB) || !holds(m, n, len(c), ldc, false) ||
		bias != nil && (accumulate || len(bias) < n) {
		panic(fmt.Sprintf("gemm.Mul: %s in %d values times %s in %d values (bias of %d values, accumulate %t) to %s in %d values",
			describe("A", m, k, lda, transA), len(a), describe("B", k, n, ldb, transB), len(b), len(bias), accumulate,
			describe("C", m, n, ldc, false), len(c)))
	}
	if m == 0 || n == 0 {
		return
	}
	x := product{m: m, n: n, k: k, step: stepFor(k), a: a, ars: lda, acs: 1, c: c, ldc: ldc}.startAt(bias, accumulate)
	if transA {
		x.ars, x.acs = 1, lda
	}
	switch {
	case m <= thinRows:
		thin(x, b, ldb, transB)
	case m <= mc && n >= 2*nc*runtime.GOMAXPROCS(0):
		wide(x, b, ldb, transB)
	default:
		narrow(x, b, ldb, transB)
	}
}

// wide cuts C, of few rows, by columns. Each part packs its own columns of B block
// by block, and uses a block while it is in cache.
func wide(x product, b []float32, ldb int, transB bool) {
	workers := runtime.GOMAXPROCS(0)
	parts := ceil(ceil(x.n, nc), workers) * workers
	parallel.Spans(x.n, ceil(ceil(x.n, parts), kernel.NR)*kernel.NR, func(lo, hi int) {
		w := workspaces.Get().(*workspace)
		defer workspaces.Put(w)
		part := x.columns(lo, hi)
		for p := 0; p == 0 || p < x.k; p += x.step {
			slab := part.slab(p, min(p+x.step, x.k))
			slab.stride = slab.k * kernel.NR
			w.b = grow(w.b, ceil(slab.n, kernel.NR)*slab.stride)
			slab.b = w.b
			kernel.Pack(slab.b, slab.stride, slab.k, slab.n, from(b, p, lo, ldb, transB), ldb, transB)
			block(slab, w.tilesOf(slab))
		}
	})
}

// narrow packs B once for all, a slab at a time that stays in the last-level cache,
// and cuts C by rows, and by columns too if there are few rows.
func narrow(x product, b []float32, ldb int, transB bool) {
	packed := packs.Get().(*Packed)
	defer packs.Put(packed)
	width := evenly(x.n, slabSize/4/kc, kernel.NR)
	depth := max(1, slabSize/4/width/x.step) * x.step
	for j := 0; j < x.n; j += width {
		columns := x.columns(j, min(j+width, x.n))
		for p := 0; p == 0 || p < x.k; p += depth {
			slab := columns.slab(p, min(p+depth, x.k))
			packed.Pack(slab.k, slab.n, from(b, p, j, ldb, transB), ldb, transB)
			slab.b, slab.stride = packed.data, slab.k*kernel.NR
			grid(slab)
		}
	}
}

// grid computes x in parallel.
func grid(x product) {
	work := float64(x.m) * float64(x.n) * float64(x.k)
	parts := max(1, int(min(float64(4*runtime.GOMAXPROCS(0)), work/partGrain)))
	height := min(evenly(x.m, ceil(x.m, parts), kernel.MR), mc)
	down := ceil(x.m, height)
	width := evenly(x.n, ceil(x.n, ceil(parts, down)), kernel.NR)
	across := ceil(x.n, width)
	parallel.For(down*across, func(i int) {
		w := workspaces.Get().(*workspace)
		defer workspaces.Put(w)
		r, c := i/across*height, i%across*width
		w.blocks(x.rows(r, min(r+height, x.m)).columns(c, min(c+width, x.n)))
	})
}

// partGrain is the number of multiplications from which another goroutine pays.
const partGrain = 1 << 19

// slabSize is the number of bytes of B that narrow packs at a time: a part of the
// last-level cache.
const slabSize = 4 << 20

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
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
