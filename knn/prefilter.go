package knn

import (
	"context"
	"math"
	"math/bits"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
)

// codes are vectors in 8 bits a value: y = x - center, for Cosine of x brought to
// length 1, is about scale·z with whole numbers z from -127 to 127, and off by
// the length of the residual y - scale·z, which is known. Likewise for a query: p = q -
// center is about t·w, with a residual of length e. By the triangle inequality, the
// distance |x-q| = |y-p| differs from |scale·z - t·w| by at most residual + e, and
//
//	|scale·z - t·w|² = |scale·z|² + |t·w|² - 2·scale·t·(z·w)
//
// where z·w is a product of whole numbers, exact. For InnerProduct, where p is q
// itself,
//
//	q·x = q·center + q·y,  |q·y - scale·t·(z·w)| <= |q|·residual + e·|scale·z|
//
// for q·y - (t·w)·(scale·z) = q·(y - scale·z) + (q - t·w)·(scale·z).
type codes struct {
	groups int       // of values of a vector
	bytes  []uint8   // blocks of f32.CodeRows vectors, as f32.CodeBounds reads them
	rows   []float32 // |scale·z|²-residual² rounded down, scale, residual rounded up
	center []float32
	tiles  []codeTile
}

// codeTile has what no vector of a tile exceeds.
type codeTile struct {
	size, residual float64 // |scale·z|, and the length of the residual
}

// maxCoded is the largest dimension whose products of codes fit in 32 bits.
const maxCoded = 1 << 16

// codeQueries is the number of queries from which a matrix product is faster.
const codeQueries = 64

// Prefiltered returns an index that keeps the vectors in 8 bits a value too, and so
// answers few queries sooner: it reads a quarter of the memory, proves most vectors
// to be too far away, and computes only the others in full. The results are the
// same. It costs d + 12 bytes a vector, where d is the dimension rounded up to a
// multiple of 4; x itself stays as it is and shares the vectors.
//
// Making it takes about as long as some tens of queries. Vectors of more than 65,536
// values are searched as without it, and so are many queries at a time.
func (x *Index) Prefiltered() *Index {
	y := *x
	if d := x.Dim(); d <= maxCoded && x.Len() > 0 {
		y.codes = newCodes(x)
	}
	return &y
}

func newCodes(x *Index) *codes {
	n, d := x.Len(), x.Dim()
	c := &codes{groups: (d + f32.CodeGroup - 1) / f32.CodeGroup, center: center(x), tiles: make([]codeTile, x.tiles())}
	blocks := (n + f32.CodeRows - 1) / f32.CodeRows
	c.bytes = make([]uint8, blocks*c.blockBytes())
	c.rows = make([]float32, blocks*3*f32.CodeRows)
	parallel.For(x.tiles(), func(tile int) {
		y, z := make([]float64, d), make([]int8, d)
		most := &c.tiles[tile]
		for row := tile * tileRows; row < min(n, (tile+1)*tileRows); row++ {
			factor := 1.0
			if x.metric == Cosine {
				factor = x.scales[row]
			}
			for i, v := range x.vectors.Row(row) {
				y[i] = float64(v)*factor - float64(c.center[i])
			}
			s := quantize(y, z)
			if x.metric == Cosine {
				s.residual += 1e-10 // what the length may be off 1
				if factor == 0 {
					s.residual += 4 // the distance 1 of a vector of zeros has no place here
				}
			}
			block, r := row/f32.CodeRows, row%f32.CodeRows
			for i, code := range z {
				c.bytes[block*c.blockBytes()+i/f32.CodeGroup*f32.CodeRows*f32.CodeGroup+r*f32.CodeGroup+i%f32.CodeGroup] = uint8(int(code) + 128)
			}
			residual := above(s.residual)
			constants := c.rows[block*3*f32.CodeRows+r:]
			constants[0] = -above(float64(residual)*float64(residual) - s.square)
			constants[f32.CodeRows] = s.scale
			constants[2*f32.CodeRows] = residual
			most.size = max(most.size, math.Sqrt(s.square)*(1+1e-9))
			most.residual = max(most.residual, float64(residual))
		}
	})
	return c
}

func (c *codes) blockBytes() int { return c.groups * f32.CodeGroup * f32.CodeRows }

// center returns about the mean of the vectors. Any vector is a right one; the nearer
// to all, the smaller the residuals.
func center(x *Index) []float32 {
	const sample = 1024
	n, d := x.Len(), x.Dim()
	sums, center := make([]float64, d), make([]float32, d)
	count := min(n, sample)
	for i := range count {
		row := i * n / count
		factor := 1 / float64(count)
		if x.metric == Cosine {
			factor *= x.scales[row]
		}
		for j, v := range x.vectors.Row(row) {
			sums[j] += float64(v) * factor
		}
	}
	for j, sum := range sums {
		center[j] = float32(sum)
	}
	return center
}

// quantized says how well a vector is given by scale·z.
type quantized struct {
	scale    float32
	square   float64 // |scale·z|²
	residual float64 // at least the length of what is missing
}

// quantize sets z to the whole numbers that are nearest to y/scale.
func quantize(y []float64, z []int8) quantized {
	most := 0.0
	for _, v := range y {
		most = max(most, math.Abs(v))
	}
	q := quantized{scale: float32(min(most/127, huge))}
	var squares int64
	inverse := 0.0
	if q.scale > 0 {
		inverse = 1 / float64(q.scale)
	}
	for i, v := range y {
		code := math.RoundToEven(min(max(v*inverse, -127), 127))
		z[i] = int8(code)
		squares += int64(code) * int64(code)
		r := v - code*float64(q.scale)
		q.residual += r * r
	}
	q.square = float64(squares) * float64(q.scale) * float64(q.scale)
	q.residual = math.Sqrt(q.residual)*(1+1e-9) + most*1e-12
	return q
}

// codeQuery is a query as codes.
type codeQuery struct {
	quantized
	codes f32.CodeQuery
	base  float64 // of InnerProduct: -q·center
}

// newQuery returns nil if the codes are of no use for the query.
func (c *codes) newQuery(q *query, metric Metric) *codeQuery {
	p := make([]float64, len(q.v))
	z := make([]int8, c.groups*f32.CodeGroup)
	k := &codeQuery{}
	for i, v := range q.v {
		switch p[i] = float64(v); metric {
		case Cosine:
			p[i] = p[i]*q.scale - float64(c.center[i])
		case Euclidean:
			p[i] -= float64(c.center[i])
		default:
			k.base -= p[i] * float64(c.center[i])
		}
	}
	if metric == Cosine && q.scale == 0 {
		return nil
	}
	k.quantized = quantize(p, z[:len(p)])
	if metric == Cosine {
		k.residual += 1e-10
	}
	k.codes = f32.NewCodeQuery(z)
	return k
}

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
	blocks := (n + f32.CodeRows - 1) / f32.CodeRows
	first := row / f32.CodeRows
	dots, mask = dots[:blocks*f32.CodeRows], mask[:(n+63)/64]
	bytes := x.codes.bytes[first*x.codes.blockBytes():][:blocks*x.codes.blockBytes()]
	rows := x.codes.rows[first*3*f32.CodeRows:][:blocks*3*f32.CodeRows]
	test := x.codeTest(q, x.codes.tiles[row/tileRows], c.limit)
	f32.CodeBounds(mask, dots, bytes, rows, q.code.codes, test.k, test.limit)
	if tail := n % 64; tail > 0 {
		mask[n/64] &= 1<<tail - 1
	}
	for w, word := range mask {
		if x.keep != nil {
			word &= x.keep[row/64+w]
		}
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			constants := rows[i/f32.CodeRows*3*f32.CodeRows+i%f32.CodeRows:]
			low, high := x.codeInterval(q, dots[i], constants[0], constants[f32.CodeRows], constants[2*f32.CodeRows])
			c.add(row+i, low, high)
		}
	}
}

// codeTest is what f32.CodeBounds compares.
type codeTest struct {
	k     [3]float32
	limit float32
}

// codeTest returns the comparison that is true, in float32, of all rows of a tile
// whose key may be at most limit. For Euclidean such a row has, θ being the limit's
// distance plus e,
//
//	|scale·z - t·w| <= θ + residual, or
//	(|scale·z|² - residual²) - 2·t·(scale·(z·w)) - 2·θ·residual <= θ² - |t·w|²
//
// of which no term is more than most below. Less than 16 roundings are made.
func (x *Index) codeTest(q *query, tile codeTile, limit float64) codeTest {
	p := q.code
	all := codeTest{limit: float32(math.Inf(1))}
	if x.metric == InnerProduct {
		most := q.length*(tile.size+tile.residual)*2 + math.Abs(p.base) + math.Abs(limit)
		if !(most <= huge) {
			return all
		}
		return codeTest{[3]float32{0, p.scale, above(q.length)}, above(limit - p.base + p.residual*tile.size + 32*unit*most + 1e-36)}
	}
	if x.metric == Cosine {
		limit *= 2
	}
	theta := math.Sqrt(max(0, limit))*(1+1e-12) + p.residual
	most := tile.size*tile.size + p.square + (theta+tile.residual)*(theta+tile.residual)
	if !(most <= huge) {
		return all
	}
	return codeTest{[3]float32{1, 2 * p.scale, above(2 * theta)}, above(theta*theta - p.square + 32*unit*most + 1e-36)}
}

// codeInterval returns bounds of a row's key from its codes' product with a query's.
func (x *Index) codeInterval(q *query, dot int32, less, scale, residual float32) (low, high float64) {
	p, r := q.code, float64(residual)
	if !(math.Abs(float64(less)) < huge/2) {
		return math.Inf(-1), math.Inf(1)
	}
	size := float64(less) + r*r // |scale·z|², rounded down by no more than slack
	slack := 4 * unit * (math.Abs(float64(less)) + 1e-37)
	product := float64(scale) * float64(p.scale) * float64(dot)
	if x.metric == InnerProduct {
		off := q.length*r + p.residual*math.Sqrt(max(0, size+slack)) + 1e-9*(math.Abs(product)+math.Abs(p.base))
		return p.base - product - off, p.base - product + off
	}
	square := size + p.square - 2*product
	slack += 1e-9 * (math.Abs(size) + p.square)
	off := r + p.residual
	low = max(0, math.Sqrt(max(0, square-slack))-off) * (1 - 1e-12)
	high = (math.Sqrt(max(0, square+slack)) + off) * (1 + 1e-12)
	low, high = low*low, high*high
	if x.metric == Cosine {
		low, high = low/2-1e-12, high/2+1e-12
	}
	return low, high
}
