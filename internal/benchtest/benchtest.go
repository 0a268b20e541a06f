// Package benchtest is what benchmarks and tests of allocations share.
package benchtest

import (
	"os"
	"runtime"
	"testing"
)

// Count returns how many allocations a call of f makes in the steady state, on that many
// processors. [testing.AllocsPerRun] knows one processor only. Of many rounds the least
// counts, and each begins after a collection: what other goroutines allocate, or a
// collection takes from a pool, is seen in some of them, what f allocates in all.
// Where the race detector runs, pools lose things at random, and the test is skipped.
func Count(t testing.TB, procs, runs int, f func()) int {
	t.Helper()
	SkipRacing(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	least := -1
	for range 5 {
		runtime.GC()
		for range runs { // memory for all processors and goroutines
			f()
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			f()
		}
		runtime.ReadMemStats(&after)
		if n := int(after.Mallocs-before.Mallocs) / runs; least < 0 || n < least {
			least = n
		}
	}
	return least
}

// SkipRacing skips a test of how much memory something takes where the race detector runs,
// with which everything takes several times as much.
func SkipRacing(t testing.TB) {
	t.Helper()
	if racing {
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
