package knn

import (
	"fmt"
	"testing"

	"lookalike/internal/benchtest"
)

// A search allocates what it returns, a list for each query and the list of these, and
// hardly anything for the way there, whichever way it goes.
func TestSearchAllocates(t *testing.T) {
	const besides = 1
	for _, s := range [][2]int{{300, 16}, {3000, 24}, {1500, 600}, {30000, 64}} {
		vectors, queries := normal(s[0], s[1], 1), normal(120, s[1], 2)
		for _, metric := range []Metric{Euclidean, Cosine, InnerProduct} {
			x, err := New(vectors, metric)
			if err != nil {
				t.Fatal(err)
			}
			for kind, x := range map[string]*Index{"plain": x, "prefiltered": x.Prefiltered()} {
				for _, n := range []int{1, 5, 20, 120} {
					var list [][]float32
					for i := range n {
						list = append(list, queries.Row(i))
					}
					for _, procs := range []int{1, 2} {
						what := fmt.Sprintf("%s, %v, %v, %d queries", kind, metric, s, n)
						benchtest.Allocations(t, what, procs, 3, 1+n+besides, func() { x.Search(t.Context(), list, 10) })
					}
				}
			}
		}
	}
}
