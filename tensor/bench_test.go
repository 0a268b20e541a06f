package tensor_test

import (
	"fmt"
	"testing"

	"lookalike/tensor"
)

// The convolutions of the article's autoencoder: size of the input, channels in
// and out. The last two are transposed, from the output's side.
var autoencoderShapes = []struct{ size, in, out, stride int }{
	{224, 3, 32, 1}, {112, 32, 64, 1}, {56, 64, 128, 1}, {28, 128, 256, 1},
	{28, 128, 256, 2}, {56, 64, 128, 2}, {112, 32, 64, 2}, {224, 3, 32, 2},
}

// BenchmarkConv measures the convolutions of 8 pictures, and their gradients.
func BenchmarkConv(b *testing.B) {
	for _, s := range autoencoderShapes {
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
			b.Run(fmt.Sprintf("%dx%dx%d-%d/stride%d/%s", s.size, s.size, s.in, s.out, s.stride, op.name), func(b *testing.B) {
				for b.Loop() {
					op.run()
				}
				flop := 2 * batch * side * side * 9 * s.in * s.out
				b.ReportMetric(float64(flop)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
