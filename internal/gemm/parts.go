package gemm

import (
	"lookalike/internal/tile"
)

// parts multiplies parts of values, where the processor does that faster. A slab of A,
// partsRows by partsDepth, and a strip of B, partsDepth by partsCols, stay in the
// second-level cache once they are split; strips are wide, for memory is fast along
// rows. Products of fewer rows than partsFrom are not computed so: splitting B would
// take too large a part of their time. Thus a row comes out the same alone and in a
// small batch.
var parts = tile.MultiplyParts()

const (
	partsFrom  = 96
	partsRows  = 256
	partsDepth = 128
	partsCols  = 512
)

// byParts tells whether x, the whole product, is multiplied by parts.
func (x product) byParts() bool {
	return parts != nil && x.layout != inPanels && x.m >= partsFrom && x.n >= tile.PartsGroup && x.k >= tile.PartsDepth
}

// multiplyParts computes x as multiply does: the rows of A in blocks, of each a slab at
// a time, by strips of B.
func (w *workspace) multiplyParts(x product) {
	height := evenly(x.m, partsRows, tile.PartsGroup)
	for i := 0; i < x.m; i += height {
		rows := x.rows(i, min(i+height, x.m))
		for p := 0; p < x.k; p += partsDepth {
			slab := rows.slab(p, min(p+partsDepth, x.k))
			w.partsA = grow(w.partsA, tile.PartsSize(slab.m, slab.k))
			parts.SplitA(w.partsA, slab.m, slab.k, slab.a, max(x.ars, x.acs), x.acs != 1)
			for j := 0; j < x.n; j += partsCols {
				w.strip(slab.columns(j, min(j+partsCols, x.n)))
			}
		}
	}
}

// strip computes x, whose A has been split, and finishes it.
func (w *workspace) strip(x product) {
	w.partsB = grow(w.partsB, tile.PartsSize(x.n, x.k))
	parts.SplitB(w.partsB, x.k, x.n, x.b, x.ldb, x.layout == inColumns)
	for i := 0; i < x.m; i += tile.PartsGroup {
		rows := min(tile.PartsGroup, x.m-i)
		parts.Mul(rows, x.n, x.k, w.partsA[tile.PartsSize(i, x.k):], w.partsB, skip(x.start, i*x.lds), x.lds, x.c[i*x.ldc:], x.ldc)
	}
	x.finish()
}
