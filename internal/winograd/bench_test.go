package winograd_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
	"lookalike/internal/winograd"
	"lookalike/tensor"
)

// BenchmarkVGG runs VGG16's convolutions, first picture by picture, then eight at a
// time, with bias and ReLU, and the pool where one follows. Kernels take turns, as
// many as exceed the last-level cache: in a network others are used in between. The
// rate counts the multiplications and additions of the direct method.
func BenchmarkVGG(b *testing.B) {
	for _, batch := range benchtest.Some([]int{1, 8}, 1) {
		type shape struct {
			size, in, out int
			pool          bool
		}
		for _, s := range benchtest.Some([]shape{
			{112, 128, 128, true}, {28, 512, 512, false}, {224, 64, 64, true}, {112, 64, 128, false}, {56, 128, 256, false}, {56, 256, 256, false},
			{56, 256, 256, true}, {28, 256, 512, false}, {28, 512, 512, true}, {14, 512, 512, false}, {14, 512, 512, true},
		}, 2) {
			name := fmt.Sprintf("tier=%s/batch=%d/size=%d/in=%d/out=%d/pool=%t", cpu.Tier(), batch, s.size, s.in, s.out, s.pool)
			w := tensor.Window{Size: [2]int{3, 3}, Stride: [2]int{1, 1}, Pad: [2]int{1, 1}}
			x, bias := tensor.New(batch, s.size, s.size, s.in), tensor.New(s.out)
			fill(x.Data())
			y := tensor.New(batch, s.size, s.size, s.out)
			flop := 2 * 9 * float64(batch*s.size*s.size*s.in*s.out)
			b.Run(name+"/method=direct", func(b *testing.B) {
				kernels := make([]*tensor.Tensor, 1+48<<20/(36*s.in*s.out))
				for i := range kernels {
					kernels[i] = tensor.New(3, 3, s.in, s.out)
				}
				report(b, flop, func(i int) { tensor.Conv2D(y, x, kernels[i%len(kernels)], bias, w) })
			})
			for _, tile := range []int{2, 4} {
				b.Run(fmt.Sprintf("%s/method=F%d", name, tile), func(b *testing.B) {
					weights := make([]float32, 9*s.in*s.out)
					fill(weights)
					kernels := make([]*winograd.Kernel, 1+48<<20/(4*(tile+2)*(tile+2)*s.in*s.out))
					for i := range kernels {
						kernels[i] = winograd.Transform(tile, weights, s.in, s.out)
					}
					dst := y.Data()
					if s.pool {
						dst = dst[:len(dst)/4]
					}
					report(b, flop, func(i int) {
						kernels[i%len(kernels)].Convolve(dst, x.Data(), batch, s.size, s.size, 1, 1, s.size, s.size,
							winograd.Epilogue{Bias: bias.Data(), ReLU: true, Pool: s.pool})
					})
				})
			}
		}
	}
}

func fill(s []float32) {
	for i := range s {
		s[i] = float32(i%17)/16 - 0.5
	}
}

// report times f and reports the median rate: on a shared machine the mean does not
// repeat.
func report(b *testing.B, flop float64, f func(i int)) {
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		f(len(times))
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	median := times[len(times)/2]
	b.ReportMetric(float64(median), "ns/op")
	b.ReportMetric(flop/median.Seconds()/1e9, "GFLOP/s")
	b.ReportMetric(float64(times[0].Microseconds())/1e3, "ms-best")
}
