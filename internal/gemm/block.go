package gemm

import (
	"sync"

	"lookalike/internal/f32"
)

// product is C [m, n] = start + A [m, k]·B [k, n]. A's element (r, p) is
// a[r*ars+p*acs]. B is in panels, stride values apart. start is nil for zeros,
// else a matrix with row stride lds: C itself, or with lds = 0 a row of biases.
// Every sum is taken in parts of step terms, whoever computes it.
type product struct {
	m, n, k  int
	step     int
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

// blocks computes x, block by block of A and of B.
func (w *workspace) blocks(x product) {
	width := evenly(x.n, nc, kernel.NR)
	height := evenly(x.m, mc, 1)
	for i := 0; i < x.m; i += height {
		rows := x.rows(i, min(i+height, x.m))
		for p := 0; p == 0 || p < x.k; p += x.step {
			slab := rows.slab(p, min(p+x.step, x.k))
			tiles := w.tilesOf(slab)
			for j := 0; j < x.n; j += width {
				block(slab.columns(j, min(j+width, x.n)), tiles)
			}
		}
	}
}

// block computes x, whose B fits in the second-level cache, from the tiles of its A.
func block(x product, a tiles) {
	for i := 0; i < x.m; i += a.rows {
		tile := x.rows(i, min(i+a.rows, x.m))
		for j := 0; j < x.n; j += kernel.NR {
			kernel.Mul(tile.m, min(kernel.NR, x.n-j), x.k, skip(a.a, i*a.step), a.ars, a.acs,
				skip(x.b, j/kernel.NR*x.stride), skip(tile.start, j), tile.lds, tile.c[j:], tile.ldc)
		}
	}
}

// tiles is A cut into tiles of equal numbers of rows, the last perhaps smaller. A
// tile that starts in row i starts at a[i*step].
type tiles struct {
	rows, step int
	a          []float32
	ars, acs   int
}

// tilesOf returns x's tiles: 64 rows are four of 13 and one of 12 rather than four
// of 14 and one of 8. It copies A where reading it in place costs more: a
// transposed A is read a few values from each of many lines; rows that lie a
// multiple of a page apart fall in one set of the first-level cache.
func (w *workspace) tilesOf(x product) tiles {
	t := tiles{evenly(x.m, kernel.MR, 1), x.ars, x.a, x.ars, x.acs}
	switch {
	case x.n < 4*kernel.NR || x.k == 0:
	case x.ars == 1 && x.acs != 1:
		w.a = grow(w.a, ceil(x.m, t.rows)*t.rows*x.k+f32.PackSlack)
		for i := 0; i < x.m; i += t.rows {
			kernel.PackA(w.a[i*x.k:], t.rows, x.k, min(t.rows, x.m-i), x.a[i:], x.acs)
		}
		t.a, t.step, t.acs = w.a, x.k, t.rows
	case x.ars%1024 == 0 && x.acs == 1:
		ld := x.k + 16
		w.a = grow(w.a, x.m*ld)
		for r := range x.m {
			copy(w.a[r*ld:], x.a[r*x.ars:][:x.k])
		}
		t.a, t.step, t.ars = w.a, ld, ld
	}
	return t
}

// stepFor returns the number of terms that are summed at a time where there are k:
// about equal parts of at most kc, and no multiple of 64, lest the panels of B fall
// in the same sets of the first-level cache.
func stepFor(k int) int {
	step := evenly(k, kc, 16)
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
