// Package hugepages takes large pieces of memory that are cheap to touch for the first
// time.
package hugepages

import (
	"sync/atomic"
	"unsafe"

	"lookalike/internal/memory"
)

// size is that of a huge page.
const size = 2 << 20

var avoided atomic.Bool

// Avoid has Floats ask for no huge pages from now on. It is for a run that uses its
// memory about once: a virtual machine that gives free memory back to its host has no
// huge page left that is cheap to touch, while small pages come from what was used last.
func Avoid() { avoided.Store(true) }

// Floats returns n zeros as Make does, unless huge pages are to be avoided.
func Floats(n int) []float32 {
	return take[float32](n, !avoided.Load())
}

// Make returns n zeros. Where the system has huge pages (Linux) and would only use
// them when asked, it is asked: memory that is new then takes one fault in 2 MB and
// not 512.
func Make[T any](n int) []T { return take[T](n, true) }

// take has room made for what is large, within the process's memory limit.
func take[T any](n int, huge bool) []T {
	var value T
	bytes := uintptr(n) * unsafe.Sizeof(value)
	if bytes < size {
		return make([]T, n)
	}
	memory.Room(int64(bytes))
	s := make([]T, n)
	if huge {
		// Whole pages round s. What else lies in them is memory as well, and an advice
		// does not harm it.
		first := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
		begin := first / size * size
		advise(begin, (first+bytes+size-1)/size*size-begin)
	}
	return s
}
