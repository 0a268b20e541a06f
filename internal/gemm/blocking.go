package gemm

import (
	"lookalike/internal/cpu"
	"lookalike/internal/tile"
)

// A tile of A, MR rows by kc, stays in the first-level cache, or in the nearer part
// of the second, while panels of B pass by; a block of B, kc by nc, stays in the
// second-level cache while tiles of A pass by; mc rows of A by kc stay in the
// last-level cache from one block of B to the next.
var (
	kernel       = tile.Gemm()
	strided      = cpu.FetchesStrided()
	mayPackAhead = kernel.PacksAhead() && !strided
	kc, nc       = blocking(kernel)
)

const mc = 512

// inPlaceRows is the number of rows of C up to which B is not packed, if the kernel
// can read it in place: it is used too little, and stays in a cache from tile to tile
// all the same.
const inPlaceRows = 80

// aheadRows is the number of rows of C up to which tiles pack the next block of B, if
// the kernel can and software does not fetch: with more, packing takes little time. A
// block is then a sixth of the second-level cache, which holds the next one as well, and
// what that is read from.
//
// Products of fewer than fewRows rows then sum fewDeep terms at a time at most, as a tile
// of A, a panel of B, and what is packed meanwhile have to fit in the first level. Where
// most tiles pack nothing, deeper ones are better.
const (
	aheadRows = 192
	fewRows   = partsFrom
	fewDeep   = 304
)

// deepEnough is how many terms a kernel that reads B in place sums at a time at least:
// tiles that begin and end more often, and go over C more often, cost more than an A
// and a B that fall out of the first level. Other kernels had better keep to that, for
// of the rows of B that are fetched to be packed later, a cache keeps the fewer the more
// there are: they often lie pages apart, and so in few of its sets.
const deepEnough = 592

// width returns the number of columns of B in a block of x.
func (x product) width() int {
	most := nc
	if x.packsAhead() {
		_, l2 := cpu.Caches()
		most = min(nc, max(1, l2/6/4/x.step/kernel.NR)*kernel.NR)
	}
	return evenly(x.n, most, kernel.NR)
}

// packsAhead tells whether a block of x is packed while the one before is multiplied.
func (x product) packsAhead() bool { return mayPackAhead && x.layout == inRows && x.m <= aheadRows }

// blocking returns the block sizes for this processor's caches. A tile of A and a panel
// of B, kc deep, take the first level. B takes a third of the second: the block that
// comes next is fetched meanwhile. kc is no power of two, lest
// panels fall in the same sets.
func blocking(k *tile.Kernel) (kc, nc int) {
	l1, l2 := cpu.Caches()
	kc = (l1/4/(k.MR+k.NR)/32*2 + 1) * 16
	if k.InPlace() && strided {
		kc = max(kc, deepEnough)
	}
	return kc, max(k.NR, l2/3/4/kc/k.NR*k.NR)
}
