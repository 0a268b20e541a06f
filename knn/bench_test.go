package knn

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// normal returns n vectors of Gaussian noise.
func normal(n, d int, seed uint64) *tensor.Tensor {
	x := tensor.New(n, d)
	parallel.Spans(n, 1<<12, func(lo, hi int) {
		rng := rand.New(rand.NewPCG(seed, uint64(lo)))
		for i := lo * d; i < hi*d; i++ {
			x.Data()[i] = float32(rng.NormFloat64())
		}
	})
	return x
}

// BenchmarkSearch looks for 10 neighbours in Gaussian noise, the hardest to search.
func BenchmarkSearch(b *testing.B) {
	for _, s := range benchtest.Some([][3]int{{9144, 32, 9144}, {9144, 4096, 1}, {9144, 4096, 1000}, {200000, 512, 1}, {200000, 512, 1000}, {1000000, 128, 1}, {1000000, 128, 1000}}, 2) {
		b.Run(fmt.Sprintf("tier=%s/rows=%d/d=%d/queries=%d", cpu.Tier(), s[0], s[1], s[2]), func(b *testing.B) {
			x, err := New(normal(s[0], s[1], 1), Euclidean)
			if err != nil {
				b.Fatal(err)
			}
			queries := make([][]float32, s[2])
			q := normal(s[2], s[1], 2)
			for i := range queries {
				queries[i] = q.Row(i)
			}
			for _, kind := range []string{"plain", "prefiltered"} {
				start := time.Now()
				if kind != "plain" {
					x = x.Prefiltered()
				}
				made := time.Since(start)
				b.Run("kind="+kind, func(b *testing.B) {
					for b.Loop() {
						if _, err := x.Search(b.Context(), queries, 10); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(queries)), "µs/query")
					b.ReportMetric(made.Seconds()*1e3, "ms/codes")
				})
			}
		})
	}
}
