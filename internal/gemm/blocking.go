package gemm

import (
	"github.com/klauspost/cpuid/v2"

	"lookalike/internal/f32"
)

// A tile of A, MR rows by kc, stays in the first-level cache while panels of B
// pass by; a block of B, kc by nc, and a packed block of A, mc by kc, stay in the
// second-level cache.
var (
	kernel     = f32.Gemm()
	kc, mc, nc = blocking(kernel.MR, kernel.NR, cpuid.CPU.Cache.L1D, cpuid.CPU.Cache.L2)
)

// blocking returns the block sizes for caches of l1 and l2 bytes, or of common
// sizes where those are unknown. kc takes two fifths of the first level: the rest
// is for the panels of B that stream through. B takes half of the second level and A
// a quarter. kc is no power of two, lest panels fall in the same sets.
func blocking(mr, nr, l1, l2 int) (kc, mc, nc int) {
	if l1 <= 0 {
		l1 = 32 << 10
	}
	if l2 <= 0 {
		l2 = 256 << 10
	}
	kc = max(4, l1*2/5/4/mr/32*2+1) * 16
	mc = max(mr, l2/4/4/kc/mr*mr)
	nc = max(nr, l2/2/4/kc/nr*nr)
	return kc, mc, nc
}
