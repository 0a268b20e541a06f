package main

import "fmt"

// The largest tile: 24 sums, four registers for a row of the panel, and four for
// values of A, in turn. Values of A are loaded one by one, not broadcast: the
// multiplication takes a lane, and a load that broadcasts would take the arithmetic
// units' time on common processors. A step of six rows is 24 multiplications, 2
// loads of two registers, 6 of a value and an addition.
const (
	mr, nrv = 6, 4
	nr      = nrv * lanes
)

func (a *neon) f32() {
	elementwise(a)
	neonSet.panel = panelVectors(a) * lanes
	a.axpyRows(4)
	a.axpyRows(8)
	neonSet.wrapped = a.made
}

func (a *neon) tilePackage() {
	a.streams()
	a.tiles()
}

func (a *neon) tiles() {
	for rows := 1; rows <= mr; rows++ {
		for vecs := 1; vecs <= nrv; vecs++ {
			a.tile(rows, vecs)
		}
	}
	a.cut()
}

// rows returns pointers to n rows of a matrix.
func (a *neon) rows(n int, pointer, stride string) []general {
	list := []general{a.param(pointer)}
	if n == 1 {
		return list
	}
	by := a.stride(stride)
	for range n - 1 {
		r := a.register()
		a.op("ADD", by, list[len(list)-1], r)
		list = append(list, r)
	}
	return list
}

func (a *neon) tile(rows, vecs int) {
	a.begin(fmt.Sprintf("tile%dx%d", rows, vecs), fmt.Sprintf("is a tile of %d rows and at most %d columns of a panel of %d.", rows, vecs*lanes, nr),
		outcome+"cols, k int, a *float32, rs, cs, turns, turn int, b *float32, ahead uintptr, jump int)")
	sum := func(r, v int) vec { return vec(r*vecs + v) }
	const bv, av = vec(mr * nrv), vec(mr*nrv + nrv)
	for i := range rows * vecs {
		a.zero(vec(i))
	}
	// C comes from memory while the sums are taken.
	c, cst := a.param("c"), a.stride("cst")
	for r := range rows {
		if r > 0 {
			a.op("ADD", cst, c)
		}
		a.line("\tPRFM   (%s), PSTL1KEEP", c)
	}
	k := a.param("k")
	of := a.rows(rows, "a", "rs")
	cs, b, ahead, jump, index := a.stride("cs"), a.param("b"), a.param("ahead"), a.stride("jump"), a.register()
	a.op("MOVD", "ZR", index)
	turns, turn := a.param("turns"), a.stride("turn") // from a turn's end to the next
	a.op("MSUB", cs, turn, k, turn)

	step := func(p int) {
		for v := 0; v < vecs; v += 2 {
			if at := (mem{base: b, disp: p*nr*lane + v*quad}); v+1 < vecs {
				a.line("\tFLDPQ  %s, (%s, %s)", at, bv+vec(v), bv+vec(v)+1)
			} else {
				a.load(at, bv+vec(v))
			}
		}
		for r := range rows {
			av := av + vec(r%4)
			a.line("\tFMOVS  (%s)(%s), %s", of[r], index, av)
			for v := range vecs {
				a.fmlaLane(sum(r, v), bv+vec(v), av)
			}
		}
		a.op("ADD", cs, index)
	}
	a.label("turn")
	a.op("SUBS", unroll, k)
	a.line("\tBLT    rest")
	a.label("loop")
	for p := range unroll {
		step(p)
		if at := p * fetch / unroll; at%64 == 0 {
			a.line("\tPRFM   %s, PLDL2KEEP", mem{base: ahead, disp: at})
		}
	}
	a.op("ADD", unroll*nr*lane, b)
	a.op("ADD", jump, ahead)
	a.op("SUBS", unroll, k)
	a.line("\tBGE    loop")
	a.label("rest")
	a.op("ADDS", unroll, k)
	a.line("\tBEQ    turned")
	a.label("one")
	step(0)
	a.op("ADD", nr*lane, b)
	a.op("SUBS", 1, k)
	a.line("\tBNE    one")
	a.label("turned")
	a.op("SUBS", 1, turns)
	a.line("\tBEQ    sums")
	a.op("ADD", turn, index)
	a.op("MOVD", a.at("k"), k)
	a.line("\tB      turn")

	a.label("sums")
	a.finish(rows, vecs, sum)
}

// outcome are the parameters that all tiles begin with, so that they can share what
// they end with.
const outcome = "func(start *float32, ss int, c *float32, cst int, "

// Registers that finish leaves to cut: pointers to rows of start, if started is not nil,
// and of C, how many rows and columns there are, and the sums.
const (
	startRow, cRow, rowCount, colCount, started general = 0, 6, 12, 13, 15

	cutSum vec = 24
)

// finish adds the start values, stores the tile, and returns. The last vector of each
// row comes last; cut does it if it is not whole.
func (a *neon) finish(rows, vecs int, sum func(r, v int) vec) {
	const t vec = 31
	by := general(14)
	pointers := func(first general, pointer, stride string) {
		a.op("MOVD", a.at(pointer), first)
		if rows == 1 {
			return
		}
		a.op("MOVD", a.at(stride), by)
		for r := range general(rows - 1) {
			a.line("\tADD    %s<<2, %s, %s", by, first+r, first+r+1)
		}
	}
	add := func(from, to int) {
		for r := range rows {
			for v := from; v < to; v++ {
				a.load(mem{base: startRow + general(r), disp: v * quad}, t)
				a.three("fadd.4s", sum(r, v), sum(r, v), t)
			}
		}
	}
	store := func(from, to int) {
		for r := range rows {
			for v := from; v < to; v++ {
				a.store(sum(r, v), mem{base: cRow + general(r), disp: v * quad})
			}
		}
	}
	pointers(cRow, "c", "cst")
	a.op("MOVD", a.at("start"), started)
	a.line("\tCBZ    %s, store", started)
	pointers(startRow, "start", "ss")
	add(0, vecs-1)
	a.label("store")
	store(0, vecs-1)
	a.op("MOVD", a.at("cols"), colCount)
	a.op("CMP", vecs*lanes, colCount)
	a.line("\tBNE    cut")
	a.line("\tCBZ    %s, storeLast", started)
	add(vecs-1, vecs)
	a.label("storeLast")
	store(vecs-1, vecs)
	a.op("RET")
	a.label("cut")
	for r := range rows {
		a.move(sum(r, vecs-1), cutSum+vec(r))
	}
	if vecs > 1 {
		for r := range general(rows) {
			a.op("ADD", (vecs-1)*quad, cRow+r)
			a.op("ADD", (vecs-1)*quad, startRow+r)
		}
	}
	a.op("MOVD", rows, rowCount)
	a.line("\tB      ·cutNEON(SB)")
}

// cut emits the end of tiles whose last vector is not whole.
func (a *neon) cut() {
	a.begin("cut", "is the end of tiles that are not as wide as their registers; Go does not call it.", "func(start *float32, ss int, c *float32, cst int)")
	const t vec = 31
	each := func(done string, body func(r int)) {
		for r := range mr {
			body(r)
			if r < mr-1 {
				a.op("CMP", r+1, rowCount)
				a.line("\tBEQ    %s", done)
			}
		}
	}
	a.op("AND", lanes-1, colCount)
	for n := 1; n < lanes-1; n++ {
		a.op("CMP", n, colCount)
		a.line("\tBEQ    cut%d", n)
	}
	for n := lanes - 1; n > 0; n-- {
		if n < lanes-1 {
			a.label(fmt.Sprintf("cut%d", n))
		}
		store := fmt.Sprintf("store%d", n)
		a.line("\tCBZ    %s, %s", started, store)
		each(store, func(r int) {
			a.loadFirst(n, mem{base: startRow + general(r)}, t)
			a.three("fadd.4s", cutSum+vec(r), cutSum+vec(r), t)
		})
		a.label(store)
		each("done", func(r int) { a.storeFirst(n, cutSum+vec(r), mem{base: cRow + general(r)}) })
		if n > 1 {
			a.op("RET")
		}
	}
	a.label("done")
	a.op("RET")
}

// loadFirst loads n < lanes values, storeFirst stores them.
func (a *neon) loadFirst(n int, m mem, r vec) {
	a.op([]string{"FMOVS", "FMOVD", "FMOVD"}[n-1], m, r)
	if n == 3 {
		a.op("ADD", m.disp+2*lane, m.base, temporary)
		a.line("\tVLD1   (%s), V%d.S[2]", temporary, int(r))
	}
}

func (a *neon) storeFirst(n int, r vec, m mem) {
	a.op([]string{"FMOVS", "FMOVD", "FMOVD"}[n-1], r, m)
	if n == 3 {
		a.op("ADD", m.disp+2*lane, m.base, temporary)
		a.line("\tVST1   V%d.S[2], (%s)", int(r), temporary)
	}
}
