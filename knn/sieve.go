package knn

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"lookalike/internal/f32"
)

const (
	// sieveQueries is how many queries pass over codes together. Codes are made for
	// each pass, so there should be many; the queries' own codes should stay in the
	// second-level cache.
	sieveQueries = 1020

	// From so many queries on a sieve is faster than other ways, if codes are there
	// already, and if they must be made.
	sieveFewest       = 8
	sieveFewestMaking = 48

	// firstRows are multiplied, of long vectors, before there are limits to test codes with.
	firstRows = 128

	// crowdTiles is how many tiles are multiplied at most after one where many rows passed.
	crowdTiles = 16
)

// sieving is what the goroutines share that sieve for a group of queries.
type sieving struct {
	codes  *f32.CodeQueries // nil if they are tested one by one
	next   atomic.Int64     // the tile that is taken next
	once   sync.Once        // for what follows, of each query; nothing for a goroutine alone
	limits []atomic.Uint64  // the least that anybody has found
	known  []known
}

// known is what goroutines tell each other of a query.
type known struct {
	sync.Mutex
	nearest []float64 // as a collector has them, of the rows of all
}

func newSieving(g *group, c *coder, together bool) *sieving {
	s := &sieving{}
	if !together {
		return s
	}
	s.codes = f32.NewCodeQueries(len(g.queries), c.x.Dim())
	for i, q := range g.queries {
		if q.code != nil {
			s.codes.Set(i, q.code.z)
		}
	}
	return s
}

// share makes several goroutines tell each other what they know.
func (s *sieving) share(n int, limit float64) {
	s.once.Do(func() {
		s.known, s.limits = make([]known, n), make([]atomic.Uint64, n)
		for i := range s.limits {
			s.limits[i].Store(math.Float64bits(limit))
		}
	})
}

// publish tells the others of what a collector has found since it did so last.
func (s *sieving) publish(i int, c *collector) {
	if s.known == nil {
		return
	}
	k := &s.known[i]
	k.Lock()
	defer k.Unlock()
	for _, high := range c.fresh {
		k.nearest = insert(k.nearest, c.most, high)
	}
	c.fresh = c.fresh[:0]
	c.nearest = append(c.nearest[:0], k.nearest...)
	c.limit = min(c.limit, math.Float64frombits(s.limits[i].Load()))
	if len(c.nearest) == c.most {
		c.limit = min(c.limit, c.nearest[c.most-1])
	}
	s.limits[i].Store(math.Float64bits(c.limit))
}

// hear takes over the limits that others have found.
func (s *sieving) hear(c []collector) {
	for i := range s.limits {
		c[i].limit = min(c[i].limit, math.Float64frombits(s.limits[i].Load()))
	}
}

// sieve tests the codes of all rows, tile by tile, with few queries one by one or with
// many together; rows that pass are computed in full. Codes are made on the way
// unless the index has them. All goroutines take tiles from the same range and tell each
// other their limits. The order jumps about: where neighbours of a query lie together,
// as in a folder, some of them are seen early.
func (x *Index) sieve(ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) {
	coder, s := x.coder(), g.sieving
	tiles := (hi - lo + tileRows - 1) / tileRows
	jump := coprime(tiles)
	t := x.newTogether(g, w, c)
	place := func(i int) (row, end int) {
		row = lo + i*jump%tiles*tileRows
		return row, min(hi, row+tileRows)
	}
	next := int(s.next.Add(1) - 1) // taken one ahead, so that it can be fetched
	for next < tiles && ctx.Err() == nil {
		row, end := place(next)
		next = int(s.next.Add(1) - 1)
		s.hear(c)
		if s.codes != nil && t.multiply > 0 {
			t.multiply--
			stop := end
			if t.first && x.Dim() > partValues {
				stop = min(end, row+firstRows)
			}
			t.first = false
			x.multiply(ctx, g, w, c, row, stop)
			for j := range c {
				s.publish(j, &c[j])
			}
			if row = stop; row == end {
				continue
			}
		}
		var k codes
		if x.codes != nil {
			k = x.codes.from(coder, row)
		} else {
			if len(w.codes.bytes) < tileRows/f32.CodeRows*coder.blockBytes() {
				w.codes = coder.room(tileRows)
			}
			k = w.codes
			coder.make(k, row, end)
		}
		if s.codes != nil {
			var ahead []float32
			if x.codes == nil && next < tiles {
				from, to := place(next)
				ahead = x.vectors.Data()[from*x.Dim() : to*x.Dim()]
			}
			t.tile(k, row, end, ahead)
			continue
		}
		for j, q := range g.queries {
			x.filterTile(q, &c[j], w, k, row, end)
			s.publish(j, &c[j])
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

// together is one goroutine's state while it tests many queries together.
type together struct {
	x        *Index
	g        *group
	w        *workspace
	c        []collector
	size     float64 // of the codes so far, the greatest
	multiply int     // tiles that are to be multiplied in float32 instead
	next     int     // how many after the next crowd
	first    bool    // no tile has been multiplied yet
}

// pair is a row that passed the test of a query, and its score as far as it is known.
type pair struct {
	query, row int32
	score      float32
}

func (x *Index) newTogether(g *group, w *workspace, c []collector) *together {
	t := &together{x, g, w, c, 0, firstMultiplied, 1, true}
	if c[0].limit < huge { // there is a radius
		t.multiply = 0
	}
	if g.sieving.codes != nil {
		places := g.sieving.codes.Places()
		w.masks, w.tests, w.tested = grow(w.masks, tileRows/f32.SieveRows*places), grow(w.tests, places), grow(w.tested, places)
		t.forget()
	}
	return t
}

// tile tests a tile and fetches ahead, which comes next. The first tile of each goroutine, and some after one where too
// many rows passed, are multiplied instead: that gives limits at less cost.
func (t *together) tile(k codes, row, end int, ahead []float32) {
	if size := slices.Max(k.sizes[:(end-row+f32.CodeRows-1)/f32.CodeRows]); size > t.size {
		t.size = size
		t.forget()
	}
	for j := range t.c {
		t.aim(j)
	}
	// Rows that pass soon lower the limits, but long ones are computed part by part, and
	// the more there are the seldomer the queries are read.
	step, passed := f32.SieveRows, 0
	if t.x.Dim() > partValues {
		step = tileRows
	}
	for at := row; at < end; at += step {
		stop := min(at+step, end)
		t.sieve(k.from(t.x.coder(), at-row), at, stop, ahead[len(ahead)*(at-row)/(end-row):len(ahead)*(stop-row)/(end-row)])
		t.compute()
		passed += len(t.w.pairs)
	}
	if passed*t.x.crowd() > (end-row)*len(t.c) {
		t.multiply, t.next = t.next, min(2*t.next, crowdTiles)
	} else {
		t.next = 1
	}
}

// forget makes all tests be set anew.
func (t *together) forget() {
	for i := range t.w.tested {
		t.w.tested[i] = math.NaN()
	}
}

// aim sets the test of a query for its limit.
func (t *together) aim(j int) {
	if limit := t.c[j].limit; limit != t.w.tested[j] {
		t.w.tested[j], t.w.tests[j] = limit, t.x.codeTest(t.g.queries[j], limit, t.size)
	}
}

// sieve notes the pairs that pass, of rows up to a tile, query by query. It fetches ahead meanwhile.
func (t *together) sieve(k codes, row, end int, ahead []float32) {
	x, s := t.x, t.g.sieving
	places, blocks := s.codes.Places(), (end-row+f32.SieveRows-1)/f32.SieveRows
	var wanted [tileRows / f32.SieveRows]uint64
	for i := range blocks {
		at := row + i*f32.SieveRows
		wanted[i] = ^uint64(0) >> (f32.SieveRows - min(f32.SieveRows, end-at))
		if x.keep != nil {
			wanted[i] &= x.keep[at/64]
		}
		if wanted[i] != 0 {
			k := k.from(x.coder(), at-row)
			f32.CodeSieve(t.w.masks[i*places:], k.bytes, k.rows, s.codes, t.w.tests, ahead[len(ahead)*i/blocks:len(ahead)*(i+1)/blocks])
		}
	}
	t.w.pairs = t.w.pairs[:0]
	for j, word := range t.w.masks[:len(t.c)] {
		if word &= wanted[0]; word != 0 {
			t.note(j, row, word)
		}
		for i := 1; i < blocks; i++ {
			t.note(j, row+i*f32.SieveRows, t.w.masks[i*places+j]&wanted[i])
		}
	}
}

// note notes the pairs of a query with the rows of a mask.
func (t *together) note(j, row int, mask uint64) {
	for ; mask != 0; mask &= mask - 1 {
		if at := row + bits.TrailingZeros64(mask); at > t.c[j].after {
			t.w.pairs = append(t.w.pairs, pair{int32(j), int32(at), 0})
		}
	}
}

// partValues is how many values of a tile's rows stay in the second-level cache.
const partValues = 512

// compute offers the pairs to their queries' collectors.
func (t *together) compute() {
	x, pairs := t.x, t.w.pairs
	long := x.Dim() > partValues
	if long {
		t.partByPart()
	}
	for i, p := range pairs {
		j, row := int(p.query), int(p.row)
		q, score := t.g.queries[j], x.scaled(row, p.score)
		if !long {
			score = x.rowScore(q, row)
		}
		low, high := x.rowBounds(q, x.longest[row/tileRows]).interval(score)
		t.c[j].add(row, low, high)
		if i+1 == len(pairs) || pairs[i+1].query != p.query {
			if t.c[j].limit != t.w.tested[j] {
				t.g.sieving.publish(j, &t.c[j])
				t.aim(j)
			}
		}
	}
}

// partByPart computes the pairs' scores, up to four rows of a query at a time.
func (t *together) partByPart() {
	pairs := t.w.pairs
	for lo, d := 0, t.x.Dim(); lo < d; lo += partValues {
		hi := min(lo+partValues, d)
		for i, n := 0, 0; i < len(pairs); i += n {
			for n = 1; n < len(t.w.rows) && i+n < len(pairs) && pairs[i+n].query == pairs[i].query; {
				n++
			}
			t.addScores(pairs[i:i+n], pairs[min(i+n, len(pairs)-1)].query, lo, hi)
		}
	}
}

// addScores adds to the scores of up to four rows and one query what the values from lo
// up to hi make. Meanwhile it fetches those of the next query.
func (t *together) addScores(pairs []pair, next int32, lo, hi int) {
	x, w := t.x, t.w
	for i := range w.rows {
		w.rows[i] = x.vectors.Row(int(pairs[min(i, len(pairs)-1)].row))[lo:hi]
	}
	q, after := t.g.queries[pairs[0].query], t.g.queries[next]
	if x.metric == Euclidean {
		f32.SquaredDistanceRows(&w.sums, q.v[lo:hi], &w.rows, after.v[lo:hi])
	} else {
		f32.DotRows(&w.sums, q.factor[lo:hi], &w.rows, after.factor[lo:hi])
	}
	for i := range pairs {
		pairs[i].score += w.sums[i]
	}
}

// smallCodes is how many bytes of codes may be made for the time of a search.
const smallCodes = 8 << 20

// coded returns x with codes for the time of a search, if it is small: several
// groups of queries then share them.
func (x *Index) coded() *Index {
	if x.codes == nil && x.Len()*x.Dim() <= smallCodes {
		return x.Prefiltered()
	}
	return x
}

// sieves tells whether so many queries are sieved.
func (x *Index) sieves(queries int) bool {
	fewest := sieveFewestMaking
	if x.codes != nil {
		fewest = sieveFewest
	}
	return (alwaysSieve || queries >= fewest && f32.Sieves()) && x.coder() != nil
}

// crowd is the share of rows, one in so many, that may pass the tests of a tile before
// a product of the vectors themselves is faster. What it costs to compute one alone grows
// slower than its length.
func (x *Index) crowd() int {
	if alwaysSieve {
		return 0
	}
	return max(4, 16*partValues/max(partValues, x.Dim()))
}

// Tests change these to sieve everything.
var (
	alwaysSieve     = false // whatever the processor, the number of queries and of rows that pass
	firstMultiplied = 1     // tiles that each goroutine multiplies before it has limits to test with
)
