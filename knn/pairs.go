package knn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
)

// Pair is two vectors of an index, A the lower row, and their distance.
type Pair struct {
	A, B     int
	Distance float64
}

// Pairs returns all pairs of vectors at a distance of at most radius, by ascending
// A and, for the same A, nearest first. It ends with an error, beside an empty pair,
// if radius is NaN or ctx ends. Memory is needed for the pairs of some thousand
// rows A at a time.
func (x *Index) Pairs(ctx context.Context, radius float64) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		if err := x.made(); err != nil {
			yield(Pair{}, fmt.Errorf("knn: %w", err))
			return
		}
		if radius != radius {
			yield(Pair{}, errors.New("knn: a radius of NaN"))
			return
		}
		for at := 0; at < x.Len(); at += roundQueries {
			var rows [][]float32
			for row := at; row < min(at+roundQueries, x.Len()); row++ {
				rows = append(rows, x.row(row))
			}
			found, err := x.search(ctx, rows, wanted{most: math.MaxInt, radius: radius, after: at})
			if err != nil {
				yield(Pair{}, err)
				return
			}
			for i, list := range found {
				if !x.keeps(at + i) {
					continue
				}
				for _, n := range list {
					if !yield(Pair{at + i, n.Row, n.Distance}, nil) {
						return
					}
				}
			}
		}
	}
}
