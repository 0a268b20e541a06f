package tile

import (
	"fmt"
	"unsafe"
)

// Packing is a B that is packed bit by bit, along its rows, while tiles of another are
// computed. So memory is read at an even pace; who packs a whole block at once waits for
// it, while the multipliers rest.
type Packing struct {
	step  packingStep
	rest  int // rows of panels that are left
	tiles aheadTiles

	k, n        int
	dst, b      []float32
	stride, ldb int
	panels      int // whole ones
}

// packingStep is what the assembly knows of a Packing.
type packingStep struct {
	b, dst       *float32
	from, to     int // what is next, in bytes from their beginnings
	left, panels int // panels of a row that are left, and in all
	apart        int // bytes from panel to panel
	down, back   int // bytes from a row's end to the next row's beginning
	ask          int // bytes from what is packed to what memory is asked for
}

// packAhead is how many rows of panels memory is asked for in advance, at least.
const packAhead = 32

// PackLater returns the packing of what Pack would pack, of a B that is not transposed,
// while so many tiles go over each panel of another of about the same depth. It goes no
// faster than need be: more would be asked of memory than a core can have under way.
func (t *Kernel) PackLater(tiles int, dst []float32, stride, k, n int, b []float32, ldb int) Packing {
	if k <= 0 || n <= 0 {
		return Packing{}
	}
	if ldb < 0 || (k-1)*ldb+n > len(b) || stride < k*t.NR || (n-1)/t.NR*stride+k*t.NR > len(dst) {
		panic(fmt.Sprintf("tile.Kernel.PackLater: %s: B [%d, %d] with stride %d in %d values, to panels %d apart in %d values",
			t.Name, k, n, ldb, len(b), stride, len(dst)))
	}
	p := Packing{k: k, n: n, dst: dst, b: b, stride: stride, ldb: ldb, panels: n / t.NR}
	p.rest = k * p.panels
	if p.panels > 0 {
		const size = int(unsafe.Sizeof(float32(0)))
		p.step = packingStep{
			b: unsafe.SliceData(b), dst: unsafe.SliceData(dst), left: p.panels, panels: p.panels, apart: stride * size,
			down: (ldb - p.panels*t.NR) * size, back: (t.NR - p.panels*stride) * size,
			ask: (packAhead + p.panels - 1) / p.panels * ldb * size,
		}
	}
	for i, ahead := range t.ahead {
		if i == 0 || ahead.steps <= tiles {
			p.tiles = ahead
		}
	}
	return p
}

// PacksAhead tells whether MulPacking packs anything.
func (t *Kernel) PacksAhead() bool { return t.ahead != nil }

// MulPacking is Mul for a whole panel that packs a part of p on the way, as long as
// there is enough of it.
func (t *Kernel) MulPacking(rows, k int, a []float32, ars, acs int, b []float32, p *Packing, start []float32, lds int, c []float32, ldc int) {
	if p.rest == 0 || p.tiles.steps == 0 || p.rest < k/p.tiles.steps {
		t.Mul(rows, t.NR, k, a, ars, acs, b, start, lds, c, ldc)
		return
	}
	if uint(rows-1) >= uint(t.MR) || k < 0 || ars < 0 || acs < 0 || lds < 0 || ldc < 0 ||
		k > 0 && ((rows-1)*ars+(k-1)*acs >= len(a) || k*t.NR > len(b)) ||
		start != nil && (rows-1)*lds+t.NR > len(start) || (rows-1)*ldc+t.NR > len(c) {
		panic(fmt.Sprintf("tile.Kernel.MulPacking: %s: %d rows, depth %d, with strides A (%d, %d), start %d, C %d does not fit A %d, B %d, start %d, C %d values",
			t.Name, rows, k, ars, acs, lds, ldc, len(a), len(b), len(start), len(c)))
	}
	p.rest -= k / p.tiles.steps
	p.tiles.tiles[rows-1](unsafe.SliceData(start), lds, unsafe.SliceData(c), ldc, k, unsafe.SliceData(a), ars, acs, unsafe.SliceData(b), (*byte)(unsafe.Pointer(&p.step)))
}

// FinishPacking packs what is left of p.
func (t *Kernel) FinishPacking(p *Packing) {
	whole := p.panels * t.NR
	if p.rest > 0 {
		row := (p.k*p.panels - p.rest) / p.panels
		t.Pack(p.dst[row*t.NR:], p.stride, p.k-row, whole, p.b[row*p.ldb:], p.ldb, false)
	}
	if whole < p.n {
		t.Pack(p.dst[p.panels*p.stride:], p.stride, p.k, p.n-whole, p.b[whole:], p.ldb, false)
	}
	p.rest, p.n = 0, whole
}
