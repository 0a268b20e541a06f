package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	unroll = 4   // steps of k that the main loop takes at a time
	fetch  = 128 // bytes that are asked for meanwhile
)

// tiles emits the micro-kernels for every number of rows up to mr and of vectors
// up to nrv.
func (s *avx) tiles() {
	for rows := 1; rows <= s.mr; rows++ {
		for vecs := 1; vecs <= s.nrv; vecs++ {
			s.tile(rows, vecs)
		}
		s.readingTile(rows, "packing", true)
		if s == avx512 {
			s.readingTile(rows, "inPlace", false)
		}
		s.aheadTile(rows, 6)
		if s == avx2 {
			s.aheadTile(rows, 10)
		}
	}
}

// tile emits one micro-kernel. Registers: rows*vecs sums, the vectors of B, and
// the values of A, broadcast, in turn.
func (s *avx) tile(rows, vecs int) {
	s.TEXT(fmt.Sprintf("tile%dx%d%s", rows, vecs, s.name), attr.NOSPLIT,
		"func(cols, k int, a *float32, rs, cs, turns, turn int, b *float32, ahead uintptr, jump int, start *float32, ss int, c *float32, cst int)")
	s.Doc(fmt.Sprintf("tile%dx%d%s is a tile of %d rows and at most %d columns of a panel of %d.", rows, vecs, s.name, rows, vecs*s.lanes, s.nrv*s.lanes))
	s.Pragma("noescape")

	t := s.beginTile(rows, vecs)
	k := s.Load(s.Param("k"), s.GP64()).(reg.GPVirtual)
	a := s.rows(rows, "a", "rs")
	b := s.Load(s.Param("b"), s.GP64()).(reg.GPVirtual)
	cs := s.Load(s.Param("cs"), s.GP64()).(reg.GPVirtual)
	s.SHLQ(U8(2), cs)
	ahead, jump := s.param("ahead"), s.param("jump")
	s.SHLQ(U8(2), jump)
	turns, turn, gone := s.param("turns"), s.param("turn"), s.GP64() // from a turn's end to the next
	s.SHLQ(U8(2), turn)
	s.MOVQ(k, gone)
	s.IMULQ(cs, gone)
	s.SUBQ(gone, turn)

	step := func(p int) { s.step(t, p, a, cs, b) }
	s.Label("turn")
	s.SUBQ(U8(unroll), k)
	s.JL(LabelRef("rest"))
	s.Label("loop")
	for p := range unroll {
		step(p)
		if at := p * fetch / unroll; at%64 == 0 {
			s.PREFETCHT1(Mem{Base: ahead, Disp: at})
		}
	}
	s.ADDQ(I32(unroll*s.nrv*s.bytes()), b)
	s.ADDQ(jump, ahead)
	s.SUBQ(U8(unroll), k)
	s.JGE(LabelRef("loop"))
	s.Label("rest")
	s.ADDQ(U8(unroll), k)
	s.JZ(LabelRef("turned"))
	s.Label("one")
	step(0)
	s.ADDQ(U32(s.nrv*s.bytes()), b)
	s.DECQ(k)
	s.JNZ(LabelRef("one"))
	s.Label("turned")
	s.DECQ(turns)
	s.JZ(LabelRef("start"))
	for _, base := range a.bases {
		s.ADDQ(turn, base)
	}
	s.Load(s.Param("k"), k)
	s.JMP(LabelRef("turn"))

	s.Label("start")
	cols := s.Load(s.Param("cols"), s.GP64()).(reg.GPVirtual)
	if vecs > 1 {
		s.SUBQ(U8((vecs-1)*s.lanes), cols)
	}
	if s == avx512 {
		s.tail(cols)
		s.finish("", t, s.loadTail, s.storeTail)
	} else {
		s.CMPQ(cols, U8(s.lanes))
		s.JE(LabelRef("whole"))
		s.tail(cols)
		s.finish("Cut", t, s.loadTail, s.storeTail)
		s.Label("whole")
		s.finish("Whole", t, s.load, s.store)
	}
}

// registers are what a tile is computed in.
type registers struct {
	rows, vecs int
	sums       []reg.VecPhysical // [rows][vecs]
	b          []reg.VecPhysical // a row of the panel
	a          []reg.VecPhysical // values of A, in turn
}

func (t registers) sum(r, v int) reg.VecPhysical { return t.sums[r*t.vecs+v] }

// beginTile clears the sums.
func (s *avx) beginTile(rows, vecs int) registers {
	n := rows * vecs
	t := registers{rows, vecs, s.regs[:n], s.regs[n : n+vecs], s.regs[n+vecs : n+vecs+2]}
	for _, sum := range t.sums {
		s.zero(sum)
	}
	s.fetchC(rows, vecs)
	return t
}

// step adds the products of a column of A and row p of the panel at b to the sums, and
// goes on to A's next column.
func (s *avx) step(t registers, p int, a matrix, cs, b reg.GPVirtual) {
	for v, row := range t.b {
		s.VMOVUPS(Mem{Base: b, Disp: p*s.nrv*s.bytes() + v*s.bytes()}, row)
	}
	s.multiply(t, a, cs)
}

// multiply is a step whose row of B is in registers.
func (s *avx) multiply(t registers, a matrix, cs reg.GPVirtual) {
	for r := range t.rows {
		s.VBROADCASTSS(a.at(r, 0), t.a[r%2])
		for v, row := range t.b {
			s.VFMADD231PS(t.a[r%2], row, t.sum(r, v))
		}
	}
	for _, base := range a.bases {
		s.ADDQ(cs, base)
	}
}

// fetchC asks for C: it comes from memory, or the other core's cache, while the sums
// are taken.
func (s *avx) fetchC(rows, vecs int) {
	c := s.rows(rows, "c", "cst")
	for r := range rows {
		for v := range vecs {
			s.PREFETCHT0(c.at(r, v*s.bytes()))
		}
	}
}

// readingTile emits the micro-kernel for a whole panel that is still in place, in
// memory rather than in a cache. It may store what it reads as a panel. With each row
// it asks memory for one of what is read next.
func (s *avx) readingTile(rows int, name string, packs bool) {
	s.TEXT(fmt.Sprintf("%sTile%d%s", name, rows, s.name), attr.NOSPLIT,
		"func(k int, a *float32, rs, cs int, b *float32, ldb int, panel *float32, ahead uintptr, start *float32, ss int, c *float32, cst int)")
	s.Doc(fmt.Sprintf("%sTile%d%s is a tile of %d rows and a whole panel of a B that is not packed; k > 0.", name, rows, s.name, rows))
	s.Pragma("noescape")

	vecs := s.nrv
	t := s.beginTile(rows, vecs)
	a := s.rows(rows, "a", "rs")
	k, cs, ldb, b, ahead := s.param("k"), s.param("cs"), s.param("ldb"), s.param("b"), s.param("ahead")
	s.SHLQ(U8(2), cs)
	s.SHLQ(U8(2), ldb)
	var panel reg.GPVirtual
	if packs {
		panel = s.param("panel")
	}
	s.Label("row")
	for v := range vecs {
		s.VMOVUPS(Mem{Base: b, Disp: v * s.bytes()}, t.b[v])
	}
	for disp := 0; disp < vecs*s.bytes(); disp += 64 {
		s.PREFETCHT1(Mem{Base: ahead, Disp: disp})
	}
	if packs {
		for v := range vecs {
			s.VMOVUPS(t.b[v], Mem{Base: panel, Disp: v * s.bytes()})
		}
		s.ADDQ(I32(vecs*s.bytes()), panel)
	}
	s.multiply(t, a, cs)
	s.ADDQ(ldb, b)
	s.ADDQ(ldb, ahead)
	s.DECQ(k)
	s.JNZ(LabelRef("row"))
	s.finish("", t, s.load, s.store)
}

// Fields of packingStep.
const (
	packB = 8 * iota
	packDst
	packFrom
	packTo
	packLeft
	packPanels
	packApart
	packDown
	packBack
	packAsk
)

// aheadTile emits the micro-kernel for a whole panel that packs another B on the way,
// along its rows, a row of a panel in a number of steps of k. The loads would hold up the
// tile if memory had not been asked for what they read; fewer steps ask for more than a
// core can have under way.
func (s *avx) aheadTile(rows, packSteps int) {
	s.TEXT(fmt.Sprintf("ahead%dTile%d%s", packSteps, rows, s.name), attr.NOSPLIT,
		"func(k int, a *float32, rs, cs int, b *float32, packing *byte, start *float32, ss int, c *float32, cst int)")
	s.Doc(fmt.Sprintf("ahead%dTile%d%s is a tile of %d rows and a whole panel that packs k/%d rows of panels.", packSteps, rows, s.name, rows, packSteps))
	s.Pragma("noescape")

	vecs := s.nrv
	panel := vecs * s.bytes() // a row of it
	t := s.beginTile(rows, vecs)
	a := s.rows(rows, "a", "rs")
	k, cs, b, packing := s.param("k"), s.param("cs"), s.param("b"), s.param("packing")
	s.SHLQ(U8(2), cs)
	field := func(offset int) Mem { return Mem{Base: packing, Disp: offset} }
	from, to, left, ask := s.GP64(), s.GP64(), s.GP64(), s.GP64()
	s.MOVQ(field(packB), from)
	s.ADDQ(field(packFrom), from)
	s.MOVQ(field(packDst), to)
	s.ADDQ(field(packTo), to)
	s.MOVQ(field(packLeft), left)
	s.MOVQ(field(packAsk), ask)

	step := func(p int) { s.step(t, p, a, cs, b) }
	s.SUBQ(U8(packSteps), k)
	s.JL(LabelRef("rest"))
	s.Label("loop")
	for p := range packSteps {
		if v := p * vecs / packSteps; p%(packSteps/vecs) == 0 {
			s.VMOVUPS(Mem{Base: from, Disp: v * s.bytes()}, t.a[1])
			s.VMOVUPS(t.a[1], Mem{Base: to, Disp: v * s.bytes()})
			if v*s.bytes()%64 == 0 {
				s.PREFETCHT1(Mem{Base: from, Index: ask, Scale: 1, Disp: v * s.bytes()})
			}
		}
		step(p)
	}
	s.ADDQ(I32(packSteps*panel), b)
	s.ADDQ(I32(panel), from)
	s.ADDQ(field(packApart), to)
	s.DECQ(left)
	s.JNZ(LabelRef("sameRow"))
	s.ADDQ(field(packDown), from)
	s.ADDQ(field(packBack), to)
	s.MOVQ(field(packPanels), left)
	s.Label("sameRow")
	s.SUBQ(U8(packSteps), k)
	s.JGE(LabelRef("loop"))

	s.Label("rest")
	s.SUBQ(field(packB), from)
	s.MOVQ(from, field(packFrom))
	s.SUBQ(field(packDst), to)
	s.MOVQ(to, field(packTo))
	s.MOVQ(left, field(packLeft))
	s.ADDQ(U8(packSteps), k)
	s.JZ(LabelRef("done"))
	s.Label("one")
	step(0)
	s.ADDQ(U32(panel), b)
	s.DECQ(k)
	s.JNZ(LabelRef("one"))
	s.Label("done")
	s.finish("", t, s.load, s.store)
}

// finish adds the start values, stores the tile, and returns. The last vector of
// a row goes through load and store.
func (s *avx) finish(label string, t registers, load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
	scratch := t.b[0]
	pointer := s.Load(s.Param("start"), s.GP64()).(reg.GPVirtual)
	s.TESTQ(pointer, pointer)
	s.JZ(LabelRef("store" + label))
	start := s.rows(t.rows, "start", "ss")
	for r := range t.rows {
		for v := range t.vecs {
			if m := start.at(r, v*s.bytes()); v < t.vecs-1 {
				s.VADDPS(m, t.sum(r, v), t.sum(r, v))
			} else {
				load(m, scratch)
				s.VADDPS(scratch, t.sum(r, v), t.sum(r, v))
			}
		}
	}
	s.Label("store" + label)
	c := s.rows(t.rows, "c", "cst")
	for r := range t.rows {
		for v := range t.vecs {
			if m := c.at(r, v*s.bytes()); v < t.vecs-1 {
				s.VMOVUPS(t.sum(r, v), m)
			} else {
				store(t.sum(r, v), m)
			}
		}
	}
	s.VZEROUPPER()
	s.RET()
}

// matrix addresses rows of a matrix: five from each base, by what an address can
// hold: 0, 1, 2, 3 and 4 times the stride.
type matrix struct {
	bases           []reg.GPVirtual
	stride, stride3 reg.GPVirtual
}

func (s *avx) rows(n int, pointer, stride string) matrix {
	m := matrix{stride: s.Load(s.Param(stride), s.GP64()).(reg.GPVirtual)}
	s.SHLQ(U8(2), m.stride)
	if n > 3 {
		m.stride3 = s.GP64()
		s.LEAQ(Mem{Base: m.stride, Index: m.stride, Scale: 2}, m.stride3)
	}
	m.bases = append(m.bases, s.Load(s.Param(pointer), s.GP64()).(reg.GPVirtual))
	for i := 5; i < n; i += 5 {
		base := s.GP64()
		s.LEAQ(Mem{Base: m.bases[len(m.bases)-1], Index: m.stride, Scale: 4}, base)
		s.ADDQ(m.stride, base)
		m.bases = append(m.bases, base)
	}
	return m
}

// at is the address disp bytes into row r.
func (m matrix) at(r, disp int) Mem {
	x := Mem{Base: m.bases[r/5], Disp: disp}
	switch r % 5 {
	case 1, 2, 4:
		x.Index, x.Scale = m.stride, uint8(r%5)
	case 3:
		x.Index, x.Scale = m.stride3, 1
	}
	return x
}
