// Package memory says how much of it a cache may take, so that all that is kept
// for speed alone stays within the limit that the user has set for the process.
package memory

import (
	"math"
	"runtime/debug"
)

// Share returns most, the bytes that a cache takes at best, or a part-th of the
// process's memory limit if that is less. The limit is the Go runtime's: what
// debug.SetMemoryLimit or the environment variable GOMEMLIMIT says, none at first.
func Share(most, part int) int {
	limit := debug.SetMemoryLimit(-1) // a negative one is not set, only told
	if limit == math.MaxInt64 {
		return most
	}
	return int(min(int64(most), limit/int64(part)))
}
