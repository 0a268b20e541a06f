package retrieval

import (
	"context"
	"math"
	"math/bits"
	"slices"
	"sync"

	"lookalike/internal/parallel"
	"lookalike/knn"
	"lookalike/tensor"
)

const (
	alike     = 0 // pairs of one label
	different = 1
)

// parts is into how many parts things are dealt, and halves in how many ways these
// make two halves, such that any two parts are as often together as any other two (the
// rows of Hadamard's matrix).
const (
	parts  = 8
	halves = parts - 1
)

// sideOf returns in which half of a way, 0 or 1, a part is.
func sideOf(way, part int) int { return bits.OnesCount(uint((way+1)&part)) % 2 }

// couples are the parts that two things of a pair are of, in any order.
const couples = parts * (parts + 1) / 2

// coupleOf numbers couples.
var coupleOf = func() (table [parts][parts]uint8) {
	n := uint8(0)
	for a := range parts {
		for b := range a + 1 {
			table[a][b], table[b][a] = n, n
			n++
		}
	}
	return
}()

// counts are numbers of pairs of the same label and of different ones.
type counts [couples][2]uint32

// all returns how many pairs there are in all.
func (c *counts) all() (n [2]int64) {
	for i := range c {
		n[alike] += int64(c[i][alike])
		n[different] += int64(c[i][different])
	}
	return n
}

// within returns how many pairs there are of two things of the same half.
func (c *counts) within(way, side int) (n [2]int64) {
	for a := range parts {
		for b := range a + 1 {
			if sideOf(way, a) == side && sideOf(way, b) == side {
				pairs := c[coupleOf[a][b]]
				n[alike] += int64(pairs[alike])
				n[different] += int64(pairs[different])
			}
		}
	}
	return n
}

// histogram counts pairs by their distance, in bins of equal width relative to
// it. Bins come in pages, of which there are as many as distances need.
type histogram struct {
	pages map[uint32]*[pageBins]counts
}

const pageBins = 512

func (h *histogram) add(bin uint32, kind int, couple uint8) {
	page := h.pages[bin/pageBins]
	if page == nil {
		page = new([pageBins]counts)
		h.pages[bin/pageBins] = page
	}
	page[bin%pageBins][couple][kind]++
}

// merge adds o.
func (h *histogram) merge(o *histogram) {
	for at, from := range o.pages {
		page := h.pages[at]
		if page == nil {
			h.pages[at] = from
			continue
		}
		for i := range from {
			for couple := range couples {
				page[i][couple][alike] += from[i][couple][alike]
				page[i][couple][different] += from[i][couple][different]
			}
		}
	}
}

// each visits the bins that hold pairs, in ascending order.
func (h *histogram) each(visit func(bin uint32, c *counts)) {
	var pages []uint32
	for at := range h.pages {
		pages = append(pages, at)
	}
	slices.Sort(pages)
	for _, at := range pages {
		for i := range h.pages[at] {
			if c := &h.pages[at][i]; *c != (counts{}) {
				visit(at*pageBins+uint32(i), c)
			}
		}
	}
}

// countPairs counts the distances of all pairs of some rows of x.
func countPairs(ctx context.Context, x *tensor.Tensor, rows, classes, partOf []int, metric knn.Metric, done func(n int)) (*histogram, error) {
	r, err := newRanker(x, rows, metric)
	if err != nil {
		return nil, err
	}
	n := len(rows)
	h := &histogram{pages: map[uint32]*[pageBins]counts{}}
	var mu sync.Mutex
	// As many queries as there may be, always, and columns as memory allows: so products
	// have the same bits whatever that is.
	batch := min(mostQueries, n)
	blocks := (n-1)/max(fewestColumns, atATime()/batch) + 1
	for lo := 0; lo < n; lo += batch {
		hi := min(lo+batch, n)
		for block := range blocks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			first, last := block*n/blocks, (block+1)*n/blocks
			if last <= lo+1 {
				continue // these pairs have been counted the other way round
			}
			products := r.products(lo, hi, first, last)
			parallel.Spans(hi-lo, 32, func(from, to int) {
				own := &histogram{pages: map[uint32]*[pageBins]counts{}}
				for i := from; i < to; i++ {
					a := lo + i
					for b := max(a+1, first); b < last; b++ {
						kind := different
						if classes[a] == classes[b] {
							kind = alike
						}
						own.add(binOf(r.distance(a, b, products[i*(last-first)+b-first])), kind, coupleOf[partOf[a]][partOf[b]])
					}
				}
				mu.Lock()
				defer mu.Unlock()
				h.merge(own)
			})
		}
		if done != nil {
			done(hi)
		}
	}
	return h, nil
}

// distance is the metric's, from an inner product where that keeps enough digits
// for a bin, else from the vectors themselves.
func (r *ranker) distance(a, b int, product float64) float64 {
	const enough = 0.02
	value := r.fromProduct(a, b, product)
	if size := r.lengths[a] * r.lengths[b]; r.metric == knn.InnerProduct && math.Abs(value) < enough*size || r.metric != knn.InnerProduct && value < enough*size {
		value = r.exact(a, b)
	}
	switch r.metric {
	case knn.Euclidean:
		return math.Sqrt(value)
	case knn.Cosine:
		if r.lengths[a] == 0 || r.lengths[b] == 0 {
			return 1 // a vector of zeros has no direction
		}
		return value / 2
	}
	return value
}
