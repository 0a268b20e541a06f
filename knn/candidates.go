package knn

import (
	"math"
	"slices"
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
	scratch []float64
	nearest []float64         // of few that are wanted, the least upper bounds so far, ascending
	shared  bool              // others are told of upper bounds
	fresh   []float64         // those that they have not been told of
	finish  func([]candidate) // computes distances
}

// slackRows is how many candidates more than twice the number asked for wait before
// the collector looks through them.
const slackRows = 48

// reset makes c ready for another query; its memory is kept.
func (c *collector) reset(w wanted, number int, limit float64, finish func([]candidate)) {
	*c = collector{most: w.most, radius: w.radius, after: -1, limit: limit, full: 2*min(w.most, 1<<12) + slackRows,
		found: c.found[:0], scratch: c.scratch[:0], nearest: c.nearest[:0], fresh: c.fresh[:0], finish: finish}
	if w.after >= 0 {
		c.after = w.after + number
	}
}

// begin sets a first limit from the scores of rows that all may be found: where
// these lie in 32 classes, the least of each class are as many different rows.
func (c *collector) begin(b bounds, scores []float32) {
	const classes = 32
	if c.most > classes/2 || len(scores) < 2*classes {
		return
	}
	var least [classes]float32
	copy(least[:], scores)
	for part := range slices.Chunk(scores[classes:], classes) {
		for i, s := range part {
			least[i] = min(least[i], s)
		}
	}
	c.scratch = c.scratch[:0]
	for _, s := range least {
		_, high := b.interval(s)
		c.scratch = append(c.scratch, high)
	}
	c.limit = min(c.limit, nth(c.scratch, c.most-1))
}

// fewWanted is the number of neighbours up to which the limit is kept as low as it
// can be all the time.
const fewWanted = 64

// lower notes the upper bound of a row that has not been seen before.
func (c *collector) lower(high float64) {
	if c.most > fewWanted || !(high < c.limit) {
		return
	}
	c.nearest = insert(c.nearest, c.most, high)
	if c.shared {
		c.fresh = append(c.fresh, high)
	}
	if len(c.nearest) == c.most {
		c.limit = min(c.limit, c.nearest[c.most-1])
	}
}

// insert puts v in its place among the least so many values, which ascend.
func insert(least []float64, most int, v float64) []float64 {
	if len(least) < most {
		least = append(least, v)
	} else if !(v < least[most-1]) {
		return least
	}
	i := len(least) - 1
	for ; i > 0 && least[i-1] > v; i-- {
		least[i] = least[i-1]
	}
	least[i] = v
	return least
}

// add takes a row in if it may belong to the result.
func (c *collector) add(row int, low, high float64) {
	if low > c.limit || row <= c.after {
		return
	}
	if len(c.found) >= c.full {
		if c.shrink(); low > c.limit {
			return
		}
	}
	c.lower(high)
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
	c.found = slices.DeleteFunc(c.found, func(f candidate) bool { return f.low > c.limit })
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
	c.finish(c.found[known:])
	c.found = slices.DeleteFunc(c.found, func(f candidate) bool { return !(f.distance <= c.radius) })
	slices.SortFunc(c.found, func(a, b candidate) int { return compare(a.neighbor(), b.neighbor()) })
	if len(c.found) >= c.most {
		c.found = c.found[:c.most]
		if c.most > 0 {
			c.limit = min(c.limit, c.found[c.most-1].high)
		}
	}
}

// neighbors returns the result.
func (c *collector) neighbors() []Neighbor {
	c.tighten()
	c.settle()
	list := make([]Neighbor, len(c.found))
	for i, f := range c.found {
		list[i] = f.neighbor()
	}
	return list
}

// nth returns the value that would be at place i if v were sorted; it changes the
// order of v, which holds no NaN. (Hoare's selection)
func nth(v []float64, i int) float64 {
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
