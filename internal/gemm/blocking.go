package gemm

import "lookalike/internal/f32"

// A tile of A, MR rows by kc, stays in the first-level cache, or in the nearer part
// of the second, while panels of B pass by; a block of B, kc by nc, stays in the
// second-level cache while tiles of A pass by; mc rows of A by kc stay in the
// last-level cache from one block of B to the next.
var (
	kernel = f32.Gemm()
	kc, nc = blocking(kernel.MR, kernel.NR)
)

const mc = 512

// inPlaceRows is the number of rows of C up to which B is not packed, if the kernel
// can read it in place: it is used too little, and stays in a cache from tile to tile
// all the same.
const inPlaceRows = 128

// deepEnough is how many terms are summed at a time at least: tiles that begin and
// end more often, and go over C more often, cost more than an A that falls out of
// the first level.
const deepEnough = 592

// blocking returns the block sizes for this processor's caches. kc takes two fifths of the first level, the rest
// is for the panels of B that stream through, but is at least deepEnough. B takes a
// third of the second level: the block that comes next is fetched meanwhile. kc is
// no power of two, lest panels fall in the same sets.
func blocking(mr, nr int) (kc, nc int) {
	l1, l2 := f32.Caches()
	kc = max(deepEnough, (l1*2/5/4/mr/32*2+1)*16)
	return kc, max(nr, l2/3/4/kc/nr*nr)
}
