package gemm

import (
	"runtime"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
)

// thinRows is the number of rows of C up to which B is read in place: it is used
// too little to pay for packing.
const thinRows = 4

// thin computes x at the speed at which memory delivers B. Rows of C take turns at
// a part of B that the first of them has brought into cache.
func thin(x product) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	if x.layout == inColumns && x.acs != 1 {
		w.a = grow(w.a, x.m*x.k)
		for r := range x.m {
			for p := range x.k {
				w.a[r*x.k+p] = x.a[r*x.ars+p*x.acs]
			}
		}
		x.a, x.ars, x.acs = w.a, x.k, 1
	}
	parts := max(1, min(runtime.GOMAXPROCS(0), x.n*x.k/thinGrain))
	size := ceil(ceil(x.n, parts), kernel.NR) * kernel.NR
	parallel.Spans(x.n, size, func(lo, hi int) {
		part := x.columns(lo, hi)
		for r := range part.m {
			row := part.c[r*part.ldc:][:part.n]
			switch {
			case part.start == nil:
				clear(row)
			case part.lds == 0:
				copy(row, part.start)
			}
		}
		if part.layout == inColumns {
			part.addDots()
		} else {
			part.addThin()
		}
		part.finish()
	})
}

// addDots adds A·B to C, for a transposed B.
func (x product) addDots() {
	for j := range x.n {
		for r := range x.m {
			x.c[r*x.ldc+j] += f32.Dot(x.a[r*x.ars:][:x.k], x.b[j*x.ldb:][:x.k])
		}
	}
}

// addThin adds A·B to C, for B as it is stored. It sums step terms at a time from
// zero, as blocks does, so that a row comes out the same in whatever number of rows.
func (x product) addThin() {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	w.b = grow(w.b, x.m*x.n)
	for q := 0; q < x.k; q += x.step {
		clear(w.b)
		end := min(q+x.step, x.k)
		for j := 0; j < x.n; j += thinWidth {
			width := min(thinWidth, x.n-j)
			for p := q; p < end; p += thinDepth {
				k := min(thinDepth, end-p)
				for r := range x.m {
					f32.AddVecMat(w.b[r*x.n+j:][:width], k, skip(x.a, r*x.ars+p*x.acs), x.acs, x.b[p*x.ldb+j:], x.ldb)
				}
			}
		}
		for r := range x.m {
			f32.Axpy(x.c[r*x.ldc:][:x.n], 1, w.b[r*x.n:][:x.n])
		}
	}
}

const (
	thinGrain = 1 << 16 // multiplications of one row from which another goroutine pays
	thinDepth = 8       // the part of B that is in cache while rows of C take turns
	thinWidth = 4096
)
