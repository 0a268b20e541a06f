// Package benchtest is what benchmarks and tests of allocations share.
package benchtest

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"lookalike/internal/sweeptest"
)

// Allocations fails unless a call of f makes at most so many allocations in the steady
// state, on that many processors, which [testing.AllocsPerRun] cannot be told.
//
// On a busy machine goroutines change processors, and each processor fills a pool of its
// own: rounds go on, without collections, until one shows no more than f may allocate.
// What f allocates in every call shows in all of them.
// Where the race detector runs, pools lose things at random, and the test is skipped.
func Allocations(t testing.TB, what string, procs, runs, most int, f func()) {
	t.Helper()
	SkipRacing(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	least := math.MaxInt
	for round := 0; least > most && round < 100; round++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			f()
		}
		runtime.ReadMemStats(&after)
		least = min(least, int(after.Mallocs-before.Mallocs)/runs)
	}
	if least > most {
		t.Errorf("%s, procs %d: %d allocations, want at most %d", what, procs, least, most)
	}
}

// SkipRacing skips a test of how much memory something takes where the race detector runs,
// with which everything takes several times as much.
func SkipRacing(t testing.TB) {
	t.Helper()
	if sweeptest.Racing {
		t.Skip("memory is not what it is without the race detector")
	}
}

// Some returns the first n cases of a benchmark, those that show most, or all if the
// environment has LOOKALIKE_BENCH=all: all of all packages take a quarter of an hour.
func Some[T any](cases []T, n int) []T {
	if os.Getenv("LOOKALIKE_BENCH") == "all" {
		return cases
	}
	return cases[:min(n, len(cases))]
}

// All skips a benchmark that only runs with LOOKALIKE_BENCH=all.
func All(b *testing.B) {
	if os.Getenv("LOOKALIKE_BENCH") != "all" {
		b.Skip("LOOKALIKE_BENCH=all runs it")
	}
}
