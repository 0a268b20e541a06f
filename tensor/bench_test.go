package tensor_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lookalike/internal/benchtest"
	"lookalike/internal/cpu"
	"lookalike/tensor"
)

// The convolutions of the article's autoencoder: size of the input, channels in
// and out. The last two are transposed, from the output's side.
var autoencoderShapes = []struct{ size, in, out, stride int }{
	{224, 3, 32, 1}, {112, 32, 64, 1}, {56, 64, 128, 1}, {28, 128, 256, 1},
	{28, 128, 256, 2}, {56, 64, 128, 2}, {112, 32, 64, 2}, {224, 3, 32, 2},
}

var elsewhere = make([]float32, 16<<20)

// BenchmarkConv measures the convolutions of 8 pictures, and their gradients, hot, each
// after itself, and cold, after the caches have held something else.
func BenchmarkConv(b *testing.B) {
	for _, s := range benchtest.Some(autoencoderShapes, 2) {
		const batch = 8
		side := s.size / s.stride
		x, y := tensor.New(batch, s.size, s.size, s.in), tensor.New(batch, side, side, s.out)
		k := tensor.New(3, 3, s.in, s.out)
		w := tensor.Window{Size: [2]int{3, 3}, Stride: [2]int{s.stride, s.stride}, Pad: [2]int{2 - s.stride, 2 - s.stride}}
		for _, op := range []struct {
			name string
			run  func()
		}{
			{"forward", func() { tensor.Conv2D(y, x, k, nil, w) }},
			{"input", func() { tensor.Conv2DInputGrad(x, y, k, nil, w) }},
			{"kernel", func() { tensor.Conv2DKernelGrad(k, x, y, w, false) }},
		} {
			for _, heat := range benchtest.Some([]string{"hot", "cold"}, 1) {
				b.Run(fmt.Sprintf("tier=%s/size=%d/in=%d/out=%d/stride=%d/op=%s/heat=%s", cpu.Tier(), s.size, s.in, s.out, s.stride, op.name, heat), func(b *testing.B) {
					var times []time.Duration
					for b.Loop() {
						if heat == "cold" {
							for i := range elsewhere {
								elsewhere[i]++
							}
						}
						start := time.Now()
						op.run()
						times = append(times, time.Since(start))
					}
					slices.Sort(times) // the median: on a shared machine the mean does not repeat
					median := times[len(times)/2]
					b.ReportMetric(float64(median), "ns/op")
					flop := 2 * float64(batch*side*side*9*s.in*s.out)
					b.ReportMetric(flop/median.Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
