// Package memory says how much of it the process may take, and how much of that a cache,
// so that all that is kept for speed alone stays within the limit that the user has set.
package memory

import (
	"math"
	"runtime/debug"
	"sync/atomic"
)

// outside is what a process has that the Go runtime does not count: the pages of the
// program itself that have been used (measured: 16 MB), and the stacks of its threads.
const outside = 20e6

// kept is what Keep was told, and what it made of it.
var kept atomic.Pointer[struct{ process, runtime int64 }]

// Keep has the process keep within a limit. The Go runtime gets what the program itself
// leaves of it, of a small limit half.
func Keep(limit int64) {
	k := &struct{ process, runtime int64 }{limit, max(limit-outside, limit/2)}
	debug.SetMemoryLimit(k.runtime)
	kept.Store(k)
}

// Limit returns the process's memory limit: what Keep was told, or else the Go
// runtime's, as debug.SetMemoryLimit or the environment variable GOMEMLIMIT says.
// math.MaxInt64 is none.
func Limit() int64 {
	limit := debug.SetMemoryLimit(-1) // a negative one is not set, only told
	if k := kept.Load(); k != nil && k.runtime == limit {
		return k.process
	}
	return limit
}

// Share returns most, the bytes that a cache takes at best, or a part-th of the
// process's memory limit if that is less.
func Share(most, part int) int {
	limit := Limit()
	if limit == math.MaxInt64 {
		return most
	}
	return int(min(int64(most), limit/int64(part)))
}
