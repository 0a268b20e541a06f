package retrieval

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"lookalike/internal/gemm"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/internal/tile"
	"lookalike/knn"
	"lookalike/tensor"
)

// ranker orders vectors by their distance from one of them. Matrix products in
// float32 give all distances with a certified error; only where these leave the
// order open are distances computed in float64. It keeps no copy of the vectors.
type ranker struct {
	x       *tensor.Tensor
	rows    []int     // of x, that are ranked
	divisor []float32 // of Cosine: what brings each of them to length 1; else nil
	metric  knn.Metric
	lengths []float64 // of the vectors
	longest float64
	batch   int // queries whose products are taken together

	sums            []float64 // what products returns, for the next time
	part            []float32
	queries, others []float32
	two             sync.Pool // of [2][]float32: vectors of length 1
}

const (
	// span is how many products gemm adds up in float32; more are added in
	// float64. Shorter sums have smaller errors and so leave less open.
	span = 64

	// productError bounds the error of a sum of span products, as a part of the
	// product of the lengths: each of span roundings is at most 2^-24.
	productError = span * 0x1.01p-24

	mostQueries = 256

	productBytes  = 8 + 4     // of a product, and of the last part of its sum
	productsBytes = 192 << 20 // of those held at a time, or
	productsPart  = 8         // this part of the memory limit

	// fewestColumns is with how many vectors products are taken at a time, at least half of
	// it at the end: gemm computes those with fewer than tile.PartsGroup otherwise.
	fewestColumns = 2 * tile.PartsGroup
)

// atATime is how many products are held at a time.
func atATime() int { return memory.Share(productsBytes, productsPart) / productBytes }

func newRanker(x *tensor.Tensor, rows []int, metric knn.Metric) (*ranker, error) {
	if _, err := knn.ParseMetric(metric.String()); err != nil {
		return nil, fmt.Errorf("retrieval: there is no metric %v", metric)
	}
	for _, row := range rows {
		for j, v := range x.Row(row) {
			if v-v != 0 {
				return nil, fmt.Errorf("retrieval: vector of row %d has %v at place %d", row, v, j)
			}
		}
	}
	n, d := len(rows), x.Dim(1)
	r := &ranker{x: x, rows: rows, metric: metric, lengths: make([]float64, n), batch: min(max(atATime()/n, 1), mostQueries, n)}
	r.two.New = func() any { return &[2][]float32{make([]float32, d), make([]float32, d)} }
	if metric == knn.Cosine {
		r.divisor = make([]float32, n)
		parallel.For(n, func(i int) {
			if r.divisor[i] = float32(norm(x.Row(rows[i]))); r.divisor[i] == 0 {
				r.divisor[i] = float32(math.Inf(1)) // a vector of zeros stays one
			}
		})
	}
	parallel.For(n, func(i int) {
		two := r.two.Get().(*[2][]float32)
		defer r.two.Put(two)
		r.lengths[i] = norm(r.vector(i, two[0]))
	})
	r.longest = slices.Max(r.lengths)
	if r.longest > 1e15 {
		return nil, fmt.Errorf("retrieval: the vector of row %d has a length of %.3g; its products are beyond float32", rows[slices.Index(r.lengths, r.longest)], r.longest)
	}
	return r, nil
}

// norm returns a vector's length.
func norm(a []float32) float64 { return math.Sqrt(dot(a, a)) }

// vector returns a vector, which is made in to if it has to be brought to length 1.
func (r *ranker) vector(i int, to []float32) []float32 { return r.values(i, 0, to) }

// values returns values of a vector from k on, as many as there is room in to.
func (r *ranker) values(i, k int, to []float32) []float32 {
	v := r.x.Row(r.rows[i])[k:][:len(to)]
	if r.divisor == nil {
		return v
	}
	for j, value := range v {
		to[j] = value / r.divisor[i]
	}
	return to
}

// columns returns values k to k+width of vectors lo to hi, and how far apart they are;
// what has to be made of them in memory.
func (r *ranker) columns(lo, hi, k, width int, memory *[]float32) (values []float32, stride int) {
	if d := r.x.Dim(1); r.divisor == nil && len(r.rows) == r.x.Dim(0) {
		return r.x.Data()[lo*d+k:], d
	}
	*memory = grow(*memory, (hi-lo)*width)
	parallel.Spans(hi-lo, 256, func(from, to int) {
		for i := from; i < to; i++ {
			own := (*memory)[i*width:][:width]
			copy(own, r.values(lo+i, k, own))
		}
	})
	return *memory, width
}

// products returns the inner products of the queries [lo, hi) with vectors [from, to),
// until the next call.
func (r *ranker) products(lo, hi, from, to int) []float64 {
	m, n, d := hi-lo, to-from, r.x.Dim(1)
	r.sums, r.part = grow(r.sums, m*n), grow(r.part, m*n)
	clear(r.sums)
	for k := 0; k < d; k += span {
		width := min(span, d-k)
		a, lda := r.columns(lo, hi, k, width, &r.queries)
		b, ldb := r.columns(from, to, k, width, &r.others)
		gemm.Mul(false, true, m, n, width, a, lda, b, ldb, gemm.Epilogue{}, r.part, n)
		parallel.For(m, func(i int) {
			sums, values := r.sums[i*n:(i+1)*n], r.part[i*n:(i+1)*n]
			for j, v := range values {
				sums[j] += float64(v)
			}
		})
	}
	return r.sums
}

// grow returns a slice of n values, s itself if it is large enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
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
	two := r.two.Get().(*[2][]float32)
	defer r.two.Put(two)
	x, y := r.vector(a, two[0]), r.vector(b, two[1])
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
