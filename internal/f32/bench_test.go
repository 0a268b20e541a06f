package f32

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lookalike/internal/benchtest"
)

// reportRate times f, which takes flop operations, and reports the median time and
// rate: on a shared machine the mean does not repeat.
func reportRate(b *testing.B, flop float64, f func()) {
	reportRateAfter(b, flop, func() {}, f)
}

// reportRateAfter does it for f alone, and calls before in front of each f.
func reportRateAfter(b *testing.B, flop float64, before, f func()) {
	var times []time.Duration
	for b.Loop() {
		before()
		start := time.Now()
		f()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	median := times[len(times)/2]
	b.ReportMetric(float64(median), "ns/op")
	b.ReportMetric(flop/median.Seconds()/1e9, "GFLOP/s")
}

// hotAndCold times f with caches full of what it needs, and full of something else.
func hotAndCold(b *testing.B, name string, flop float64, f func()) {
	for _, heat := range benchtest.Some([]string{"hot", "cold"}, 1) {
		before := func() {}
		if heat == "cold" {
			before = evict
		}
		b.Run(name+"/heat="+heat, func(b *testing.B) { reportRateAfter(b, flop, before, f) })
	}
}

// evict fills the caches with something else.
func evict() {
	for i := range elsewhere {
		elsewhere[i]++
	}
}

var elsewhere = make([]float32, 16<<20)

// BenchmarkKernel runs whole tiles whose A, B and C are in the first-level cache:
// the bound of every product.
func BenchmarkKernel(b *testing.B) {
	for _, t := range available {
		x := &t.kernel
		for _, k := range benchtest.Some([]int{256, 64}, 1) {
			for _, down := range benchtest.Some([]string{"all", "half", "one"}, 1) {
				for _, across := range benchtest.Some([]string{"all", "half"}, 1) {
					size := map[string]int{"all": 1, "half": 2, "one": x.MR}
					rows, cols := x.MR/size[down], x.NR/size[across]
					b.Run(fmt.Sprintf("tier=%s/rows=%s/cols=%s/k=%d", t.name, down, across, k), func(b *testing.B) {
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

// BenchmarkReading runs whole tiles whose B is not packed, at the depth of VGG16's
// first blocks: B in the caches, and B in memory.
func BenchmarkReading(b *testing.B) {
	const k, columns = 576, 4096
	from := make([]float32, k*columns)
	for _, t := range available {
		x := &t.kernel
		a, panel, c := make([]float32, x.MR*k), make([]float32, k*x.NR), make([]float32, x.MR*x.NR)
		for _, way := range readingWays(x) {
			to, name := panel, "packs"
			if way == inPlace {
				to, name = nil, "inPlace"
			}
			run := func() { x.MulPack(x.MR, k, a, k, 1, from, columns, to, Address(from, x.NR), nil, 0, c, x.NR) }
			flop := 2 * float64(x.MR*x.NR*k)
			hotAndCold(b, fmt.Sprintf("tier=%s/way=%s", t.name, name), flop, run)
		}
	}
}

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
				hotAndCold(b, fmt.Sprintf("op=%s/tier=%s/n=%d", k.name, t.name, n), float64(k.flop*n), run)
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
				hotAndCold(b, fmt.Sprintf("op=%s/tier=%s/channels=%d", k.name, t.name, channels), float64(k.flop*n), k.run)
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
			hotAndCold(b, fmt.Sprintf("op=%s/tier=%s", k.name, t.name), float64(k.flop*n), k.run)
		}
	}
}
