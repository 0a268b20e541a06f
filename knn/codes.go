package knn

import (
	"math"
	"time"

	"lookalike/internal/code8"
	"lookalike/internal/parallel"
)

// codes are vectors in 8 bits a value: y = x - center, for Cosine of x brought to
// length 1, is about scale·z with whole numbers z from -127 to 127, and off by a
// residual y - scale·z no longer than radius. Likewise for a query: p = q - center is
// about t·w, with a residual of length e. By the triangle inequality, the distance
// |x-q| = |y-p| differs from |scale·z - t·w| by at most radius + e, and
//
//	|scale·z - t·w|² = |scale·z|² + |t·w|² - 2·scale·t·(z·w)
//
// where z·w is a product of whole numbers, exact. That is the better bound near the
// query. Far from it, as all is in noise, it is
//
//	|x-q|² = |y|² + |p|² - 2·p·y,  |p·y - scale·t·(z·w)| <= |p|·radius + e·|scale·z|
//
// for p·y - (t·w)·(scale·z) = p·(y - scale·z) + (p - t·w)·(scale·z): where y and p are at
// right angles |p| and |y| are shorter than |y-p| by √2. For InnerProduct, where p is q
// itself, q·x = q·center + p·y.
type codes struct {
	bytes []uint8 // blocks of code8.Rows vectors, as code8.Make writes them

	// Of each block, keep, scale and radius of its vectors, for code8.Test. Keep is
	// the lesser of |scale·z|² - radius² and |y|², so that it serves either bound, for
	// InnerProduct -|scale·z|, rounded down and lowered by what a test in float32 may be
	// off; it is minus infinity, and the others 0, for vectors that codes say nothing about.
	rows []float32

	sizes []float64 // of each block, at least the greatest |scale·z|
}

// coder makes codes.
type coder struct {
	x      *Index
	groups int // of values of a vector
	center []float32
	origin []float32 // zeros
	gamma  float64   // relative error of sums
}

// maxCoded is the largest dimension whose products of codes fit in 32 bits.
const maxCoded = 1 << 16

// newCoder returns nil if vectors are too long for codes.
func newCoder(x *Index) *coder {
	if x.Dim() > maxCoded {
		return nil
	}
	return &coder{x, (x.Dim() + code8.Group - 1) / code8.Group, center(x), make([]float32, x.Dim()), 2 * gamma(code8.Rounds(x.Dim()))}
}

// center returns about the mean of the vectors. Any vector is a right one; the nearer
// to all, the smaller the residuals.
func center(x *Index) []float32 {
	n, d := x.Len(), x.Dim()
	sums, center := make([]float64, d), make([]float32, d)
	count := min(n, max(64, min(1024, (1<<18)/d)))
	for i := range count {
		row := i * n / count
		factor := 1 / float64(count)
		if x.metric == Cosine {
			factor *= x.scales[row]
		}
		for j, v := range x.row(row) {
			sums[j] += float64(v) * factor
		}
	}
	for j, sum := range sums {
		center[j] = float32(min(max(sum, -huge), huge))
	}
	return center
}

func (c *coder) rowBytes() int   { return c.groups * code8.Group }
func (c *coder) blockBytes() int { return c.rowBytes() * code8.Rows }

// room returns codes of n vectors, not made yet, in k's memory if it is enough; whole
// tiles of code8.Sieve.
func (c *coder) room(k codes, n int) codes {
	blocks := (n + code8.SieveRows - 1) / code8.SieveRows * (code8.SieveRows / code8.Rows)
	return codes{grow(k.bytes, blocks*c.blockBytes()), grow(k.rows, blocks*3*code8.Rows), grow(k.sizes, blocks)}
}

// all makes codes of all vectors, in k's memory if it is enough.
func (c *coder) all(k codes) codes {
	k = c.room(k, c.x.Len())
	codings.For(c.x.tiles(), time.Duration(c.x.Len()*c.x.Dim()/4), allCodes{c, k}, allCodes.tile)
	return k
}

// allCodes are codes that are made tile by tile.
type allCodes struct {
	*coder
	codes
}

var codings parallel.Loop[allCodes]

func (a allCodes) tile(i int) {
	row := i * tileRows
	a.make(a.from(a.coder, row), row, min(a.x.Len(), row+tileRows))
}

// from returns the codes from a row on, the first of a block.
func (k codes) from(c *coder, row int) codes {
	block := row / code8.Rows
	return codes{k.bytes[block*c.blockBytes():], k.rows[block*3*code8.Rows:], k.sizes[block:]}
}

// make makes the codes of the vectors from lo up to hi.
func (c *coder) make(k codes, lo, hi int) {
	d, values := c.x.Dim(), c.x.vectors.Data()
	var factors [code8.Rows]float32
	var made [code8.Rows]code8.Coded
	for ; lo < hi; lo += code8.Rows {
		n := min(code8.Rows, hi-lo)
		for r := range n {
			factors[r] = 1
			if c.x.metric == Cosine {
				factors[r] = narrow(c.x.scales[lo+r])
			}
		}
		code8.Make(made[:], k.bytes, values[lo*d:], d, factors[:n], c.center)
		k.sizes[0] = 0
		for r := range n {
			var size float64
			k.rows[r], k.rows[code8.Rows+r], k.rows[2*code8.Rows+r], size = c.constants(made[r], factors[r])
			k.sizes[0] = max(k.sizes[0], size)
		}
		k.bytes, k.rows, k.sizes = k.bytes[c.blockBytes():], k.rows[3*code8.Rows:], k.sizes[1:]
	}
}

// Largest magnitude in a vector that codes are of use for: sums of squares stay
// in float32's range.
const mostCoded = 1e15

// rounded is more than the rounding errors of a test in float32 add up to, as a part
// of its terms.
const rounded = 64 * unit

// describes tells whether codes of a vector are of use.
func (c *coder) describes(m code8.Coded, factor float32) bool {
	return m.Most < mostCoded && !(c.x.metric == Cosine && factor == 0) // zeros have no place among directions
}

// measures are bounds of lengths: of scale·z from below and above, of the residual, of
// |y|² from below; and what y is off in float32.
type measures struct{ least, size, residual, square, off float64 }

// measure bounds what code8.Make, computing in float32, says of a vector. Its sums of
// squares have a relative error of at most gamma, and what is squared is off by a
// rounding or two of the values that it is the difference of, which are not longer than
// scale·z, the residual and, for Cosine, x.
func (c *coder) measure(m code8.Coded) measures {
	d, g := float64(c.x.Dim()), c.gamma
	size := float64(m.Scale) * math.Sqrt(float64(m.Squares))
	residual := math.Sqrt(float64(m.Residual)*(1+g) + d*tiny)
	off := 8*unit*(residual+size*(1+g)) + d*tiny
	if c.x.metric == Cosine {
		off += 8*unit + 1e-10 // 1e-10: what the length may be off 1
	}
	residual, size = residual+off, size*(1+g)
	square := float64(m.Length)*(1-g) - d*tiny - 2*off*(size+residual) // (|y| - off)² at most
	return measures{size * (1 - 2*g), size, residual, max(0, square), off}
}

// constants returns the keep, scale and radius of a vector, and at least |scale·z|.
func (c *coder) constants(made code8.Coded, factor float32) (keep, scale, radius float32, size float64) {
	if !c.describes(made, factor) {
		return float32(math.Inf(-1)), 0, 0, 0
	}
	m := c.measure(made)
	if c.x.metric == InnerProduct {
		return -above(m.size), made.Scale, above(m.residual + rounded*(m.size+m.residual)), m.size
	}
	radius = above(m.residual)
	r := float64(radius)
	keeps := min(m.least*m.least-r*r, m.square)
	return -above(rounded*(m.size*m.size+r*r) - keeps), made.Scale, radius, m.size
}

// codeQuery is a query as codes.
type codeQuery struct {
	z                []int8
	bounds           code8.Query // for code8.Bounds
	scale            float32
	square, residual float64 // at most |t·w|², and the length e
	least, most      float64 // |p|² is at least this, |p| at most that
	base             float64 // of InnerProduct: -q·center
}

// encode makes the codes of a query, kept in z, and returns false if they are of no
// use for it. block has room for a block of codes.
func (c *coder) encode(k *codeQuery, q *query, z []int8, block []uint8) bool {
	*k = codeQuery{z: z, bounds: k.bounds}
	center, factors := c.center, []float32{1}
	switch c.x.metric {
	case Cosine:
		factors[0] = narrow(q.scale)
	case InnerProduct:
		center, k.base = c.origin, -dot(q.v, c.center)
	}
	var made [1]code8.Coded
	code8.Make(made[:], block, q.v, c.x.Dim(), factors, center)
	if !c.describes(made[0], factors[0]) || !(math.Abs(k.base) < huge) {
		return false
	}
	m := c.measure(made[0])
	k.scale, k.square, k.residual, k.least = made[0].Scale, m.least*m.least, m.residual, m.square
	k.most = math.Sqrt(float64(made[0].Length)*(1+c.gamma)+float64(c.x.Dim())*tiny) + m.off
	for i := range c.x.Dim() {
		z[i] = int8(block[i/code8.Group*code8.Group*code8.Rows+i%code8.Group] - 128)
	}
	clear(z[c.x.Dim():])
	return true
}

// codeTest returns the test that all rows pass whose key may be at most limit and
// whose |scale·z| is at most size. For Euclidean such a row has, θ being the limit's
// distance plus e,
//
//	|scale·z - t·w| <= θ + radius, or
//	(|scale·z|² - radius²) - 2·t·(scale·(z·w)) - 2·θ·radius <= θ² - |t·w|²
//
// and
//
//	|y|² - 2·t·(scale·(z·w)) - 2·|p|·radius <= limit - |p|² + 2·e·size
//
// The test is the one that fewer rows pass whose radius is about e.
func (x *Index) codeTest(q *query, limit, size float64) code8.Test {
	p := q.code
	if p == nil || !(limit < huge) {
		return code8.Test{Limit: float32(math.Inf(1))}
	}
	if x.metric == InnerProduct {
		limit = max(limit, -huge)
		return code8.Test{Keep: above(p.residual), Product: p.scale, Radius: above(q.length),
			Limit: above(limit - p.base + rounded*(math.Abs(limit)+math.Abs(p.base)) + 1e-36)}
	}
	if x.metric == Cosine {
		limit *= 2
	}
	theta := math.Sqrt(max(0, limit))*(1+1e-12) + p.residual
	radius, most := theta, theta*theta-p.square+rounded*(theta*theta+p.square)
	if far := limit - p.least + 2*p.residual*size + rounded*(math.Abs(limit)+p.most*p.most+p.square+2*p.residual*size); far+2*p.most*p.residual < most+2*theta*p.residual {
		radius, most = p.most, far
	}
	return code8.Test{Keep: 1, Product: 2 * p.scale, Radius: above(2 * radius), Limit: above(most + 1e-36)}
}

// codeLow returns what a row's key is at least, from its codes' product with a query's.
func (x *Index) codeLow(q *query, dot int32, keep, scale, radius float32) float64 {
	p, r := q.code, float64(radius)
	if math.IsInf(float64(keep), -1) {
		return math.Inf(-1)
	}
	product := float64(scale) * float64(p.scale) * float64(dot)
	if x.metric == InnerProduct {
		off := q.length*r - p.residual*float64(keep) + 1e-9*(math.Abs(product)+math.Abs(p.base)) + 1e-36
		return p.base - product - off
	}
	size := float64(keep) + r*r // at most |scale·z|²
	square := size + p.square - 2*product
	square -= 1e-9*(math.Abs(size)+p.square) + 1e-36
	low := max(0, math.Sqrt(max(0, square))-r-p.residual) * (1 - 1e-12)
	if x.metric == Cosine {
		return low*low/2 - 1e-12
	}
	return low * low
}
