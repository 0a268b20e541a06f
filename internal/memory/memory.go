// Package memory says how much of it the process may take, and how much of that a cache,
// so that all that is kept for speed alone stays within the limit that the user has set.
package memory

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
)

// program is what a process has that the Go runtime does not count: the pages of the
// program itself that have been used (measured: 16 MB), and the stacks of its threads.
const program = 20e6

// least is enough for the Go runtime where most of the limit is outside.
const least = 32e6

// keeping is what Keep was told, what is to be kept apart from the Go runtime's memory,
// the limit that the runtime was given in consequence, and what of it is reserved.
var keeping struct {
	sync.Mutex
	process, outside, runtime, reserved int64
}

// Keep has the process keep within a limit. The Go runtime gets what the program itself
// and what Outside tells of leave of it, less a tenth, for it goes over its own limit
// while it collects; at least a quarter, or what collecting is quick in.
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
	keeping.runtime = max(left-left/10, min(keeping.process/4, least))
	debug.SetMemoryLimit(keeping.runtime)
}

// collected is how much was on the heap after Room had it collected.
var collected atomic.Int64

// Room is to be called before n bytes are taken at once. If they would burst what the Go
// runtime was given by Keep, garbage is collected first: the runtime's own collector runs
// beside the program, which takes memory meanwhile, and so goes over its limit by what a
// large piece takes.
func Room(n int64) {
	keeping.Lock()
	limit, told := keeping.runtime, told()
	keeping.Unlock()
	if !told {
		return
	}
	used := heap()
	if used < collected.Load() {
		collected.Store(used)
	}
	if used+n <= limit-beyondHeap || used-collected.Load() < n/4 {
		return // or there is too little garbage
	}
	runtime.GC()
	collected.Store(heap())
}

// beyondHeap is what the Go runtime has besides the heap, and garbage of small pieces.
const beyondHeap = 8e6

// heap returns the bytes on the heap, live or not collected.
func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
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

// Left is Limit without what is reserved, and without what Outside told of.
func Left() int64 {
	limit := Limit()
	keeping.Lock()
	defer keeping.Unlock()
	if told() {
		return max(0, limit-keeping.reserved-keeping.outside)
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
