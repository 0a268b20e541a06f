package tile

import (
	"fmt"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/internal/kerneltest"
)

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
						kerneltest.ReportRate(b, 100*2*float64(rows*cols*k), func() {
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
			kerneltest.HotAndCold(b, fmt.Sprintf("tier=%s/way=%s", t.name, name), flop, run)
		}
	}
}
