package knn

import (
	"context"
	"math"
	"math/bits"
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

	// crowdTiles is how many tiles are multiplied after one where many rows passed.
	crowdTiles = 16
)

// sieving is what the goroutines share that compare codes of a group of queries.
type sieving struct {
	codes  *f32.CodeQueries
	next   atomic.Int64    // the tile that is taken next
	limits []atomic.Uint64 // of each query, the least limit that anybody has found
}

func newSieving(g *group, c *coder, limit float64) *sieving {
	s := &sieving{codes: f32.NewCodeQueries(len(g.queries), c.x.Dim()), limits: make([]atomic.Uint64, len(g.queries))}
	for i, q := range g.queries {
		if q.code != nil {
			s.codes.Set(i, q.code.z)
		}
		s.limits[i].Store(math.Float64bits(limit))
	}
	return s
}

// publish tells the others of a limit.
func (s *sieving) publish(i int, limit float64) {
	for {
		old := s.limits[i].Load()
		if limit >= math.Float64frombits(old) || s.limits[i].CompareAndSwap(old, math.Float64bits(limit)) {
			return
		}
	}
}

// sieve multiplies codes of a tile of rows with those of all the queries and tests
// each product; rows that pass are computed in full, one by one. Codes are made on the
// way unless the index has them. All goroutines take tiles from the same range, in an
// order that jumps about, and tell each other their limits. The first tile of each, and
// those where too many rows pass, are multiplied in float32.
func (x *Index) sieve(ctx context.Context, g *group, w *workspace, c []collector, lo, hi int) {
	coder, s := x.coder(), g.sieving
	w.masks, w.tests, w.tested = grow(w.masks, s.codes.Places()), grow(w.tests, s.codes.Places()), grow(w.tested, len(c))
	for i := range w.tested {
		w.tested[i] = math.NaN()
	}
	tiles := (hi - lo + tileRows - 1) / tileRows
	jump := coprime(tiles)
	multiplied := firstMultiplied
	if c[0].limit < huge { // there is a radius
		multiplied = 0
	}
	for ctx.Err() == nil {
		i := int(s.next.Add(1) - 1)
		if i >= tiles {
			return
		}
		row := lo + i*jump%tiles*tileRows
		end := min(hi, row+tileRows)
		for j := range c {
			c[j].limit = min(c[j].limit, math.Float64frombits(s.limits[j].Load()))
		}
		if multiplied > 0 {
			multiplied--
			x.multiply(ctx, g, w, c, row, end)
			for j := range c {
				s.publish(j, c[j].limit)
			}
			continue
		}
		for j, q := range g.queries {
			if c[j].limit != w.tested[j] {
				w.tested[j], w.tests[j] = c[j].limit, x.codeTest(q, c[j].limit)
			}
		}
		k := w.codes
		if x.codes != nil {
			k = x.codes.from(coder, row)
		} else {
			if len(k.bytes) < tileRows*coder.blockBytes()/f32.CodeRows || len(k.rows) == 0 {
				w.codes = coder.room(tileRows)
				k = w.codes
			}
			coder.make(k, row, end)
		}
		passed := 0
		for at := row; at < end; at += f32.SieveRows {
			passed += x.sieveBlock(g, w, c, k.from(coder, at-row), at, min(end, at+f32.SieveRows))
		}
		if passed*crowd > (end-row)*len(c) {
			multiplied = crowdTiles
		}
	}
}

// sieveBlock sieves rows up to f32.SieveRows and returns how many passed, of all
// queries together.
func (x *Index) sieveBlock(g *group, w *workspace, c []collector, k codes, row, end int) int {
	wanted := ^uint64(0) >> (f32.SieveRows - (end - row))
	if x.keep != nil {
		wanted &= x.keep[row/64]
	}
	if wanted == 0 {
		return 0
	}
	s := g.sieving
	f32.CodeSieve(w.masks, k.bytes, k.rows, s.codes, w.tests)
	longest := x.longest[row/tileRows]
	passed := 0
	for i, word := range w.masks[:len(c)] {
		if word &= wanted; word == 0 {
			continue
		}
		passed += bits.OnesCount64(word)
		c, q := &c[i], g.queries[i]
		b := x.rowBounds(q, longest)
		for ; word != 0; word &= word - 1 {
			at := row + bits.TrailingZeros64(word)
			if at <= c.after {
				continue
			}
			x.rowScores(q, w.one[:], at)
			low, high := b.interval(w.one[0])
			c.add(at, low, high)
		}
		if c.limit != w.tested[i] {
			w.tested[i], w.tests[i] = c.limit, x.codeTest(q, c.limit)
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
