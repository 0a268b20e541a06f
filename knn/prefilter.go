package knn

import (
	"cmp"
	"math/bits"
	"slices"

	"lookalike/internal/code8"
)

// Prefiltered returns an index that keeps the vectors in 8 bits a value too, and so
// answers few queries sooner: it reads a quarter of the memory, proves most vectors
// to be too far away, and computes only the others in full. The results are the
// same. It costs d + 12 bytes a vector, where d is the dimension rounded up to a
// multiple of 4; x itself stays as it is and shares the vectors.
//
// Making it takes about as long as some tens of queries. Vectors of more than 65,536
// values are searched as without it.
func (x *Index) Prefiltered() *Index {
	y := *x.must("Prefiltered")
	if c := x.coder(); c != nil && x.Len() > 0 {
		all := c.all(codes{})
		y.codes = &all
	}
	return &y
}

// filterQueries is the number of queries from which a matrix product is faster than
// testing them one by one.
const filterQueries = 64

// filterTile tests the codes of the rows of a tile, or of fewer, with one query. Rows that
// pass are computed in full, those first that codes say are near: they lower the
// limit, and the others may be out by then.
func (x *Index) filterTile(q *query, c *collector, w *workspace, k codes, row, end int) {
	n := end - row
	blocks := (n + code8.Rows - 1) / code8.Rows
	w.dots, w.mask = grow(w.dots, tileRows), grow(w.mask, tileRows/64)
	if q.code == nil {
		w.scores = grow(w.scores, tileRows)
		x.rowScores(q, w.scores[:n], row)
		x.collect(c, x.rowBounds(q, x.longest[row/tileRows]), w, w.scores[:n], row)
		return
	}
	dots, mask := w.dots[:blocks*code8.Rows], w.mask[:(n+63)/64]
	code8.Bounds(mask, dots, k.bytes[:blocks*x.coder().blockBytes()], k.rows[:blocks*3*code8.Rows], q.code.bounds, x.codeTest(q, c.limit, slices.Max(k.sizes[:blocks])))
	if tail := n % 64; tail > 0 {
		mask[n/64] &= 1<<tail - 1
	}
	w.passed = w.passed[:0]
	for i, word := range mask {
		if x.keep != nil {
			word &= x.keep[row/64+i]
		}
		for ; word != 0; word &= word - 1 {
			at := i*64 + bits.TrailingZeros64(word)
			constants := k.rows[at/code8.Rows*3*code8.Rows+at%code8.Rows:]
			low := x.codeLow(q, dots[at], constants[0], constants[code8.Rows], constants[2*code8.Rows])
			if low <= c.limit && row+at > c.after {
				w.passed = append(w.passed, candidate{row: row + at, low: low})
			}
		}
	}
	slices.SortFunc(w.passed, func(a, b candidate) int { return cmp.Compare(a.low, b.low) })
	b := x.rowBounds(q, x.longest[row/tileRows])
	for _, f := range w.passed {
		if f.low > c.limit {
			break
		}
		score := x.rowScore(q, f.row)
		c.add(f.row, max(b.low(score), f.low), b.high(score))
	}
}
