package main

import "fmt"

// streams emits the kernels that read a large B once, in order.
func (a *neon) streams() {
	a.packRows()
	a.packNarrow()
	a.transpose8()
}

func (a *neon) axpyRows(rows int) {
	sum, bv := vec(rows), vec(rows+1)
	a.begin(fmt.Sprintf("axpy%d", rows), fmt.Sprintf("adds the sum over u < %d of a[u*as]*b[u*ldb+i] to each of n values y[i], u in ascending order.", rows),
		"func(n int, y *float32, a *float32, as int, b *float32, ldb int)")
	from, as := a.param("a"), a.stride("as")
	for u := range rows {
		a.loadOne(mem{base: from}, vec(u))
		a.op("ADD", as, from)
	}
	a.used = 0
	n, y := a.param("n"), a.param("y")
	b := a.rows(rows, "b", "ldb")
	a.loop(n, append([]general{y}, b...), func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: y}, sum)
		for u := range rows {
			bv := bv + vec(u)
			load(mem{base: b[u]}, bv)
			a.fmlaLane(sum, bv, vec(u))
		}
		store(sum, mem{base: y})
	})
	a.op("RET")
}

func (a *neon) packRows() {
	a.begin("packRows", "copies b, k rows with stride ldb, to whole panels, stride values apart: dst[j*stride+p*NR+i] = b[p*ldb+j*NR+i].",
		"func(k int, panels int, dst *float32, stride int, b *float32, ldb int)")
	k, dst, stride, b, ldb := a.param("k"), a.param("dst"), a.stride("stride"), a.param("b"), a.stride("ldb")
	from, to, panels := a.register(), a.register(), a.register()
	a.label("row")
	a.op("MOVD", b, from)
	a.op("MOVD", dst, to)
	a.op("MOVD", a.at("panels"), panels)
	a.label("panel")
	for v := 0; v < nrv; v += 2 {
		a.line("\tFLDPQ  %s, (F%d, F%d)", mem{base: from, disp: v * quad}, v, v+1)
	}
	for v := 0; v < nrv; v += 2 {
		a.line("\tFSTPQ  (F%d, F%d), %s", v, v+1, mem{base: to, disp: v * quad})
	}
	a.op("ADD", nr*lane, from)
	a.op("ADD", stride, to)
	a.op("SUBS", 1, panels)
	a.line("\tBNE    panel")
	a.op("ADD", ldb, b)
	a.op("ADD", nr*lane, dst)
	a.op("SUBS", 1, k)
	a.line("\tBNE    row")
	a.op("RET")
}

// packNarrow moves two whole registers where rows are narrower: it reads into the
// next row, and the next row, or the slack behind the last, takes what was too much.
// The last row is copied value by value.
func (a *neon) packNarrow() {
	a.begin("packNarrow", fmt.Sprintf("copies k rows of cols <= %d values, dst[p*width+i] = src[p*ld+i], and writes %d values a row but the last; ld+cols >= %d.", nr/2, nr/2, nr/2),
		"func(k int, cols int, dst *float32, width int, src *float32, ld int)")
	k, cols, dst, by, src, ld := a.param("k"), a.param("cols"), a.param("dst"), a.stride("width"), a.param("src"), a.stride("ld")
	a.op("SUBS", 1, k)
	a.line("\tBEQ    last")
	a.label("row")
	a.line("\tFLDPQ  (%s), (F0, F1)", src)
	a.line("\tFSTPQ  (F0, F1), (%s)", dst)
	a.op("ADD", ld, src)
	a.op("ADD", by, dst)
	a.op("SUBS", 1, k)
	a.line("\tBNE    row")
	a.label("last")
	a.line("\tFMOVS.P %d(%s), F0", lane, src)
	a.line("\tFMOVS.P F0, %d(%s)", lane, dst)
	a.op("SUBS", 1, cols)
	a.line("\tBNE    last")
	a.op("RET")
}

// transpose8 turns blocks of eight rows and four columns.
func (a *neon) transpose8() {
	a.begin("transpose8", "transposes 8 rows of blocks*8 values: dst[p*dstStride+i] = src[i*srcStride+p].",
		"func(blocks int, dst *float32, dstStride int, src *float32, srcStride int)")
	blocks, dst, by := a.param("blocks"), a.param("dst"), a.stride("dstStride")
	src := a.rows(8, "src", "srcStride")
	a.op("LSL", 1, blocks)
	a.label("block")
	for i, p := range src {
		a.line("\tFMOVQ.P %d(%s), F%d", quad, p, i)
	}
	// Pairs of values, then of pairs: four rows end in out to out+3.
	for i := vec(0); i < 8; i += 4 {
		for j := vec(0); j < 4; j += 2 {
			a.three("trn1.4s", 8+i+j, i+j, i+j+1)
			a.three("trn2.4s", 9+i+j, i+j, i+j+1)
		}
		for j := range vec(2) {
			a.three("trn1.2d", 16+i+j, 8+i+j, 10+i+j)
			a.three("trn2.2d", 18+i+j, 8+i+j, 10+i+j)
		}
	}
	for p := range 4 {
		a.line("\tFSTPQ  (F%d, F%d), (%s)", 16+p, 20+p, dst)
		a.op("ADD", by, dst)
	}
	a.op("SUBS", 1, blocks)
	a.line("\tBNE    block")
	a.op("RET")
}
