package knn

import (
	"context"
	"math"
	"math/bits"
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

	// crowdTiles is how many tiles are multiplied at most after one where many rows passed.
	crowdTiles = 16
)

// sieving is what the goroutines share that sieve for a group of queries.
type sieving struct {
	codes  *f32.CodeQueries // nil if they are tested one by one
	next   atomic.Int64     // the tile that is taken next
	once   sync.Once        // for limits
	limits []atomic.Uint64  // of each query, the least that anybody has found; none for a goroutine alone
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

// share makes limits for several goroutines.
func (s *sieving) share(n int, limit float64) {
	s.once.Do(func() {
		s.limits = make([]atomic.Uint64, n)
		for i := range s.limits {
			s.limits[i].Store(math.Float64bits(limit))
		}
	})
}

// publish tells the others of a limit.
func (s *sieving) publish(i int, limit float64) {
	for s.limits != nil {
		old := s.limits[i].Load()
		if limit >= math.Float64frombits(old) || s.limits[i].CompareAndSwap(old, math.Float64bits(limit)) {
			return
		}
	}
}

// hear takes over what others have published.
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
			x.multiply(ctx, g, w, c, row, end)
			for j := range c {
				s.publish(j, c[j].limit)
			}
			continue
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
			s.publish(j, c[j].limit)
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
	multiply int // tiles that are to be multiplied in float32 instead
	next     int // how many after the next crowd
}

func (x *Index) newTogether(g *group, w *workspace, c []collector) *together {
	t := &together{x, g, w, c, firstMultiplied, 1}
	if c[0].limit < huge { // there is a radius
		t.multiply = 0
	}
	if g.sieving.codes != nil {
		places := g.sieving.codes.Places()
		w.masks, w.tests, w.tested = grow(w.masks, places), grow(w.tests, places), grow(w.tested, places)
		for i := range w.tested {
			w.tested[i] = math.NaN()
		}
	}
	return t
}

// tile tests a tile and fetches ahead, which comes next. The first tile of each goroutine, and some after one where too
// many rows passed, are multiplied instead: that gives limits at less cost.
func (t *together) tile(k codes, row, end int, ahead []float32) {
	for j := range t.c {
		t.aim(j)
	}
	passed := 0
	blocks := (end - row + f32.SieveRows - 1) / f32.SieveRows
	for i := range blocks {
		at := row + i*f32.SieveRows
		part := ahead[len(ahead)*i/blocks : len(ahead)*(i+1)/blocks]
		passed += t.block(k.from(t.x.coder(), at-row), at, min(end, at+f32.SieveRows), part)
	}
	if passed*crowd > (end-row)*len(t.c) {
		t.multiply, t.next = t.next, min(2*t.next, crowdTiles)
	} else {
		t.next = 1
	}
}

// aim sets the test of a query for its limit.
func (t *together) aim(j int) {
	if limit := t.c[j].limit; limit != t.w.tested[j] {
		t.w.tested[j], t.w.tests[j] = limit, t.x.codeTest(t.g.queries[j], limit)
	}
}

// block tests up to f32.SieveRows rows and returns how many passed, of all queries
// together. It fetches ahead meanwhile.
func (t *together) block(k codes, row, end int, ahead []float32) int {
	x, s := t.x, t.g.sieving
	wanted := ^uint64(0) >> (f32.SieveRows - (end - row))
	if x.keep != nil {
		wanted &= x.keep[row/64]
	}
	if wanted == 0 {
		return 0
	}
	f32.CodeSieve(t.w.masks, k.bytes, k.rows, s.codes, t.w.tests, ahead)
	longest := x.longest[row/tileRows]
	passed := 0
	for i, word := range t.w.masks[:len(t.c)] {
		if word &= wanted; word == 0 {
			continue
		}
		passed += bits.OnesCount64(word)
		c, q := &t.c[i], t.g.queries[i]
		b := x.rowBounds(q, longest)
		for ; word != 0; word &= word - 1 {
			at := row + bits.TrailingZeros64(word)
			if at > c.after {
				low, high := b.interval(x.rowScore(q, at))
				c.add(at, low, high)
			}
		}
		if c.limit != t.w.tested[i] {
			t.aim(i)
			s.publish(i, c.limit)
		}
	}
	return passed
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

// Tests change these to sieve everything.
var (
	alwaysSieve     = false // whatever the processor and the number of queries
	firstMultiplied = 1     // tiles that each goroutine multiplies before it has limits to test with

	// crowd is the share of rows, one in so many, that may pass the tests of a tile
	// before a product of the vectors themselves is faster.
	crowd = 16
)
