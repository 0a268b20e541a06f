// Package memory says how much of it the process may take, and how much of that a cache,
// so that all that is kept for speed alone stays within the limit that the user has set.
package memory

import (
	"fmt"
	"math"
	"runtime/debug"
	"sync"
)

// program is what a process has that the Go runtime does not count: the pages of the
// program itself that have been used (measured: 16 MB), and the stacks of its threads.
const program = 20e6

// keeping is what Keep was told, what is to be kept apart from the Go runtime's memory,
// the limit that the runtime was given in consequence, and what of it is reserved.
var keeping struct {
	sync.Mutex
	process, outside, runtime, reserved int64
}

// Keep has the process keep within a limit. The Go runtime gets what the program itself
// and what Outside tells of leave of it, less a tenth, for it goes over its own limit
// while it collects (measured: by 25 MB of 220); at least a quarter.
func Keep(limit int64) {
	keeping.Lock()
	defer keeping.Unlock()
	keeping.process = limit
	divide()
}

// Outside says that the process has so many bytes more in memory that the Go runtime
// does not count, such as a mapped file that it reads, or less if n is negative.
func Outside(n int64) {
	keeping.Lock()
	defer keeping.Unlock()
	told := told()
	if keeping.outside += n; told {
		divide()
	}
}

// told says whether the limit in force is that of Keep.
func told() bool { return keeping.process > 0 && debug.SetMemoryLimit(-1) == keeping.runtime }

func divide() {
	left := keeping.process - program - keeping.outside
	keeping.runtime = max(left-left/10, keeping.process/4)
	debug.SetMemoryLimit(keeping.runtime)
}

// Limit returns the process's memory limit: what Keep was told, or else the Go
// runtime's, as debug.SetMemoryLimit or the environment variable GOMEMLIMIT says.
// math.MaxInt64 is none.
func Limit() int64 {
	limit := debug.SetMemoryLimit(-1) // a negative one is not set, only told
	keeping.Lock()
	defer keeping.Unlock()
	if told() {
		return keeping.process
	}
	return limit
}

// Left is Limit without what is reserved.
func Left() int64 {
	limit := Limit()
	keeping.Lock()
	defer keeping.Unlock()
	if told() {
		return max(0, limit-keeping.reserved)
	}
	return limit
}

// Allows returns an error if n bytes that must be in memory at once are more than what
// Keep was told leaves for them.
func Allows(n int64) error {
	keeping.Lock()
	defer keeping.Unlock()
	return allows(n)
}

func allows(n int64) error {
	beside := program + keeping.outside + keeping.reserved
	if !told() || n <= keeping.process-beside {
		return nil
	}
	return fmt.Errorf("%.0f MB must be in memory at once, more than the memory limit of %.0f MB leaves; give %.0f MB or more",
		float64(n)/1e6, float64(keeping.process)/1e6, math.Ceil(float64(n+n/9+beside)/1e6))
}

// Reserve is Allows for what will be in memory for long: where it is allowed, Share
// divides what it leaves, until release is called.
func Reserve(n int64) (release func(), err error) {
	keeping.Lock()
	defer keeping.Unlock()
	if err := allows(n); err != nil {
		return nil, err
	}
	keeping.reserved += n
	return sync.OnceFunc(func() {
		keeping.Lock()
		defer keeping.Unlock()
		keeping.reserved -= n
	}), nil
}

// Evenly returns of(n) for what grows by as much with each number more. It asks for 1 and
// 2 only, for what is as large as n may take much memory itself.
func Evenly(n int, of func(n int) (int64, error)) (int64, error) {
	one, err := of(1)
	if err != nil {
		return 0, err
	}
	two, err := of(2)
	return one + int64(n-1)*(two-one), err
}

// Share returns most, the bytes that a cache takes at best, or a part-th of what the
// process's memory limit leaves if that is less.
func Share(most, part int) int {
	limit := Left()
	if limit == math.MaxInt64 {
		return most
	}
	return int(min(int64(most), limit/int64(part)))
}
