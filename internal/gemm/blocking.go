package gemm

import "lookalike/internal/f32"

// A tile of A, MR rows by kc, stays in the first-level cache, or in the nearer part
// of the second, while panels of B pass by; a block of B, kc by nc, stays in the
// second-level cache while tiles of A pass by; mc rows of A by kc stay in the
// last-level cache from one block of B to the next.
var (
	kernel  = f32.Gemm()
	strided = f32.FetchesStrided()
	kc, nc  = blocking(kernel)
)

const mc = 512

// inPlaceRows is the number of rows of C up to which B is not packed, if the kernel
// can read it in place: it is used too little, and stays in a cache from tile to tile
// all the same.
const inPlaceRows = 80

// deepEnough is how many terms a kernel that reads B in place sums at a time at least:
// tiles that begin and end more often, and go over C more often, cost more than an A
// and a B that fall out of the first level. Other kernels had better keep to that, for
// of the rows of B that are fetched to be packed later, a cache keeps the fewer the more
// there are: they often lie pages apart, and so in few of its sets.
const deepEnough = 592

// blocking returns the block sizes for this processor's caches. A tile of A and a panel
// of B, kc deep, take the first level. B takes a third of the second: the block that
// comes next is fetched meanwhile. kc is no power of two, lest
// panels fall in the same sets.
func blocking(k *f32.Kernel) (kc, nc int) {
	l1, l2 := f32.Caches()
	kc = (l1/4/(k.MR+k.NR)/32*2 + 1) * 16
	if k.InPlace() && strided {
		kc = max(kc, deepEnough)
	}
	return kc, max(k.NR, l2/3/4/kc/k.NR*k.NR)
}
