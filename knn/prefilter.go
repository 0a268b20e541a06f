package knn

import (
	"context"
	"math/bits"

	"lookalike/internal/f32"
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
	y := *x
	if c := x.coder(); c != nil && x.Len() > 0 {
		all := c.all()
		y.codes = &all
	}
	return &y
}

// codeQueries is the number of queries from which a matrix product is faster than filter.
const codeQueries = 64

// filter compares codes, and leaves the rows that they do not prove out. It takes
// the tiles in an order that jumps about: where neighbours of the query lie together,
// as in a folder, some of them are seen early.
func (x *Index) filter(ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) {
	w.dots, w.mask, w.scores = grow(w.dots, tileRows), grow(w.mask, tileRows/64), grow(w.scores, tileRows)
	tiles := (hi - lo + tileRows - 1) / tileRows
	jump := coprime(tiles)
	for i, at := 0, 0; i < tiles && ctx.Err() == nil; i, at = i+1, (at+jump)%tiles {
		row := lo + at*tileRows
		n := min(tileRows, hi-row)
		for j, q := range g.queries {
			if q.code == nil {
				scores := w.scores[:n]
				x.rowScores(q, scores, row)
				x.collect(&c[j], x.rowBounds(q, x.longest[row/tileRows]), scores, row, w.mask)
				continue
			}
			x.filterTile(q, &c[j], row, n, w.dots, w.mask)
		}
	}
}

// coprime returns a number near the golden section of n without a common divisor.
func coprime(n int) int {
	for jump := max(1, int(0.618*float64(n))); ; jump++ {
		a, b := n, jump
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return jump
		}
	}
}

func (x *Index) filterTile(q *query, c *collector, row, n int, dots []int32, mask []uint64) {
	coder := x.coder()
	blocks := (n + f32.CodeRows - 1) / f32.CodeRows
	dots, mask = dots[:blocks*f32.CodeRows], mask[:(n+63)/64]
	k := x.codes.from(coder, row)
	f32.CodeBounds(mask, dots, k.bytes[:blocks*coder.blockBytes()], k.rows[:blocks*3*f32.CodeRows], q.code.bounds, x.codeTest(q, c.limit))
	if tail := n % 64; tail > 0 {
		mask[n/64] &= 1<<tail - 1
	}
	for w, word := range mask {
		if x.keep != nil {
			word &= x.keep[row/64+w]
		}
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			constants := k.rows[i/f32.CodeRows*3*f32.CodeRows+i%f32.CodeRows:]
			low, high := x.codeInterval(q, dots[i], constants[0], constants[f32.CodeRows], constants[2*f32.CodeRows])
			c.add(row+i, low, high)
		}
	}
}
