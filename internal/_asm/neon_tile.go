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
	a.streams()
	a.codeDots()
	a.tiles()
}

func (a *neon) tiles() {
	for rows := 1; rows <= mr; rows++ {
		for vecs := 1; vecs <= nrv; vecs++ {
			a.tile(rows, vecs)
		}
	}
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
		"func(cols int, k int, a *float32, rs int, cs int, turns int, turn int, b *float32, ahead uintptr, jump int, start *float32, ss int, c *float32, cst int)")
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
	a.used = 0
	cols := a.param("cols")
	for n := 1; n < lanes; n++ {
		a.op("CMP", (vecs-1)*lanes+n, cols)
		a.line("\tBEQ    cut%d", n)
	}
	for n := lanes; n > 0; n-- {
		if n < lanes {
			a.label(fmt.Sprintf("cut%d", n))
		}
		a.finish(rows, vecs, n, sum)
	}
}

// finish adds the start values, stores the tile, and returns. The last vector of
// each row has n values.
func (a *neon) finish(rows, vecs, n int, sum func(r, v int) vec) {
	const scratch = vec(mr * nrv)
	a.used = 0
	start, ss, c, cst, third := a.param("start"), a.stride("ss"), a.param("c"), a.stride("cst"), a.register()
	a.line("\tCBZ    %s, store%d", start, n)
	for r := range rows {
		for v := range vecs {
			if m := (mem{base: start, disp: v * quad}); v < vecs-1 || n == lanes {
				a.load(m, scratch)
			} else {
				a.loadFirst(n, m, scratch, third)
			}
			a.three("fadd.4s", sum(r, v), sum(r, v), scratch)
		}
		if r < rows-1 {
			a.op("ADD", ss, start)
		}
	}
	a.label(fmt.Sprintf("store%d", n))
	for r := range rows {
		for v := range vecs {
			if m := (mem{base: c, disp: v * quad}); v < vecs-1 || n == lanes {
				a.store(sum(r, v), m)
			} else {
				a.storeFirst(n, sum(r, v), m, third)
			}
		}
		if r < rows-1 {
			a.op("ADD", cst, c)
		}
	}
	a.op("RET")
}

// loadFirst loads n < lanes values, storeFirst stores them.
func (a *neon) loadFirst(n int, m mem, r vec, third general) {
	a.op([]string{"FMOVS", "FMOVD", "FMOVD"}[n-1], m, r)
	if n == 3 {
		a.op("ADD", m.disp+2*lane, m.base, third)
		a.line("\tVLD1   (%s), V%d.S[2]", third, int(r))
	}
}

func (a *neon) storeFirst(n int, r vec, m mem, third general) {
	a.op([]string{"FMOVS", "FMOVD", "FMOVD"}[n-1], r, m)
	if n == 3 {
		a.op("ADD", m.disp+2*lane, m.base, third)
		a.line("\tVST1   V%d.S[2], (%s)", int(r), third)
	}
}
