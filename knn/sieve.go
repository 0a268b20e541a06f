package knn

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"lookalike/internal/code8"
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
	together bool // codes are tested so
	codes    code8.Queries
	next     atomic.Int64    // the tile that is taken next
	limits   []atomic.Uint64 // of each query, the least that anybody has found; nothing for a goroutine alone
	known    []known
}

// known is what goroutines tell each other of a query.
type known struct {
	sync.Mutex
	nearest leastBounds // of the rows of all
}

// begin makes s ready for n queries of d values; its memory is kept. Goroutines that
// share the work tell each other what they know.
func (s *sieving) begin(n, d int, together, shared bool, limit float64) {
	s.together = together
	s.next.Store(0)
	if together {
		s.codes.Reset(n, d)
	}
	s.known, s.limits = s.known[:0], s.limits[:0]
	if !shared {
		return
	}
	s.known, s.limits = grow(s.known, n), grow(s.limits, n)
	for i := range s.limits {
		s.limits[i].Store(math.Float64bits(limit))
		s.known[i].nearest = s.known[i].nearest[:0]
	}
}

// publish tells the others of what a collector has found since it did so last.
func (s *sieving) publish(i int, c *collector) {
	if len(s.known) == 0 {
		return
	}
	heard := math.Float64frombits(s.limits[i].Load())
	if len(c.fresh) == 0 && !(c.limit < heard) {
		c.limit = heard
		return
	}
	k := &s.known[i]
	k.Lock()
	defer k.Unlock()
	limit := float64(k.nearest.add(c.most, c.fresh))
	c.fresh = c.fresh[:0]
	c.nearest = append(c.nearest[:0], k.nearest...)
	c.limit = min(c.limit, limit, math.Float64frombits(s.limits[i].Load()))
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
	coder, s := x.coder(), &g.sieving
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
		if t.waiting == 0 {
			s.hear(c)
		}
		if s.together && t.multiply > 0 {
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
			t.look((stop - row + code8.SieveRows - 1) / code8.SieveRows)
			if row = stop; row == end {
				continue
			}
		}
		var k codes
		if x.codes != nil {
			k = x.codes.from(coder, row)
		} else {
			w.codes = coder.room(w.codes, tileRows)
			k = w.codes
			coder.make(k, row, end)
		}
		if s.together {
			var ahead []uint8
			if next < tiles {
				from, to := place(next)
				if x.codes == nil {
					ahead = f32.Bytes(x.vectors.Data()[from*x.Dim() : to*x.Dim()])
				} else {
					ahead = x.codes.bytes[from*coder.rowBytes() : to*coder.rowBytes()]
				}
			}
			t.tile(k, row, end, ahead)
			continue
		}
		for j := range g.queries {
			x.filterTile(&g.queries[j], &c[j], w, k, row, end)
			s.publish(j, &c[j])
		}
	}
	t.endStage()
	*t = together{}
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

// together is one goroutine's state while it tests many queries together. Tiles are tested
// in stages: what passes the tests of one, query by query, is computed at its end and
// lowers the limits for the next.
type together struct {
	x        *Index
	g        *group
	w        *workspace
	c        []collector
	size     float64 // of the codes so far, the greatest
	multiply int     // tiles that are to be multiplied in float32 instead
	next     int     // how many after the next crowd
	first    bool    // no tile has been multiplied yet
	seen     int     // places that have been looked at
	stage    int     // places that the stage has room for
	room     int     // the most that it may have
	waiting  int     // places whose bits wait
	passed   int     // pairs that passed since the last decision on a crowd
	tested   int     // of so many
}

const (
	// stageBytes of vectors may be tested in a stage, so that they are still in the
	// second-level cache when what passed is computed.
	stageBytes = 512 << 10

	// stageMasks is how many masks of SieveRows rows and a query may wait.
	stageMasks = 32 << 10

	// shortValues is of how many values the vectors are whose stages are as long as all
	// before. Longer ones are worth being computed less often, so they have shorter stages.
	shortValues = 64

	tilePlaces = tileRows / code8.SieveRows // a place is SieveRows rows
)

func (x *Index) newTogether(g *group, w *workspace, c []collector) *together {
	t := &w.together
	*t = together{x: x, g: g, w: w, c: c, multiply: firstMultiplied, next: 1, first: true}
	if c[0].limit < huge { // there is a radius
		t.multiply = 0
	}
	if g.sieving.together {
		places := g.sieving.codes.Places()
		t.room = max(tilePlaces, min(stageBytes/(4*code8.SieveRows*x.Dim()), stageMasks/places))
		w.masks, w.tests, w.tested = grow(w.masks, t.room*places), grow(w.tests, places), grow(w.tested, places)
		w.first, w.wanted = grow(w.first, t.room), grow(w.wanted, t.room)
		t.look(0)
		t.forget()
	}
	return t
}

// tile tests a tile and fetches ahead, which comes next. The first tile of each goroutine, and some after one where too
// many rows passed, are multiplied instead: that gives limits at less cost.
func (t *together) tile(k codes, row, end int, ahead []uint8) {
	if size := slices.Max(k.sizes[:(end-row+code8.Rows-1)/code8.Rows]); size > t.size {
		t.size = size
		t.forget()
	}
	if t.waiting == 0 || t.w.tested[0] != t.w.tested[0] {
		for j := range t.c {
			t.aim(j)
		}
	}
	t.sieve(k, row, end, ahead)
	if t.tested == 0 { // the stage goes on
		return
	}
	if t.passed*t.x.crowd() > t.tested {
		t.multiply, t.next = t.next, min(2*t.next, crowdTiles)
	} else {
		t.next = 1
	}
	t.passed, t.tested = 0, 0
}

// look notes that so many places more have been looked at.
func (t *together) look(places int) {
	t.seen += places
	t.stage = min(t.room, max(1, 2*t.seen*shortValues/max(shortValues, t.x.Dim())))
	if t.x.Dim() > partValues { // queries are read anew for each part of the values
		t.stage = tilePlaces - t.seen%tilePlaces
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
		t.w.tested[j], t.w.tests[j] = limit, t.x.codeTest(&t.g.queries[j], limit, t.size)
	}
}

// sieve sets the bits of a tile's rows that pass, and ends stages. It fetches ahead meanwhile.
func (t *together) sieve(k codes, row, end int, ahead []uint8) {
	x, s := t.x, &t.g.sieving
	blocks := (end - row + code8.SieveRows - 1) / code8.SieveRows
	for i := range blocks {
		at := row + i*code8.SieveRows
		wanted := ^uint64(0) >> (code8.SieveRows - min(code8.SieveRows, end-at))
		if x.keep != nil {
			wanted &= x.keep[at/64]
		}
		if wanted != 0 {
			k := k.from(x.coder(), at-row)
			code8.Sieve(t.w.masks[t.waiting:], t.room, k.bytes, k.rows, &s.codes, t.w.tests, ahead[len(ahead)*i/blocks:len(ahead)*(i+1)/blocks])
			t.w.first[t.waiting], t.w.wanted[t.waiting] = int32(at), wanted
			t.waiting++
			if t.waiting >= t.stage {
				t.endStage()
			}
		}
	}
}

// endStage offers what has passed to the queries' collectors.
func (t *together) endStage() {
	if t.waiting == 0 {
		return
	}
	x, w := t.x, t.w
	long := x.Dim() > partValues
	w.near, w.ends = w.near[:0], w.ends[:0]
	for j := range t.c {
		masks, passes := w.masks[j*t.room:][:t.waiting], uint64(0)
		for _, word := range masks {
			passes |= word
		}
		if passes != 0 { // seldom, soon
			t.note(j, masks)
		}
		if long {
			w.ends = append(w.ends, len(w.near))
		} else if len(w.near) > 0 {
			x.pickedScores(&t.g.queries[j], w)
			t.offer(j, w.near, w.picked)
			t.passed += len(w.near)
			w.near = w.near[:0]
		}
	}
	if long {
		t.partByPart()
		for j, end := range w.ends {
			if start := t.start(j); start < end {
				t.offer(j, w.near[start:end], w.picked[start:end])
			}
		}
		t.passed += len(w.near)
	}
	for _, wanted := range w.wanted[:t.waiting] {
		t.tested += bits.OnesCount64(wanted) * len(t.c)
	}
	t.look(t.waiting)
	t.waiting = 0
}

// start returns where the rows that passed the test of a query begin.
func (t *together) start(j int) int {
	if j == 0 {
		return 0
	}
	return t.w.ends[j-1]
}

// note notes the rows that passed the test of a query.
func (t *together) note(j int, masks []uint64) {
	w, n, room := t.w, len(t.w.near), len(masks)*code8.SieveRows
	w.near = slices.Grow(w.near, room)
	near := w.near[n : n+room]
	passed := code8.SetBits(near, masks, w.wanted, w.first)
	if after := t.c[j].after; after >= 0 {
		passed = len(slices.DeleteFunc(near[:passed], func(row int32) bool { return int(row) <= after }))
	}
	w.near = w.near[:n+passed]
}

// partValues is how many values of a tile's rows stay in the second-level cache.
const partValues = 512

// offer offers rows to the collector of a query.
func (t *together) offer(j int, rows []int32, scores []float32) {
	x, q, c := t.x, &t.g.queries[j], &t.c[j]
	for i, n := 0, 0; i < len(rows); i += n {
		tile := rows[i] / tileRows
		for n = 1; i+n < len(rows) && (x.metric != InnerProduct || rows[i+n]/tileRows == tile); {
			n++
		}
		c.offer(x.rowBounds(q, x.longest[tile]), rows[i:i+n], scores[i:i+n])
	}
	if c.limit != t.w.tested[j] {
		t.g.sieving.publish(j, c)
		t.aim(j)
	}
}

// pickedScores computes the scores of the rows that are near one query.
func (x *Index) pickedScores(q *query, w *workspace) {
	n, d, rows := len(w.near), x.Dim(), w.near
	for len(rows)%4 != 0 {
		rows = append(rows, rows[n-1])
	}
	w.picked = grow(w.picked, len(rows))
	if x.metric == Euclidean {
		f32.SquaredDistancesAt(w.picked, q.v, x.vectors.Data(), d, rows)
	} else {
		f32.DotsAt(w.picked, q.factor, x.vectors.Data(), d, rows)
		for i, row := range w.near {
			w.picked[i] = x.scaled(int(row), w.picked[i])
		}
	}
	w.near, w.picked = rows[:n], w.picked[:n]
}

// partByPart computes the scores of the rows that are near their queries, up to four rows of a
// query at a time.
func (t *together) partByPart() {
	w := t.w
	w.picked = grow(w.picked, len(w.near))
	clear(w.picked)
	for lo, d := 0, t.x.Dim(); lo < d; lo += partValues {
		hi := min(lo+partValues, d)
		for j, end := range w.ends {
			for i := t.start(j); i < end; i += len(w.rows) {
				t.addScores(j, i, min(i+len(w.rows), end), lo, hi)
			}
		}
	}
	for i, row := range w.near {
		w.picked[i] = t.x.scaled(int(row), w.picked[i])
	}
}

// addScores adds to the scores of up to four rows and one query, those noted from place i up to end, what the
// values from lo up to hi make. Meanwhile it fetches those of the next query.
func (t *together) addScores(j, i, end, lo, hi int) {
	x, w := t.x, t.w
	for r := range w.rows {
		w.rows[r] = x.row(int(w.near[min(i+r, end-1)]))[lo:hi]
	}
	next := j
	for next+1 < len(t.c) && w.ends[next] == end {
		next++
	}
	q, after := &t.g.queries[j], &t.g.queries[next]
	if x.metric == Euclidean {
		f32.SquaredDistanceRows(&w.sums, q.v[lo:hi], &w.rows, after.v[lo:hi])
	} else {
		f32.DotRows(&w.sums, q.factor[lo:hi], &w.rows, after.factor[lo:hi])
	}
	for r := range end - i {
		w.picked[i+r] += w.sums[r]
	}
}

// smallCodes is how many bytes of codes may be made for the time of a search.
const smallCodes = 8 << 20

// sieves tells whether so many queries are sieved.
func (x *Index) sieves(queries int) bool {
	fewest := sieveFewestMaking
	if x.codes != nil {
		fewest = sieveFewest
	}
	return (alwaysSieve || queries >= fewest && code8.Sieves()) && x.coder() != nil
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
