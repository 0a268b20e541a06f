package cpu

import "github.com/klauspost/cpuid/v2"

// Caches returns the bytes of a core's first-level data cache and of its second-level
// cache, or common sizes where those are unknown.
func Caches() (l1, l2 int) {
	l1, l2 = cpuid.CPU.Cache.L1D, cpuid.CPU.Cache.L2
	if l1 <= 0 {
		l1 = 32 << 10
	}
	if l2 <= 0 {
		l2 = 256 << 10
	}
	return l1, l2
}

// FetchesStrided tells how memory is best asked for a few columns of many rows: on AMD's
// processors by software, a row or two with each step of a kernel, while it computes.
// Intel's wait for that; memory is fast there where whole pieces of rows are read one
// after the other, for then the processor itself reads on.
func FetchesStrided() bool { return !cpuid.CPU.IsVendor(cpuid.Intel) }
