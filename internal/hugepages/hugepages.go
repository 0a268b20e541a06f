// Package hugepages takes large pieces of memory that are cheap to touch for the first
// time.
package hugepages

import "unsafe"

// size is that of a huge page.
const size = 2 << 20

// Floats returns n zeros. Where the system has huge pages (Linux) and would only use
// them when asked, it is asked: memory that is new then takes one fault in 2 MB and
// not 512.
func Floats(n int) []float32 {
	s := make([]float32, n)
	if 4*n >= size {
		// Whole pages round s. What else lies in them is memory as well, and an advice
		// does not harm it.
		first := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
		begin := first / size * size
		advise(begin, (first+uintptr(4*n)+size-1)/size*size-begin)
	}
	return s
}
