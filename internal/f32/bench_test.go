package f32

import (
	"fmt"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/internal/kerneltest"
)

// BenchmarkElementwise runs the vector kernels over a row of VGG16's first block and
// over the code before the dense layers, hot, and over whole activations, hot (as
// far as caches hold them) and cold. An exponential counts as one operation.
func BenchmarkElementwise(b *testing.B) {
	const most = 224 * 224 * 64
	x, y := make([]float32, most), make([]float32, most)
	for i := range x {
		x[i] = float32(i%200)/50 - 2
	}
	for _, t := range available {
		type kernel struct {
			name string
			flop int // for each value
			run  func(x, y []float32)
		}
		for _, k := range benchtest.Some([]kernel{
			{"dot", 2, func(x, y []float32) { t.dot(x, y) }},
			{"axpy", 2, func(x, y []float32) { t.axpy(y, 0, x) }},
			{"elu", 2, func(x, y []float32) { t.elu(y, x, 1) }},
			{"squaredDistance", 3, func(x, y []float32) { t.squaredDistance(x, y) }},
			{"exp", 1, func(x, y []float32) { t.exp(y, x) }},
			{"relu", 1, func(x, y []float32) { t.relu(y, x) }},
			{"reluGrad", 1, func(x, y []float32) { t.reluGrad(y, x, x) }},
			{"eluGrad", 2, func(x, y []float32) { t.eluGrad(y, x, x, 1) }},
		}, 3) {
			for _, n := range benchtest.Some([]int{224 * 64, 7 * 7 * 512, 112 * 112 * 32, most}, 1) {
				run := func() { k.run(x[:n], y[:n]) }
				kerneltest.HotAndCold(b, fmt.Sprintf("op=%s/tier=%s/n=%d", k.name, t.name, n), float64(k.flop*n), run)
			}
		}
	}
}

// BenchmarkMaxPool pools VGG16's and the autoencoder's rows of 112 windows, in the
// caches and in memory. A comparison, or a value that is moved, counts as one operation.
func BenchmarkMaxPool(b *testing.B) {
	for _, channels := range benchtest.Some([]int{64, 32}, 1) {
		n := 112 * channels
		top, bottom, y, choice := make([]float32, 2*n), make([]float32, 2*n), make([]float32, n), make([]uint8, n)
		for i := range top {
			top[i], bottom[i] = float32(i*7919%1000), float32(i*104729%1000)
		}
		for _, t := range available {
			for _, k := range []struct {
				name string
				flop int // for each value
				run  func()
			}{
				{"values", 3, func() { t.maxPool(channels, y, nil, top, bottom) }},
				{"choice", 3, func() { t.maxPool(channels, y, choice, top, bottom) }},
				{"grad", 4, func() { t.maxPoolGrad(channels, top, bottom, y, choice) }},
			} {
				kerneltest.HotAndCold(b, fmt.Sprintf("op=%s/tier=%s/channels=%d", k.name, t.name, channels), float64(k.flop*n), k.run)
			}
		}
	}
}

// BenchmarkOptimizers updates a part of the autoencoder's dense layers, in the
// second-level cache and in memory. Every arithmetic instruction counts as one operation.
func BenchmarkOptimizers(b *testing.B) {
	const n = 1 << 15
	w, g, m, u := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range w {
		w[i], g[i] = float32(i%100), float32(i%7)
	}
	for _, t := range available {
		for _, k := range []struct {
			name string
			flop int // for each value
			run  func()
		}{
			{"adamax", 11, func() { t.adamax(w, g, m, u, 0.1, 0.999, 1e-3, 0.5, 1e-7) }},
			{"adam", 15, func() { t.adam(w, g, m, u, 0.1, 1e-3, 0, 1e-3, 1e-3, 1e-7) }},
		} {
			kerneltest.HotAndCold(b, fmt.Sprintf("op=%s/tier=%s", k.name, t.name), float64(k.flop*n), k.run)
		}
	}
}
