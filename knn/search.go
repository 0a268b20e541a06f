package knn

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"

	"lookalike/internal/code8"
	"lookalike/internal/f32"
	"lookalike/internal/gemm"
	"lookalike/internal/memory"
)

// wanted says which rows belong to the result of a query.
type wanted struct {
	most   int
	radius float64
	after  int // of the first query; each next one's is greater by 1. -1 where all rows are wanted
}

// query is a vector to search for, and what is computed of it once.
type query struct {
	v      []float32
	scale  float64   // of Cosine: 1/length, 0 of a vector of zeros
	square float64   // |v|²
	length float64   // at least |v|
	factor []float32 // what rows are multiplied with: -v, for Cosine brought to length 1
	code   *codeQuery
}

const (
	// groupQueries is how many queries pass over the rows together in a matrix
	// product, roundQueries how many are prepared at a time.
	groupQueries = 256
	roundQueries = 16 * groupQueries

	// roundPart is the part of a memory limit that the queries of a round may take, copied.
	roundPart = 16

	// scanQueries is how many pass over the rows together one by one. From that
	// many, a product pays for arranging the rows.
	scanQueries = 8

	// scanBytes of vectors stay in the second-level cache while queries pass.
	scanBytes = 128 << 10
)

// workspace is what one goroutine needs for a pass.
type workspace struct {
	collectors []collector
	scores     []float32
	unit       []float32
	start      [tileRows]float32
	dots       []int32
	mask       []uint64
	passed     []candidate
	near       []int32   // rows that may be near queries
	picked     []float32 // their scores
	ends       []int     // of each query's
	rows       f32.Rows
	sums       [4]float32
	packed     gemm.Packed
	codes      codes // of a tile
	masks      []uint64
	first      []int32  // of the places whose masks wait, the first row
	wanted     []uint64 // and which of the rows may be found
	tests      []code8.Test
	tested     []float64 // limits that the tests are for
	together   together
	block      []uint8 // of codes
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// grow returns a slice of n values, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// atATime is how many queries are prepared at a time.
func (x *Index) atATime() int {
	each := 4 * x.Dim()
	return max(1, memory.Share(roundQueries*each, roundPart)/each)
}

// search cuts the work into groups of queries and, where these are few, into parts
// of the rows.
func (x *Index) search(ctx context.Context, queries [][]float32, w wanted) ([][]Neighbor, error) {
	found := make([][]Neighbor, len(queries))
	if w.most == 0 || x.Len() == 0 {
		for i := range found {
			found[i] = []Neighbor{}
		}
		return found, ctx.Err()
	}
	r := rounds.Get().(*round)
	defer rounds.Put(r)
	defer r.forget()
	if x.sieves(len(queries)) {
		x = r.coded(x)
	}
	most := x.atATime()
	count := (len(queries) + most - 1) / most
	size := (len(queries) + count - 1) / max(1, count)
	for at := 0; at < len(queries); at += size {
		end := min(at+size, len(queries))
		w := w
		if w.after >= 0 {
			w.after += at
		}
		r.find(ctx, x, queries[at:end], w, found[at:end])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return found, ctx.Err()
}

// rowBounds are the bounds of rowScores for rows of at most that length.
func (x *Index) rowBounds(q *query, longest float64) bounds {
	if x.metric != InnerProduct {
		return x.bounds
	}
	return ofProduct(0, 1, q.length*longest, 0, x.Dim(), x.Dim())
}

// rowScores computes scores of the rows from row on, one after the other.
func (x *Index) rowScores(q *query, scores []float32, row int) {
	d := x.Dim()
	rows := x.vectors.Data()[row*d:]
	if x.metric == Euclidean {
		f32.SquaredDistances(scores, q.v, rows, d)
		return
	}
	f32.Dots(scores, q.factor, rows, d)
	if x.metric == Cosine {
		for i := range scores {
			scores[i] *= narrow(x.scales[row+i])
		}
	}
}

// rowScore is rowScores of one row.
func (x *Index) rowScore(q *query, row int) float32 {
	if x.metric == Euclidean {
		return f32.SquaredDistance(q.v, x.row(row))
	}
	return x.scaled(row, f32.Dot(q.factor, x.row(row)))
}

// scaled makes a score of a product.
func (x *Index) scaled(row int, product float32) float32 {
	if x.metric == Cosine {
		return product * narrow(x.scales[row])
	}
	return product
}

// narrow returns the scale of a vector as float32, or NaN, which proves nothing, if
// the vector is so long or short that products with it may leave float32's range.
func narrow(scale float64) float32 {
	if scale != 0 && !(scale > 1e-15 && scale < 1e15) {
		return float32(math.NaN())
	}
	return float32(scale)
}

// scan reads the rows in order; each query passes over some of them in turn.
func (x *Index) scan(ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) {
	rows := max(1, scanBytes/4/x.Dim()/64) * 64
	w.scores, w.mask = grow(w.scores, rows), grow(w.mask, rows/64)
	for ; lo < hi && ctx.Err() == nil; lo += rows {
		scores := w.scores[:min(rows, hi-lo)]
		longest := slices.Max(x.longest[lo/tileRows : (lo+len(scores)-1)/tileRows+1])
		for i := range g.queries {
			q := &g.queries[i]
			x.rowScores(q, scores, lo)
			x.collect(&c[i], x.rowBounds(q, longest), w, scores, lo)
		}
	}
}

// collect offers the rows from row on, a multiple of 64, to a collector.
func (x *Index) collect(c *collector, b bounds, w *workspace, scores []float32, row int) {
	if c.limit == math.Inf(1) && x.keep == nil && row > c.after {
		c.begin(b, scores)
	}
	mask := w.mask[:(len(scores)+63)/64]
	f32.NotAbove(mask, scores, b.score(c.limit))
	w.near, w.picked = w.near[:0], w.picked[:0]
	for i, word := range mask {
		if x.keep != nil {
			word &= x.keep[row/64+i]
		}
		for ; word != 0; word &= word - 1 {
			at := i*64 + bits.TrailingZeros64(word)
			if row+at > c.after {
				w.near, w.picked = append(w.near, int32(row+at)), append(w.picked, scores[at])
			}
		}
	}
	c.offer(b, w.near, w.picked)
}

// depth is the number of values of each vector that are multiplied at a time: sums
// are short, and so are their rounding errors.
const depth = 256

// scoredQueries is how many queries' scores are made before they are looked at, where
// that is not every part of the values anew: they stay in the second-level cache.
const scoredQueries = 128

// multiply computes the scores of a tile of rows and all the queries as a matrix
// product: of |x|²/2 - q·x for Euclidean, which half the squared distance exceeds by
// |q|²/2, of -q·x for the others.
func (x *Index) multiply(ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) {
	const stride = tileRows + 16
	d := x.Dim()
	steps := (d + depth - 1) / depth
	step := (d + steps - 1) / steps
	some := len(g.queries)
	if steps == 1 {
		some = min(some, scoredQueries)
	}
	w.scores, w.mask = grow(w.scores, some*stride), grow(w.mask, tileRows/64)
	if x.metric == Cosine {
		w.unit = grow(w.unit, tileRows*step)
	}
	for ; lo < hi && ctx.Err() == nil; lo += tileRows {
		n := min(tileRows, hi-lo)
		var start []float32
		if x.metric == Euclidean {
			start = w.start[:n]
			for i := range start {
				var square float64
				for part := range slices.Chunk(x.row(lo+i), step) {
					square += float64(f32.Dot(part, part))
				}
				start[i] = float32(square / 2)
			}
		}
		for at := 0; at < len(g.queries); at += some {
			queries := g.queries[at:min(at+some, len(g.queries))]
			for k := 0; k < d; k += step {
				if at == 0 {
					x.pack(w, lo, n, k, min(step, d-k))
				}
				bias := start
				if k > 0 {
					bias = nil
				}
				w.packed.Mul(len(queries), g.factors[at*g.stride+k:], g.stride, gemm.Epilogue{Bias: bias, Accumulate: k > 0}, w.scores, stride)
			}
			for i := range queries {
				x.collect(&c[at+i], x.tileBounds(&queries[i], x.longest[lo/tileRows], step+steps, d), w, w.scores[i*stride:][:n], lo)
			}
		}
	}
}

// pack arranges for a product n rows from lo on, so many values from k on of each.
func (x *Index) pack(w *workspace, lo, n, k, width int) {
	if x.metric != Cosine {
		w.packed.Pack(width, n, x.vectors.Data()[lo*x.Dim()+k:], x.Dim(), true)
		return
	}
	unit := w.unit[:n*width]
	clear(unit)
	for i := range n {
		f32.Axpy(unit[i*width:][:width], narrow(x.scales[lo+i]), x.row(lo + i)[k:][:width])
	}
	w.packed.Pack(width, n, unit, width, true)
}

// tileBounds are the bounds of multiply's scores.
func (x *Index) tileBounds(q *query, longest float64, roundings, d int) bounds {
	switch x.metric {
	case Euclidean:
		return ofProduct(q.square, 2, q.length*longest, longest*longest/2, roundings, d)
	case Cosine:
		return ofProduct(1, 1, 1, 0, roundings, d)
	}
	return ofProduct(0, 1, q.length*longest, 0, roundings, d)
}

// sharpen puts better bounds in place of those from products or codes: nearest
// first, until the others are out.
func (x *Index) sharpen(q *query, c *collector) {
	const some = 64
	waiting := c.found
	if len(waiting) <= c.most || len(waiting) < some/2 {
		return
	}
	slices.SortFunc(waiting, func(a, b candidate) int { return cmp.Compare(a.low, b.low) })
	c.found, c.spare, c.nearest = c.spare[:0], waiting, c.nearest[:0]
	for i, w := range waiting {
		if w.low > c.limit {
			break
		}
		if w.distance == w.distance {
			c.found = append(c.found, w)
			continue
		}
		b, score := x.rowBounds(q, x.longest[w.row/tileRows]), x.rowScore(q, w.row)
		high := b.high(score)
		if !(high < w.high) {
			high = w.high
		}
		c.add(w.row, max(b.low(score), w.low), high)
		if i == c.most-1 || i%some == some-1 {
			c.tighten()
		}
	}
}

// keyOf returns the key of a distance, or a little more: a number that grows with
// the distance and that bounds are easily found for. It is the square of a Euclidean
// distance, and the others themselves.
func (x *Index) keyOf(distance float64) float64 {
	if x.metric == Euclidean {
		if distance < 0 {
			return -1
		}
		distance *= distance
	}
	return distance + math.Abs(distance)*1e-9
}

// finish computes distances as they are defined, and the keys of these: two rows
// of one distance have one key.
func (x *Index) finish(q *query, list []candidate) {
	four := exacts.Get().(*exactly)
	defer exacts.Put(four)
	for some := range slices.Chunk(list, len(four.rows)) {
		x.distances(q, some, four)
		for i, f := range some {
			key := f.distance
			if x.metric == Euclidean {
				key *= key
			}
			some[i].low, some[i].high = key, key
		}
	}
}

// exactly is what distances computes with.
type exactly struct {
	rows             f32.Rows
	factors, squares [4]float64
}

var exacts = sync.Pool{New: func() any { return new(exactly) }}

// distances computes those of up to four rows.
func (x *Index) distances(q *query, list []candidate, four *exactly) {
	if x.metric == InnerProduct {
		for i, f := range list {
			list[i].distance = -dot(q.v, x.row(f.row))
		}
		return
	}
	factor := 1.0
	for i := range four.rows {
		row := list[min(i, len(list)-1)].row
		four.rows[i], four.factors[i] = x.row(row), 1
		if x.metric == Cosine {
			factor, four.factors[i] = q.scale, x.scales[row]
		}
	}
	f32.SquaresInOrder(&four.squares, q.v, factor, &four.rows, &four.factors)
	for i := range list {
		switch {
		case x.metric == Euclidean:
			list[i].distance = math.Sqrt(four.squares[i])
		case factor == 0 || four.factors[i] == 0:
			list[i].distance = 1
		default:
			list[i].distance = four.squares[i] / 2
		}
	}
}
