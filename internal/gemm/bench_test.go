package gemm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
)

// BenchmarkMul runs square products, VGG16's convolutions as products, and its
// first dense layer, for one picture and for 32, hot, each after itself, and cold,
// after the caches have held something else.
func BenchmarkMul(b *testing.B) {
	type shape struct{ m, n, k int }
	for _, s := range benchtest.Some([]shape{
		{1024, 1024, 1024}, {64, 50176, 576}, {1, 4096, 25088}, {2048, 2048, 2048}, {128, 12544, 1152}, {256, 3136, 2304},
		{512, 784, 4608}, {512, 196, 4608}, {32, 4096, 25088},
	}, 3) {
		for _, trans := range benchtest.Some([]string{"NN", "TN", "NT"}, 1) {
			for _, heat := range benchtest.Some([]string{"hot", "cold"}, 1) {
				b.Run(fmt.Sprintf("tier=%s/m=%d/n=%d/k=%d/layout=%s/heat=%s", cpu.Tier(), s.m, s.n, s.k, trans, heat), func(b *testing.B) {
					r := rand.New(rand.NewPCG(1, 1))
					x, y, c := random(r, s.m*s.k), random(r, s.k*s.n), make([]float32, s.m*s.n)
					elsewhere := make([]float32, 16<<20)
					transA, transB, lda, ldb := trans[0] == 'T', trans[1] == 'T', s.k, s.n
					if transA {
						lda = s.m
					}
					if transB {
						ldb = s.k
					}
					var times []time.Duration
					for b.Loop() {
						if heat == "cold" {
							for i := range elsewhere {
								elsewhere[i]++
							}
						}
						start := time.Now()
						Mul(transA, transB, s.m, s.n, s.k, x, lda, y, ldb, Epilogue{}, c, s.n)
						times = append(times, time.Since(start))
					}
					slices.Sort(times) // the median: on a shared machine the mean does not repeat
					median := times[len(times)/2]
					b.ReportMetric(float64(median), "ns/op")
					b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)/median.Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
