package gemm

import (
	"sync"

	"lookalike/internal/tile"
)

// product is C [m, n] = start + A [m, k]·B [k, n]. A's element (r, p) is
// a[r*ars+p*acs]. B is stored as layout says, with stride ldb. start is nil for
// zeros, else a matrix with row stride lds: C itself, or with lds = 0 a row of
// biases. Every sum is taken in parts of step terms, whoever computes it. activate,
// if it is not nil, runs over the rows of C that are done.
type product struct {
	m, n, k  int
	step     int
	a        []float32
	ars, acs int
	b        []float32
	ldb      int
	layout   layout
	start    []float32
	lds      int
	c        []float32
	ldc      int
	activate func(values []float32)
}

// layout is how B is stored.
type layout int

const (
	inRows    layout = iota // element (p, j) is b[p*ldb+j]
	inColumns               // b[j*ldb+p]: transposed
	inPanels                // b[j/NR*ldb+p*NR+j%NR]: packed
)

// with returns x with the start value and the activation that e asks for.
func (x product) with(e Epilogue) product {
	switch {
	case e.Bias != nil:
		x.start, x.lds = e.Bias, 0
	case e.Accumulate:
		x.start, x.lds = x.c, x.ldc
	}
	x.activate = e.Activate
	return x
}

// rows returns the part of x that computes rows lo to hi of C.
func (x product) rows(lo, hi int) product {
	x.m = hi - lo
	x.a = skip(x.a, lo*x.ars)
	x.start = skip(x.start, lo*x.lds)
	x.c = x.c[lo*x.ldc:]
	return x
}

// columns returns the part of x that computes columns lo to hi of C; lo is the
// first column of a panel.
func (x product) columns(lo, hi int) product {
	x.n = hi - lo
	x.b = skip(x.b, x.at(0, lo))
	x.start = skip(x.start, lo)
	x.c = x.c[lo:]
	return x
}

// slab returns the part of x that adds up p = lo to hi; the parts must be computed
// in ascending order, the last one activates.
func (x product) slab(lo, hi int) product {
	if hi < x.k {
		x.activate = nil
	}
	x.k = hi - lo
	x.a = skip(x.a, lo*x.acs)
	x.b = skip(x.b, x.at(lo, 0))
	if lo > 0 {
		x.start, x.lds = x.c, x.ldc
	}
	return x
}

// finish activates C, which is still in a cache.
func (x product) finish() {
	if x.activate == nil {
		return
	}
	for r := range x.m {
		x.activate(x.c[r*x.ldc:][:x.n])
	}
}

// at returns where B's element (p, j) is; j is the first column of a panel.
func (x product) at(p, j int) int {
	switch x.layout {
	case inRows:
		return p*x.ldb + j
	case inColumns:
		return j*x.ldb + p
	default:
		return j/kernel.NR*x.ldb + p*kernel.NR
	}
}

// skip returns s without its first n values; nil stays nil.
func skip(s []float32, n int) []float32 { return s[min(n, len(s)):] }

// workspace is what one goroutine needs to multiply.
type workspace struct {
	a, b, next     []float32
	packing        tile.Packing
	packedNext     bool // next holds the block of B that comes next
	partsA, partsB []uint16
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// multiply computes x: the rows of A in blocks, of each a slab at a time, by blocks
// of B. What is copied of A stays in the last-level cache. While one block of B is
// multiplied, memory is asked for the next, if that helps (cpu.FetchesStrided), or the
// next is packed.
func (w *workspace) multiply(x product) {
	height := evenly(x.m, mc, 1)
	for i := 0; i < x.m; i += height {
		rows := x.rows(i, min(i+height, x.m))
		width := rows.width()
		for p := 0; p == 0 || p < x.k; p += x.step {
			slab := rows.slab(p, min(p+x.step, x.k))
			tiles := w.tilesOf(slab)
			if inPlace(x) {
				w.panels(slab, &tiles)
				continue
			}
			for j := 0; j < x.n; j += width {
				var next product
				if j+width < x.n {
					next = slab.columns(j+width, min(j+2*width, x.n))
				} else if p+x.step < x.k {
					next = rows.slab(p+x.step, min(p+2*x.step, x.k)).columns(0, min(width, x.n))
				}
				w.block(slab.columns(j, min(j+width, x.n)), &tiles, &next)
			}
		}
	}
}

// block computes x, whose B fits in the second-level cache once it is packed, from
// the tiles of its A, and finishes it. next is the block of B that comes then.
func (w *workspace) block(x product, a *tiles, next *product) {
	if x.packsAhead() {
		w.blockPackingNext(x, a, next)
		return
	}
	first := 0
	switch {
	case x.layout == inRows && strided:
		x, first = w.packWithTile(x, a, next), 1
	case x.layout != inPanels:
		x, next = w.pack(x), new(product)
	}
	fetch := fetchDuring((a.count-first)*ceil(x.n, kernel.NR), x.k, next)
	for i := first; i < a.count; i++ {
		lo, hi, from := a.tile(i)
		for j, panel := 0, 0; j < x.n; j, panel = j+kernel.NR, panel+x.ldb {
			b := skip(x.b, panel)
			ahead, jump := fetch.next(b)
			kernel.MulAhead(hi-lo, min(kernel.NR, x.n-j), x.k, from, a.ars, a.acs, b, ahead, jump, skip(x.start, lo*x.lds+j), x.lds, x.c[lo*x.ldc+j:], x.ldc)
		}
	}
	x.finish()
}

// blockPackingNext is block where the tiles pack the block of B that comes next.
func (w *workspace) blockPackingNext(x product, a *tiles, next *product) {
	if w.packedNext {
		w.b, w.next = w.next, w.b
		x = w.panelsOf(x)
	} else {
		x = w.pack(x)
	}
	w.next = grow(w.next, next.k*ceil(next.n, kernel.NR)*kernel.NR)
	w.packing = kernel.PackLater(a.count, w.next, next.k*kernel.NR, next.k, next.n, next.b, next.ldb)
	for i := range a.count {
		lo, hi, from := a.tile(i)
		for j, panel := 0, 0; j < x.n; j, panel = j+kernel.NR, panel+x.ldb {
			b, start, c := skip(x.b, panel), skip(x.start, lo*x.lds+j), x.c[lo*x.ldc+j:]
			if j+kernel.NR <= x.n {
				kernel.MulPacking(hi-lo, x.k, from, a.ars, a.acs, b, &w.packing, start, x.lds, c, x.ldc)
			} else {
				kernel.Mul(hi-lo, x.n-j, x.k, from, a.ars, a.acs, b, start, x.lds, c, x.ldc)
			}
		}
	}
	kernel.FinishPacking(&w.packing)
	w.packedNext = next.n > 0
	x.finish()
}

// pack returns x with its B packed.
func (w *workspace) pack(x product) product {
	packed := w.panelsOf(x)
	kernel.Pack(packed.b, packed.ldb, x.k, x.n, x.b, x.ldb, x.layout == inColumns)
	return packed
}

// panelsOf returns x with room for its B to be packed.
func (w *workspace) panelsOf(x product) product {
	x.layout, x.ldb = inPanels, x.k*kernel.NR
	w.b = grow(w.b, ceil(x.n, kernel.NR)*x.ldb)
	x.b = w.b
	return x
}

// packWithTile computes the first tile of x and packs B on the way, while memory is
// asked for the panel that comes next, in this block or the next one. It returns x with
// its B packed.
func (w *workspace) packWithTile(x product, a *tiles, next *product) product {
	packed := w.panelsOf(x)
	_, rows, from := a.tile(0)
	for j := 0; j < x.n; j += kernel.NR {
		b, panel, cols := skip(x.b, x.at(0, j)), packed.b[packed.at(0, j):], min(kernel.NR, x.n-j)
		if cols == kernel.NR {
			ahead := tile.Address(b, kernel.NR)
			if j+kernel.NR >= x.n {
				ahead = tile.Address(next.b, 0)
			}
			kernel.MulPack(rows, x.k, from, a.ars, a.acs, b, x.ldb, panel, ahead, skip(x.start, j), x.lds, x.c[j:], x.ldc)
		} else {
			kernel.Pack(panel, packed.ldb, x.k, cols, b, x.ldb, false)
			kernel.Mul(rows, cols, x.k, from, a.ars, a.acs, panel, skip(x.start, j), x.lds, x.c[j:], x.ldc)
		}
	}
	return packed
}

// inPlace tells whether x has too few rows for packing B to pay.
func inPlace(x product) bool {
	return x.layout == inRows && x.m <= inPlaceRows && strided && kernel.InPlace()
}

// panels computes x, panel by panel of a B that stays where it is. During the first
// tile of a panel memory is asked for the next one, to the right or at the beginning
// of the rows below; the other tiles find the panel in a cache.
func (w *workspace) panels(x product, a *tiles) {
	for j := 0; j < x.n; j += kernel.NR {
		b, cols := skip(x.b, j), min(kernel.NR, x.n-j)
		if cols < kernel.NR {
			w.b = grow(w.b, x.k*kernel.NR)
			kernel.Pack(w.b, x.k*kernel.NR, x.k, cols, b, x.ldb, false)
		}
		ahead := tile.Address(b, kernel.NR)
		if j+kernel.NR >= x.n {
			ahead = tile.Address(x.b, x.k*x.ldb)
		}
		for i := range a.count {
			lo, hi, from := a.tile(i)
			start, c := skip(x.start, lo*x.lds+j), x.c[lo*x.ldc+j:]
			if cols < kernel.NR {
				kernel.Mul(hi-lo, cols, x.k, from, a.ars, a.acs, w.b, start, x.lds, c, x.ldc)
			} else {
				kernel.MulPack(hi-lo, x.k, from, a.ars, a.acs, b, x.ldb, nil, ahead, start, x.lds, c, x.ldc)
			}
			ahead = tile.Address(b, 0) // which is there
		}
	}
	x.finish()
}

// tiles is A cut into count tiles: the first larger of them have rows+1 rows, the
// others rows. 64 rows are four of 13 and one of 12 rather than four of 14 and one
// of 8.
type tiles struct {
	count, rows, larger int
	a                   []float32
	ars, acs            int
	apart               int // from tile to tile, if each is copied for itself, else 0
}

// cut returns m > 0 rows of A cut into tiles.
func cut(m int) tiles {
	count := ceil(m, kernel.MR)
	return tiles{count: count, rows: m / count, larger: m % count}
}

// tile returns tile i: rows lo to hi of A, and the values from its first on.
func (t *tiles) tile(i int) (lo, hi int, a []float32) {
	lo = i*t.rows + min(i, t.larger)
	hi = (i+1)*t.rows + min(i+1, t.larger)
	if t.apart > 0 {
		return lo, hi, t.a[i*t.apart:]
	}
	return lo, hi, skip(t.a, lo*t.ars)
}

// tilesOf returns x's tiles. It copies A where reading it in place costs more: a
// transposed A is read a few values from each of many lines; rows that lie a
// multiple of a page apart fall in one set of the first-level cache.
func (w *workspace) tilesOf(x product) tiles {
	t := cut(x.m)
	t.a, t.ars, t.acs = x.a, x.ars, x.acs
	switch {
	case x.n < 4*kernel.NR || x.k == 0:
	case x.ars == 1 && x.acs != 1:
		t.acs = ceil(x.m, t.count)
		t.apart = t.acs * x.k
		w.a = grow(w.a, t.count*t.apart+tile.PackSlack)
		t.a = w.a
		for i := range t.count {
			lo, hi, to := t.tile(i)
			kernel.PackA(to, t.acs, x.k, hi-lo, x.a[lo:], x.acs)
		}
	case x.ars%1024 == 0 && x.acs == 1:
		t.ars = x.k + 16
		w.a = grow(w.a, x.m*t.ars)
		t.a = w.a
		for r := range x.m {
			copy(t.a[r*t.ars:], x.a[r*x.ars:][:x.k])
		}
	}
	return t
}

// stepFor returns the number of terms that are summed at a time where there are k:
// about equal parts of at most depth, and no multiple of 64, lest the panels of B fall
// in the same sets of the first-level cache.
func stepFor(k, depth int) int {
	step := evenly(k, depth, 16)
	if step%64 == 0 {
		step += 16
	}
	return step
}

// evenly returns the size of the parts, a multiple of unit, that cut n into as few
// of at most size as there can be, all about equal.
func evenly(n, size, unit int) int {
	return ceil(ceil(n, max(1, ceil(n, size))), unit) * unit
}
