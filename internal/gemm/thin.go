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
func thin(x product, b []float32, ldb int, transB bool) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	if transB && x.acs != 1 {
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
		if transB {
			for j := range part.n {
				for r := range part.m {
					part.c[r*part.ldc+j] += f32.Dot(part.a[r*part.ars:][:part.k], b[(lo+j)*ldb:][:part.k])
				}
			}
			return
		}
		for p := 0; p < part.k; p += thinDepth {
			k := min(thinDepth, part.k-p)
			for j := 0; j < part.n; j += thinWidth {
				width := min(thinWidth, part.n-j)
				for r := range part.m {
					f32.AddVecMat(part.c[r*part.ldc+j:][:width], k, skip(part.a, r*part.ars+p*part.acs), part.acs, b[p*ldb+lo+j:], ldb)
				}
			}
		}
	})
}

const (
	thinGrain = 1 << 16 // multiplications of one row from which another goroutine pays
	thinDepth = 8       // the part of B that is in cache while rows of C take turns
	thinWidth = 2048
)
