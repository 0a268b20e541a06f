package f32

import (
	"fmt"
	"testing"
	"time"
)

// reportRate times f, which takes flop operations, and reports the mean and the
// best rate: on a shared machine the best is what repeats.
func reportRate(b *testing.B, flop float64, f func()) {
	best := time.Duration(1 << 62)
	for b.Loop() {
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(flop/best.Seconds()/1e9, "best-GFLOP/s")
}

// BenchmarkKernel runs whole tiles whose A, B and C are in the first-level cache:
// the bound of every product.
func BenchmarkKernel(b *testing.B) {
	for _, t := range available {
		x := &t.kernel
		for _, k := range []int{64, 256} {
			for _, rows := range []int{x.MR, x.MR / 2, 1} {
				for _, cols := range []int{x.NR, x.NR / 2} {
					b.Run(fmt.Sprintf("%s/%dx%dx%d", x.Name, rows, cols, k), func(b *testing.B) {
						a, p, c := make([]float32, rows*k), make([]float32, k*x.NR), make([]float32, rows*x.NR)
						reportRate(b, 100*2*float64(rows*cols*k), func() {
							for range 100 {
								x.Mul(rows, cols, k, a, k, 1, p, nil, 0, c, x.NR)
							}
						})
					})
				}
			}
		}
	}
}
