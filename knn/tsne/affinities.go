package tsne

import (
	"context"
	"fmt"
	"math"
	"slices"

	"lookalike/internal/parallel"
	"lookalike/knn"
	"lookalike/tensor"
)

// affinities are how near vectors are to each other, as probabilities of pairs:
// the rows of a symmetric matrix that sums to 1, without its zeros.
type affinities struct {
	start   []int // of each row, and of the end
	columns []int32
	p       []float64
}

func (a *affinities) row(i int) ([]int32, []float64) {
	return a.columns[a.start[i]:a.start[i+1]], a.p[a.start[i]:a.start[i+1]]
}

// neighborhoods finds the affinities of the vectors of an index, at least 2, from
// three times as many neighbours of each as the perplexity: what lies further away
// counts for nothing.
func neighborhoods(ctx context.Context, index *knn.Index, vectors *tensor.Tensor, perplexity float64) (*affinities, error) {
	n := vectors.Dim(0)
	perplexity = max(1, min(perplexity, float64(n-1)/3))
	k := min(n-1, int(3*perplexity))
	queries := make([][]float32, n)
	for i := range queries {
		queries[i] = vectors.Row(i)
	}
	near, err := index.Search(ctx, queries, k+1)
	if err != nil {
		return nil, fmt.Errorf("tsne: %w", err)
	}
	rows, p := make([][]int32, n), make([][]float64, n)
	parallel.Spans(n, someRows, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var squares []float64
			for _, found := range near[i] {
				if found.Row == i || len(squares) == k {
					continue
				}
				rows[i] = append(rows[i], int32(found.Row))
				if index.Metric() == knn.Cosine { // half the square of a distance
					squares = append(squares, 2*found.Distance)
				} else {
					squares = append(squares, found.Distance*found.Distance)
				}
			}
			p[i] = calibrate(squares, perplexity)
		}
	})
	return symmetric(rows, p), ctx.Err()
}

// calibrate returns the probabilities exp(-β square), with a sum of 1, whose
// entropy is the logarithm of the perplexity. Where squares are equal there may be
// no such β; then the probabilities are as near to it as may be.
func calibrate(squares []float64, perplexity float64) []float64 {
	// What counts is by how much neighbours are further away than the nearest.
	least := slices.Min(squares)
	var mean float64
	for _, s := range squares {
		mean += (s - least) / float64(len(squares))
	}
	p := make([]float64, len(squares))
	beta, low, high := 1.0, 0.0, math.Inf(1)
	if mean > 0 {
		beta = 1 / mean
	}
	for range 100 {
		var sum, weighted float64
		for i, s := range squares {
			p[i] = math.Exp(-beta * (s - least))
			sum += p[i]
			weighted += p[i] * (s - least)
		}
		for i := range p {
			p[i] /= sum
		}
		excess := math.Log(sum) + beta*weighted/sum - math.Log(perplexity)
		switch {
		case math.Abs(excess) < 1e-9:
			return p
		case excess < 0:
			high = beta
			beta = (beta + low) / 2
		case math.IsInf(high, 1):
			low = beta
			beta *= 2
		default:
			low = beta
			beta = (beta + high) / 2
		}
	}
	return p
}

// symmetric returns the mean of a matrix and its transpose, divided by the number
// of rows. Row i of the matrix has p[i] at the places rows[i].
func symmetric(rows [][]int32, p [][]float64) *affinities {
	n := len(rows)
	transposed, weights := make([][]int32, n), make([][]float64, n)
	for i, row := range rows {
		for k, j := range row {
			transposed[j] = append(transposed[j], int32(i))
			weights[j] = append(weights[j], p[i][k])
		}
	}
	a := &affinities{start: make([]int, 1, n+1)}
	at := make([]int, n) // of row i: where the other half's value of a column is, plus 1
	for i := range n {
		for k, j := range rows[i] {
			a.columns = append(a.columns, j)
			a.p = append(a.p, p[i][k]/float64(2*n))
			at[j] = len(a.p)
		}
		for k, j := range transposed[i] {
			if v := weights[i][k] / float64(2*n); at[j] > a.start[i] {
				a.p[at[j]-1] += v
			} else {
				a.columns = append(a.columns, j)
				a.p = append(a.p, v)
			}
		}
		a.start = append(a.start, len(a.p))
	}
	return a
}
