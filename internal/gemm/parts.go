package gemm

import "lookalike/internal/f32"

// parts multiplies parts of values, where the processor does that faster. A slab of A,
// partsRows by partsDepth, and a strip of B, partsDepth by partsCols, stay in the
// second-level cache once they are split; strips are wide, for memory is fast along
// rows. Products of fewer rows than partsFrom are not computed so: splitting B would
// take too large a part of their time. Thus a row comes out the same alone and in a
// small batch.
var parts = f32.MultiplyParts()

const (
	partsFrom  = 96
	partsRows  = 256
	partsDepth = 128
	partsCols  = 512
)

// byParts tells whether x, the whole product, is multiplied by parts.
func (x product) byParts() bool {
	return parts != nil && x.layout != inPanels && x.m >= partsFrom && x.n >= f32.PartsGroup && x.k >= f32.PartsDepth
}

// multiplyParts computes x as multiply does: the rows of A in blocks, of each a slab at
// a time, by strips of B.
func (w *workspace) multiplyParts(x product) {
	height := evenly(x.m, partsRows, f32.PartsGroup)
	for i := 0; i < x.m; i += height {
		rows := x.rows(i, min(i+height, x.m))
		for p := 0; p < x.k; p += partsDepth {
			slab := rows.slab(p, min(p+partsDepth, x.k))
			w.partsA = grow(w.partsA, f32.PartsSize(slab.m, slab.k))
			parts.SplitA(w.partsA, slab.m, slab.k, slab.a, max(x.ars, x.acs), x.acs != 1)
			for j := 0; j < x.n; j += partsCols {
				w.strip(slab.columns(j, min(j+partsCols, x.n)))
			}
		}
	}
}

// strip computes x, whose A has been split, and finishes it.
func (w *workspace) strip(x product) {
	w.partsB = grow(w.partsB, f32.PartsSize(x.n, x.k))
	parts.SplitB(w.partsB, x.k, x.n, x.b, x.ldb, x.layout == inColumns)
	for i := 0; i < x.m; i += f32.PartsGroup {
		rows := min(f32.PartsGroup, x.m-i)
		parts.Mul(rows, x.n, x.k, w.partsA[f32.PartsSize(i, x.k):], w.partsB, skip(x.start, i*x.lds), x.lds, x.c[i*x.ldc:], x.ldc)
	}
	x.finish()
}
