package kerneltest

import (
	"slices"
	"testing"
	"time"

	"lookalike/internal/benchtest"
)

// ReportRate times f, which takes flop operations, and reports the median time and
// rate: on a shared machine the mean does not repeat.
func ReportRate(b *testing.B, flop float64, f func()) {
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

// HotAndCold times f with caches full of what it needs, and full of something else.
func HotAndCold(b *testing.B, name string, flop float64, f func()) {
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
