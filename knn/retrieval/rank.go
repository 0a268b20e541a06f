package retrieval

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"

	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/knn"
	"lookalike/tensor"
)

// ranker orders vectors by their distance from one of them. Matrix products in
// float32 give all distances with a certified error; only where these leave the
// order open are distances computed in float64.
type ranker struct {
	x       *tensor.Tensor
	metric  knn.Metric
	lengths []float64 // of the vectors
	longest float64
	batch   int // queries whose products are taken together
}

const (
	// span is how many products gemm adds up in float32; more are added in
	// float64. Shorter sums have smaller errors and so leave less open.
	span = 64

	// productError bounds the error of a sum of span products, as a part of the
	// product of the lengths: each of span roundings is at most 2^-24.
	productError = span * 0x1.01p-24

	batchValues = 1 << 24 // products held at a time: 200 MB
	mostQueries = 256
)

func newRanker(x *tensor.Tensor, metric knn.Metric) (*ranker, error) {
	if _, err := knn.ParseMetric(metric.String()); err != nil {
		return nil, fmt.Errorf("retrieval: there is no metric %v", metric)
	}
	n, d := x.Dim(0), x.Dim(1)
	for i, v := range x.Data() {
		if v-v != 0 {
			return nil, fmt.Errorf("retrieval: vector of row %d has %v at place %d", i/d, v, i%d)
		}
	}
	r := &ranker{x: x, metric: metric, lengths: make([]float64, n), batch: min(max(batchValues/n, 1), mostQueries, n)}
	if metric == knn.Cosine {
		r.x = tensor.New(n, d)
		parallel.For(n, func(i int) {
			if length := float32(norm(x.Row(i))); length > 0 {
				for j, v := range x.Row(i) {
					r.x.Row(i)[j] = v / length
				}
			}
		})
	}
	parallel.For(n, func(i int) { r.lengths[i] = norm(r.x.Row(i)) })
	r.longest = slices.Max(r.lengths)
	if r.longest > 1e15 {
		return nil, fmt.Errorf("retrieval: the vector of row %d has a length of %.3g; its products are beyond float32", slices.Index(r.lengths, r.longest), r.longest)
	}
	return r, nil
}

// norm returns a vector's length.
func norm(a []float32) float64 { return math.Sqrt(dot(a, a)) }

// products returns the inner products of the queries [lo, hi) with all vectors.
func (r *ranker) products(lo, hi int) []float64 {
	n, d := r.x.Dim(0), r.x.Dim(1)
	all, part := make([]float64, (hi-lo)*n), make([]float32, (hi-lo)*n)
	for k := 0; k < d; k += span {
		gemm.Mul(false, true, hi-lo, n, min(span, d-k), r.x.Data()[lo*d+k:], d, r.x.Data()[k:], d, gemm.Epilogue{}, part, n)
		parallel.For(hi-lo, func(i int) {
			sums, values := all[i*n:(i+1)*n], part[i*n:(i+1)*n]
			for j, v := range values {
				sums[j] += float64(v)
			}
		})
	}
	return all
}

// rank returns all rows but the query's own, nearest first. products are the
// query's. Where settled, if not nil, says so of the rows that stand at place at
// and behind it, their order is left open.
func (r *ranker) rank(query int, products []float64, settled func(at int, rows iter.Seq[int]) bool) []int {
	type place struct {
		row      int
		distance float64
	}
	byDistance := func(a, b place) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.row, b.row))
	}
	places := make([]place, 0, len(products)-1)
	for row, product := range products {
		if row != query {
			places = append(places, place{row, r.fromProduct(query, row, product)})
		}
	}
	slices.SortFunc(places, byDistance)

	// Neighbours in the order whose distances differ by less than their errors
	// together may stand the other way round.
	open := 2*2*productError*r.lengths[query]*r.longest + // of the products
		1e-14*r.longest*r.longest + float64(r.x.Dim(1))*0x1p-140 // of float64, and of numbers near zero
	for lo := 0; lo < len(places); {
		hi := lo + 1
		for hi < len(places) && !(places[hi].distance-places[hi-1].distance > open) {
			hi++
		}
		run := places[lo:hi]
		rows := func(yield func(int) bool) {
			for _, p := range run {
				if !yield(p.row) {
					return
				}
			}
		}
		if len(run) > 1 && (settled == nil || !settled(lo, rows)) {
			for i := range run {
				run[i].distance = r.exact(query, run[i].row)
			}
			slices.SortFunc(run, byDistance)
		}
		lo = hi
	}
	ranking := make([]int, len(places))
	for i, p := range places {
		ranking[i] = p.row
	}
	return ranking
}

// fromProduct returns a distance that follows from an inner product.
func (r *ranker) fromProduct(a, b int, product float64) float64 {
	if r.metric == knn.InnerProduct {
		return -product
	}
	return r.lengths[a]*r.lengths[a] + r.lengths[b]*r.lengths[b] - 2*product
}

// exact returns the same distance in float64: squared, or the inner product with
// its sign turned.
func (r *ranker) exact(a, b int) float64 {
	x, y := r.x.Row(a), r.x.Row(b)
	if r.metric == knn.InnerProduct {
		return -dot(x, y)
	}
	var s0, s1, s2, s3 float64 // which do not wait for each other
	for ; len(x) >= 4 && len(y) >= 4; x, y = x[4:], y[4:] {
		d0, d1, d2, d3 := float64(x[0])-float64(y[0]), float64(x[1])-float64(y[1]), float64(x[2])-float64(y[2]), float64(x[3])-float64(y[3])
		s0 += float64(d0 * d0)
		s1 += float64(d1 * d1)
		s2 += float64(d2 * d2)
		s3 += float64(d3 * d3)
	}
	for i, v := range x {
		d := float64(v) - float64(y[i])
		s0 += float64(d * d)
	}
	return (s0 + s1) + (s2 + s3)
}

// dot returns the inner product in float64.
func dot(x, y []float32) (sum float64) {
	for i, v := range x {
		sum += float64(float64(v) * float64(y[i]))
	}
	return sum
}
