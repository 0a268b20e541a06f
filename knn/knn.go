// Package knn finds the exact nearest neighbours of vectors among others.
//
// Exact means what a plain loop in float64 finds: the same rows in the same
// order, on any machine and whatever GOMAXPROCS is. The search itself runs in
// float32, with bounds of what its rounding may do; rows that the bounds do not
// prove out are computed in float64.
package knn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"lookalike/internal/f32"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// Metric says how far apart two vectors are.
type Metric int

const (
	// Euclidean is the square root of the sum of squared differences.
	Euclidean Metric = iota

	// Cosine is 1 - cos of the angle between two vectors, from 0 for the same
	// direction to 2 for the opposite one. It is computed as half the squared
	// distance of the vectors brought to length 1, which is the same number and
	// keeps its digits where they nearly coincide. A vector of zeros has no
	// direction: its cosine with any vector, another such one too, counts as 0,
	// so their distance is 1.
	Cosine

	// InnerProduct is the sum of products with the sign turned, so that the
	// greatest is the nearest. It may be negative.
	InnerProduct
)

var metricNames = []string{Euclidean: "euclidean", Cosine: "cosine", InnerProduct: "inner-product"}

// String returns the name that ParseMetric takes.
func (m Metric) String() string {
	if m < 0 || int(m) >= len(metricNames) {
		return fmt.Sprintf("Metric(%d)", int(m))
	}
	return metricNames[m]
}

// ParseMetric returns the metric of a name. The error for an unknown name lists
// those that exist.
func ParseMetric(name string) (Metric, error) {
	if i := slices.Index(metricNames, name); i >= 0 {
		return Metric(i), nil
	}
	return 0, fmt.Errorf("knn: unknown metric %q; there is %s", name, strings.Join(metricNames, ", "))
}

// Neighbor is one vector found: its row in the index and its distance from the
// query.
type Neighbor struct {
	Row      int
	Distance float64
}

// compare orders neighbours: nearest first, the lower row first where distances
// are equal. No two neighbours of one query are equal, so any selection in this
// order has one result.
func compare(a, b Neighbor) int {
	switch { // no distance is NaN
	case a.Distance < b.Distance:
		return -1
	case a.Distance > b.Distance:
		return 1
	}
	return cmp.Compare(a.Row, b.Row)
}

// Index searches vectors held in memory. It may be used by many goroutines at
// once. [New] makes it; methods of one that is nil or empty return an error or panic.
//
// It needs no memory beside the vectors but for [Cosine], 8 bytes a vector;
// [Index.Prefiltered] trades memory for speed.
type Index struct {
	vectors *tensor.Tensor // [n, d]
	n, d    int
	metric  Metric
	scales  []float64 // of Cosine: 1/length of each vector, 0 of a vector of zeros
	longest []float64 // of each tile, at least the length of its longest vector
	keep    []uint64  // a bit for each row that may be found; nil for all
	bounds  bounds    // of rowScores, but for InnerProduct
	coder   func() *coder
	codes   *codes // nil without prefilter
}

// tileRows is the number of rows that are multiplied with many queries at once.
const tileRows = 256

// New returns an index of vectors, of shape [n, d], n >= 0, d >= 1. They are not
// copied and must not change. A NaN or an infinity among them is an error that
// gives its row: no distance from it has a place in an order.
func New(vectors *tensor.Tensor, metric Metric) (*Index, error) {
	if shape := vectors.Shape(); len(shape) != 2 || shape[1] < 1 {
		return nil, fmt.Errorf("knn: vectors have shape %v, want [n, d] with d at least 1", shape)
	}
	if metric < 0 || int(metric) >= len(metricNames) {
		return nil, fmt.Errorf("knn: %v cannot be searched", metric)
	}
	if n := vectors.Dim(0); n > math.MaxInt32 {
		return nil, fmt.Errorf("knn: %d vectors, more than %d: search them in parts", n, math.MaxInt32)
	}
	x := &Index{vectors: vectors, n: vectors.Dim(0), d: vectors.Dim(1), metric: metric}
	x.bounds = ofSquares(x.Dim())
	if metric == Cosine {
		x.bounds = ofProduct(1, 1, 1, 0, x.Dim(), x.Dim())
	}
	x.coder = sync.OnceValue(func() *coder { return newCoder(x) })
	x.longest = make([]float64, x.tiles())
	if metric == Cosine {
		x.scales = make([]float64, x.Len())
	}
	measurings.For(len(x.longest), time.Duration(x.Len()*x.Dim()/8), x, (*Index).measure)
	for tile, length := range x.longest { // NaN if one of its values is, and infinite likewise
		if length-length == 0 {
			continue
		}
		for row := tile * tileRows; row < min(x.Len(), (tile+1)*tileRows); row++ {
			if j := slices.IndexFunc(vectors.Row(row), notFinite); j >= 0 {
				return nil, fmt.Errorf("knn: vector of row %d has %v at place %d", row, vectors.Row(row)[j], j)
			}
		}
	}
	return x, nil
}

var measurings parallel.Loop[*Index]

// measure sets what is known of the lengths of a tile's vectors.
func (x *Index) measure(tile int) {
	for row := tile * tileRows; row < min(x.Len(), (tile+1)*tileRows); row++ {
		v := x.row(row)
		square := float64(f32.Dot(v, v))
		if !(square > huge/1e70 && square < huge) { // it may have overflowed, or underflowed
			square = dot(v, v)
		}
		x.longest[tile] = max(x.longest[tile], math.Sqrt(square*(1+2*gamma(x.Dim()+16))))
		if x.metric == Cosine {
			x.scales[row] = scale(v)
		}
	}
}

// made returns an error unless New has made the index.
func (x *Index) made() error {
	if x == nil || x.vectors == nil {
		return errors.New("the index is nil or empty; make one with knn.New")
	}
	return nil
}

// must panics unless New has made the index. It stands apart so that the operation can
// be inlined, which searches call for each row.
//
//go:noinline
func (x *Index) must(op string) *Index {
	if err := x.made(); err != nil {
		panic("knn." + op + ": " + err.Error())
	}
	return x
}

func notFinite(v float32) bool { return v-v != 0 }

// Len returns the number of vectors, those that [Index.Where] leaves out among
// them.
func (x *Index) Len() int {
	if x == nil || x.d == 0 {
		x.must("Len")
	}
	return x.n
}

// Dim returns the number of values in a vector.
func (x *Index) Dim() int {
	if x == nil || x.d == 0 {
		x.must("Dim")
	}
	return x.d
}

// row returns a vector.
func (x *Index) row(i int) []float32 { return x.vectors.Data()[i*x.d:][:x.d:x.d] }

// Metric returns what the distances are.
func (x *Index) Metric() Metric { return x.must("Metric").metric }

func (x *Index) tiles() int { return (x.Len() + tileRows - 1) / tileRows }

// Where returns an index of the same vectors that finds only those for whose row
// keep returns true. keep is called now, once for each row in ascending order, not
// while searching. What x leaves out stays out. It costs a bit a row.
func (x *Index) Where(keep func(row int) bool) *Index {
	if keep == nil {
		panic("knn.Where: keep is nil")
	}
	y := *x.must("Where")
	y.keep = make([]uint64, (x.Len()+63)/64)
	for row := range x.Len() {
		if x.keeps(row) && keep(row) {
			y.keep[row/64] |= 1 << (row % 64)
		}
	}
	return &y
}

func (x *Index) keeps(row int) bool { return x.keep == nil || x.keep[row/64]>>(row%64)&1 == 1 }

// Search returns for each query its k nearest neighbours, nearest first, the
// lower row first where distances are equal; all there are if k is more, none if
// k is 0. An error is returned if k is negative, if a query is not of the index's
// dimension or not finite, and if ctx ends first.
//
// Distances are computed in float64 from the differences themselves: a
// duplicate's distance is 0 (but see [Cosine] on vectors of zeros) and vectors
// that nearly coincide lose no digits.
func (x *Index) Search(ctx context.Context, queries [][]float32, k int) ([][]Neighbor, error) {
	if k < 0 {
		return nil, fmt.Errorf("knn: %d neighbours asked for, want 0 or more", k)
	}
	if err := x.check(queries); err != nil {
		return nil, err
	}
	return x.search(ctx, queries, wanted{most: min(k, x.Len()), radius: math.Inf(1), after: -1})
}

// Within returns for each query all neighbours at a distance of at most radius, in
// the order of [Index.Search]. There may be as many as there are vectors. Errors
// are those of Search; a radius of NaN is one too.
func (x *Index) Within(ctx context.Context, queries [][]float32, radius float64) ([][]Neighbor, error) {
	if radius != radius {
		return nil, errors.New("knn: a radius of NaN")
	}
	if err := x.check(queries); err != nil {
		return nil, err
	}
	return x.search(ctx, queries, wanted{most: math.MaxInt, radius: radius, after: -1})
}

// check returns an error if a query cannot be searched for.
func (x *Index) check(queries [][]float32) error {
	if err := x.made(); err != nil {
		return fmt.Errorf("knn: %w", err)
	}
	for i, q := range queries {
		if len(q) != x.Dim() {
			return fmt.Errorf("knn: query %d has %d dimensions, the index has %d", i, len(q), x.Dim())
		}
		if j := slices.IndexFunc(q, notFinite); j >= 0 {
			return fmt.Errorf("knn: query %d has %v at place %d", i, q[j], j)
		}
	}
	return nil
}
