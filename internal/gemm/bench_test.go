package gemm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkMul runs square products, VGG16's convolutions as products, and its
// first dense layer, for one picture and for 32, hot, each after itself, and cold,
// after the caches have held something else.
func BenchmarkMul(b *testing.B) {
	for _, s := range []struct{ m, n, k int }{
		{1024, 1024, 1024}, {2048, 2048, 2048}, {64, 50176, 576}, {128, 12544, 1152}, {256, 3136, 2304},
		{512, 784, 4608}, {512, 196, 4608}, {1, 4096, 25088}, {32, 4096, 25088},
	} {
		for _, trans := range []string{"NN", "TN", "NT"} {
			for _, heat := range []string{"hot", "cold"} {
				b.Run(fmt.Sprintf("%dx%dx%d/%s/%s", s.m, s.n, s.k, trans, heat), func(b *testing.B) {
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
					b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)/times[len(times)/2].Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
