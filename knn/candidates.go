package knn

import (
	"math"
	"slices"

	"lookalike/internal/f32"
)

// candidate is a row that may belong to a result. Its key, which grows with the
// distance (see [Index.key]), lies from low to high.
type candidate struct {
	row       int
	low, high float64
	distance  float64 // NaN until it is computed in float64
}

func (c candidate) neighbor() Neighbor { return Neighbor{c.row, c.distance} }

// collector gathers what may belong to the result of one query: the most nearest
// rows of those with a distance of at most radius.
//
// Rows come with bounds of their keys. Once it has as many candidates as are asked
// for, the largest upper bound of those that are least is a limit: a row whose lower
// bound is greater has so many before it, and is out.
type collector struct {
	most    int
	radius  float64
	after   int     // rows up to this one are not wanted
	limit   float64 // keys above are proven out
	full    int     // number of candidates to look through them at
	found   []candidate
	spare   []candidate // memory for them
	scratch []float64
	nearest leastBounds // of few that are wanted, the least upper bounds so far
	shared  bool        // others are told of upper bounds
	fresh   []float32   // those that they have not been told of
	index   *Index      // computes distances
	query   *query
}

// slackRows is how many candidates more than twice the number asked for wait before
// the collector looks through them.
const slackRows = 48

// mostKept is for how many candidates a collector keeps memory.
const mostKept = 1 << 15

// reset makes c ready for another query; its memory is kept.
func (c *collector) reset(x *Index, q *query, w wanted, number int, limit float64) {
	*c = collector{most: w.most, radius: w.radius, after: -1, limit: limit, full: 2*min(w.most, 1<<12) + slackRows,
		found: c.found[:0], spare: c.spare[:0], scratch: c.scratch[:0], nearest: c.nearest[:0], fresh: c.fresh[:0], index: x, query: q}
	if w.after >= 0 {
		c.after = w.after + number
	}
}

// begin sets a first limit from the scores of rows that all may be found.
func (c *collector) begin(b bounds, scores []float32) {
	if c.most > 16 || len(scores) < 64 {
		return
	}
	if high := b.high(f32.NearLeast(scores, c.most)); high < c.limit {
		c.limit = high
	}
}

// fewWanted is the number of neighbours up to which the limit is kept as low as it
// can be all the time.
const fewWanted = 64

// lower notes the upper bounds of rows that have not been seen before.
func (c *collector) lower(highs []float32) {
	if c.most > fewWanted || len(highs) == 0 {
		return
	}
	if c.shared {
		c.fresh = append(c.fresh, highs...)
	}
	if limit := float64(c.nearest.add(c.most, highs)); limit < c.limit {
		c.limit = limit
	}
}

// leastBounds are the least of the upper bounds of different rows' keys, in no order.
type leastBounds []float32

// infinities fill up what f32.NearLeast takes.
var infinities = slices.Repeat([]float32{float32(math.Inf(1))}, 32)

// add adds upper bounds, of which none is NaN, and returns one that so many are not greater
// than, infinity if there are fewer. What is greater is dropped.
func (l *leastBounds) add(most int, highs []float32) float32 {
	all := append(*l, highs...)
	n := len(all)
	if n < most {
		*l = all
		return infinities[0]
	}
	if n == most+1 { // one of them goes
		first, second, at := float32(math.Inf(-1)), float32(math.Inf(-1)), 0
		for i, high := range all {
			if high > first {
				first, second, at = high, first, i
			} else if high > second {
				second = high
			}
		}
		all[at] = all[most]
		*l = all[:most]
		return second
	}
	var limit float32
	if exact := most > 16 || n > 2*len(infinities); exact {
		var room [4 * fewWanted]float32
		limit = nth(append(room[:0], all...), most-1)
	} else {
		all = append(all, infinities[:-n&31]...)
		limit = f32.NearLeast(all, most)
	}
	kept := 0
	for _, high := range all[:n] {
		all[kept] = high
		if high <= limit {
			kept++
		}
	}
	if kept > 2*most+len(infinities) { // many are equal
		rest := slices.DeleteFunc(all[:kept], func(high float32) bool { return high == limit })
		for kept = len(rest); kept < most; kept++ {
			rest = append(rest, limit)
		}
	}
	*l = all[:kept]
	return limit
}

// add takes a row in if it may belong to the result. The upper bound may be NaN.
func (c *collector) add(row int, low, high float64) {
	if row > c.after && low <= c.limit {
		if high < c.limit {
			c.lower([]float32{above(high)})
		}
		c.keep(row, low, high)
	}
}

// offer takes in what may belong to the result of rows that are wanted, by their scores.
// All of them lower the limit before any is kept. It changes rows and scores.
func (c *collector) offer(b bounds, rows []int32, scores []float32) {
	n := notAbove(rows, scores, b.score(c.limit))
	if c.most <= fewWanted && n > 0 {
		var room [fewWanted]float32
		highs := room[:0]
		for _, s := range scores[:n] {
			highs = append(highs, above(b.high(s)))
		}
		c.lower(highs)
		n = notAbove(rows[:n], scores[:n], b.score(c.limit))
	}
	for i, s := range scores[:n] {
		if low := b.low(s); low <= c.limit {
			c.keep(int(rows[i]), low, b.high(s))
		}
	}
}

// notAbove brings the rows whose scores are not above a limit to the front and returns how
// many there are.
func notAbove(rows []int32, scores []float32, limit float32) int {
	n := 0
	rows = rows[:len(scores)]
	for i, s := range scores {
		rows[n], scores[n] = rows[i], s // without a branch that nobody can foresee
		if !(s > limit) {
			n++
		}
	}
	return n
}

// keep takes a row in that is not proven out and whose upper bound, which may be NaN, has
// lowered the limit already.
func (c *collector) keep(row int, low, high float64) {
	if len(c.found) >= c.full {
		if c.shrink(); low > c.limit {
			return
		}
	}
	if high != high {
		high = math.Inf(1)
	}
	c.found = append(c.found, candidate{row, low, high, math.NaN()})
}

// shrink drops what is proven out. If more than half of a full collector stays, for
// many distances are equal or nearly so, they are computed.
func (c *collector) shrink() {
	c.tighten()
	if len(c.found) > c.full/2 {
		c.settle()
	}
	c.full = max(c.full, 2*len(c.found))
}

// tighten lowers the limit to the least that the bounds prove.
func (c *collector) tighten() {
	if len(c.found) < c.most {
		return
	}
	if c.most > fewWanted {
		c.scratch = c.scratch[:0]
		for _, f := range c.found {
			c.scratch = append(c.scratch, f.high)
		}
		c.limit = min(c.limit, nth(c.scratch, c.most-1))
	}
	kept := 0
	for _, f := range c.found {
		c.found[kept] = f // without a branch that nobody can foresee
		if !(f.low > c.limit) {
			kept++
		}
	}
	c.found = c.found[:kept]
}

// settle computes all distances that are not known yet and keeps the result of
// what has come, nearest first.
func (c *collector) settle() {
	known := 0
	for i, f := range c.found { // known ones to the front
		if f.distance == f.distance {
			c.found[known], c.found[i] = f, c.found[known]
			known++
		}
	}
	c.index.finish(c.query, c.found[known:])
	c.found = slices.DeleteFunc(c.found, func(f candidate) bool { return !(f.distance <= c.radius) })
	slices.SortFunc(c.found, func(a, b candidate) int { return compare(a.neighbor(), b.neighbor()) })
	if len(c.found) >= c.most {
		c.found = c.found[:c.most]
		if c.most > 0 {
			c.limit = min(c.limit, c.found[c.most-1].high)
		}
	}
}

// neighbors returns the result, and lets go of all but memory for another query.
func (c *collector) neighbors() []Neighbor {
	c.tighten()
	c.settle()
	list := make([]Neighbor, len(c.found))
	for i, f := range c.found {
		list[i] = f.neighbor()
	}
	c.index, c.query = nil, nil
	if cap(c.found)+cap(c.spare) > mostKept {
		c.found, c.spare, c.scratch = nil, nil, nil
	}
	return list
}

// nth returns the value that would be at place i if v were sorted; it changes the
// order of v, which holds no NaN. (Hoare's selection)
func nth[T float32 | float64](v []T, i int) T {
	lo, hi := 0, len(v)-1
	for lo < hi {
		a, b, c := v[lo], v[(lo+hi)/2], v[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		l, r := lo, hi
		for l <= r {
			for v[l] < pivot {
				l++
			}
			for v[r] > pivot {
				r--
			}
			if l <= r {
				v[l], v[r] = v[r], v[l]
				l++
				r--
			}
		}
		switch {
		case i <= r:
			hi = r
		case i >= l:
			lo = l
		default:
			return v[i]
		}
	}
	return v[i]
}
