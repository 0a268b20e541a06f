package gemm

import (
	"github.com/klauspost/cpuid/v2"

	"lookalike/internal/f32"
)

// A tile of A, MR rows by kc, stays in the first-level cache while panels of B
// pass by; a block of B, kc by nc, stays in the second-level cache while tiles of
// A pass by. A and C come from wherever they are: each is touched once a block.
var (
	kernel = f32.Gemm()
	kc, nc = blocking(kernel.MR, kernel.NR, cpuid.CPU.Cache.L1D, cpuid.CPU.Cache.L2)
)

// blocking returns the block sizes for caches of l1 and l2 bytes, or of common
// sizes where those are unknown. kc takes a third of the first level: the rest is
// for the two panels of B and the tile of C in flight. kc*nc takes half of the
// second.
func blocking(mr, nr, l1, l2 int) (kc, nc int) {
	if l1 <= 0 {
		l1 = 32 << 10
	}
	if l2 <= 0 {
		l2 = 256 << 10
	}
	kc = max(64, l1/3/4/mr/16*16)
	nc = max(nr, l2/2/4/kc/nr*nr)
	return kc, nc
}
