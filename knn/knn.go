// Package knn finds the exact nearest neighbours of vectors among others.
//
// Exact means what a plain loop in float64 finds: the same rows in the same
// order, on any machine and whatever GOMAXPROCS is.
package knn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

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
	return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Row, b.Row))
}

// Searcher finds the k nearest neighbours of each query, nearest first. Engines
// other than [Index] may implement it.
type Searcher interface {
	Search(ctx context.Context, queries [][]float32, k int) ([][]Neighbor, error)
}

// Index searches vectors held in memory by comparing each query with all.
type Index struct {
	vectors *tensor.Tensor // [n, d]
	metric  Metric
	scales  []float64 // of Cosine: 1/length of each vector, 0 of a vector of zeros
}

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
	for i, v := range vectors.Data() {
		if !finite(v) {
			d := vectors.Dim(1)
			return nil, fmt.Errorf("knn: vector of row %d has %v at place %d", i/d, v, i%d)
		}
	}
	x := &Index{vectors: vectors, metric: metric}
	if metric == Cosine {
		x.scales = make([]float64, x.Len())
		for row := range x.scales {
			x.scales[row] = scale(vectors.Row(row))
		}
	}
	return x, nil
}

func finite(v float32) bool { return v-v == 0 }

// Len returns the number of vectors.
func (x *Index) Len() int { return x.vectors.Dim(0) }

// Dim returns the number of values in a vector.
func (x *Index) Dim() int { return x.vectors.Dim(1) }

const (
	queryBatch = 8         // queries that pass over a span of rows together
	spanBytes  = 128 << 10 // of vectors, to stay in the second-level cache meanwhile
)

// Search returns for each query its k nearest neighbours, nearest first, the
// lower row first where distances are equal; all of them if k is more than
// there are. An error is returned if k is less than 1, if a query is not of the
// index's dimension or not finite, and if ctx ends first.
//
// Distances are computed in float64 from the differences themselves: a
// duplicate's distance is 0 (but see [Cosine] on vectors of zeros) and vectors
// that nearly coincide lose no digits.
func (x *Index) Search(ctx context.Context, queries [][]float32, k int) ([][]Neighbor, error) {
	if k < 1 {
		return nil, fmt.Errorf("knn: %d neighbours asked for, want at least 1", k)
	}
	for i, q := range queries {
		if len(q) != x.Dim() {
			return nil, fmt.Errorf("knn: query %d has %d dimensions, the index has %d", i, len(q), x.Dim())
		}
		if j := slices.IndexFunc(q, func(v float32) bool { return !finite(v) }); j >= 0 {
			return nil, fmt.Errorf("knn: query %d has %v at place %d", i, q[j], j)
		}
	}
	found := make([][]Neighbor, 0, len(queries))
	for batch := range slices.Chunk(queries, queryBatch) {
		found = append(found, x.search(ctx, batch, min(k, x.Len()))...)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// search finds the neighbours of a few queries: the nearest of each span of
// rows, spans in parallel, then the nearest of those. It stops early, with an
// incomplete result, when ctx ends.
func (x *Index) search(ctx context.Context, queries [][]float32, k int) [][]Neighbor {
	rows := max(1, spanBytes/(4*x.Dim()))
	spans := make([][][]Neighbor, (x.Len()+rows-1)/rows)
	parallel.For(len(spans), func(s int) {
		if ctx.Err() != nil {
			return
		}
		spans[s] = make([][]Neighbor, len(queries))
		for i, q := range queries {
			spans[s][i] = x.nearest(q, s*rows, min(x.Len(), (s+1)*rows), k)
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	found := make([][]Neighbor, len(queries))
	parallel.For(len(queries), func(i int) {
		candidates := make([]Neighbor, 0, min(x.Len(), k*len(spans)))
		for _, span := range spans {
			candidates = append(candidates, span[i]...)
		}
		slices.SortFunc(candidates, compare)
		found[i] = slices.Clone(candidates[:k])
	})
	return found
}

// nearest returns the k rows of [lo, hi) nearest to q, in no order.
func (x *Index) nearest(q []float32, lo, hi, k int) []Neighbor {
	best := make(heap, 0, min(k, hi-lo))
	switch x.metric {
	case Cosine:
		s := scale(q)
		for row := lo; row < hi; row++ {
			best.offer(Neighbor{row, cosineDistance(q, x.vectors.Row(row), s, x.scales[row])})
		}
		return best
	case InnerProduct:
		for row := lo; row < hi; row++ {
			best.offer(Neighbor{row, -dot(q, x.vectors.Row(row))})
		}
		return best
	}
	for row := lo; row < hi; {
		// Four rows at a time: four sums that do not wait for each other.
		if row+4 <= hi {
			for _, d := range squaredDistances(q, x.vectors.Row(row), x.vectors.Row(row+1), x.vectors.Row(row+2), x.vectors.Row(row+3)) {
				best.offer(Neighbor{row, math.Sqrt(d)})
				row++
			}
			continue
		}
		best.offer(Neighbor{row, math.Sqrt(squaredDistance(q, x.vectors.Row(row)))})
		row++
	}
	return best
}
