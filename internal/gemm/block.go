package gemm

import "sync"

// product is C [m, n] = start + A [m, k]·B [k, n]. A's element (r, p) is
// a[r*ars+p*acs]. B is in panels, stride values apart. start is nil for zeros,
// else a matrix with row stride lds: C itself, or with lds = 0 a row of biases.
type product struct {
	m, n, k  int
	a        []float32
	ars, acs int
	b        []float32
	stride   int
	start    []float32
	lds      int
	c        []float32
	ldc      int
}

// startAt returns x with the start value that Mul's arguments ask for.
func (x product) startAt(bias []float32, accumulate bool) product {
	switch {
	case bias != nil:
		x.start, x.lds = bias, 0
	case accumulate:
		x.start, x.lds = x.c, x.ldc
	}
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
	x.b = skip(x.b, lo/kernel.NR*x.stride)
	x.start = skip(x.start, lo)
	x.c = x.c[lo:]
	return x
}

// slab returns the part of x that adds up p = lo to hi; the part with lo = 0 must
// be computed first.
func (x product) slab(lo, hi int) product {
	x.k = hi - lo
	x.a = skip(x.a, lo*x.acs)
	x.b = skip(x.b, lo*kernel.NR)
	if lo > 0 {
		x.start, x.lds = x.c, x.ldc
	}
	return x
}

// skip returns s without its first n values; nil stays nil.
func skip(s []float32, n int) []float32 { return s[min(n, len(s)):] }

// workspace is what one goroutine needs to multiply.
type workspace struct {
	a, b []float32
}

var (
	workspaces = sync.Pool{New: func() any { return new(workspace) }}
	packs      = sync.Pool{New: func() any { return new(Packed) }}
)

// blocks computes x, block by block of B.
func (w *workspace) blocks(x product) {
	for p := 0; p == 0 || p < x.k; p += kc {
		slab := x.slab(p, min(p+kc, x.k))
		for j := 0; j < x.n; j += nc {
			w.block(slab.columns(j, min(j+nc, x.n)))
		}
	}
}

// block computes x, whose B fits in the second-level cache. Rows are shared out
// evenly: 64 rows are 4 tiles of 13 and one of 12 rather than 4 of 14 and one of 8.
func (w *workspace) block(x product) {
	tiles := ceil(x.m, kernel.MR)
	for t := range tiles {
		tile := x.rows(t*x.m/tiles, (t+1)*x.m/tiles)
		w.packA(&tile)
		for j := 0; j < x.n; j += kernel.NR {
			kernel.Mul(tile.m, min(kernel.NR, x.n-j), x.k, tile.a, tile.ars, tile.acs,
				skip(x.b, j/kernel.NR*x.stride), skip(tile.start, j), tile.lds, tile.c[j:], tile.ldc)
		}
	}
}

// packA copies the rows of A that a tile needs where reading them in place costs
// more: a transposed A is read a few values from each of many lines; rows that lie
// a multiple of a page apart fall in one set of the first-level cache.
func (w *workspace) packA(x *product) {
	switch {
	case x.n < 4*kernel.NR || x.k == 0:
	case x.ars == 1 && x.acs != 1:
		w.a = grow(w.a, kc*kernel.MR)
		for p := range x.k {
			copy(w.a[p*kernel.MR:], x.a[p*x.acs:][:x.m])
		}
		x.a, x.acs = w.a, kernel.MR
	case x.ars%1024 == 0 && x.acs == 1:
		w.a = grow(w.a, kernel.MR*(kc+16))
		for r := range x.m {
			copy(w.a[r*(kc+16):], x.a[r*x.ars:][:x.k])
		}
		x.a, x.ars = w.a, kc+16
	}
}
