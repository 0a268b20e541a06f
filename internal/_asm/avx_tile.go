package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/ir"
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
		s.readingTile(rows)
		s.aheadTile(rows, 6)
		if s == avx2 {
			s.aheadTile(rows, 10)
		}
		s.finishPanel(rows)
	}
	if s == avx2 {
		s.cut()
	}
}

// tile emits one micro-kernel. Registers: rows*vecs sums, the vectors of B, and
// the values of A, broadcast, in turn.
func (s *avx) tile(rows, vecs int) {
	s.TEXT(fmt.Sprintf("tile%dx%d%s", rows, vecs, s.name), attr.NOSPLIT,
		outcome+"cols, k int, a *float32, rs, cs, turns, turn int, b *float32, ahead uintptr, jump int)")
	s.Doc(fmt.Sprintf("tile%dx%d%s is a tile of %d rows and at most %d columns of a panel of %d.", rows, vecs, s.name, rows, vecs*s.lanes, s.nrv*s.lanes))
	s.Pragma("noescape")

	t := s.beginTile(rows, vecs)
	k := s.param("k")
	a := s.rows(rows, "a", "rs")
	b := s.param("b")
	cs := s.param("cs")
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
	cols := s.param("cols")
	if vecs > 1 {
		s.SUBQ(U8((vecs-1)*s.lanes), cols)
	}
	if s == avx512 {
		s.tail(cols)
	} else {
		s.CMPQ(cols, U8(s.lanes))
		s.JNE(LabelRef("cut"))
	}
	if vecs == s.nrv {
		s.jumpTo(fmt.Sprintf("finish%d", rows))
	} else {
		s.finish(t)
	}
	if s == avx2 {
		s.Label("cut")
		s.MOVQ(cols, cutCols)
		s.MOVQ(U32(rows), cutRows)
		s.MOVQ(U32((vecs-1)*s.bytes()), cutWhole)
		s.jumpTo("cut", cutCols, cutRows, cutWhole)
	}
}

// jumpTo ends a function with another one of this set, which reads the same parameters and these registers.
func (s *avx) jumpTo(name string, inputs ...Op) {
	s.Instruction(&ir.Instruction{Opcode: "JMP", Operands: []Op{LabelRef("·" + name + s.name + "(SB)")}, Inputs: inputs, IsTerminal: true})
}

// registers are what a tile is computed in.
type registers struct {
	rows, vecs int
	sums       []reg.VecPhysical // [rows][vecs]
	b          []reg.VecPhysical // a row of the panel
	a          []reg.VecPhysical // values of A, in turn
}

func (t registers) sum(r, v int) reg.VecPhysical { return t.sums[r*t.vecs+v] }

// registers returns those of a tile. The last sum of a row is in the same one whatever the tile's
// width is.
func (s *avx) registers(rows, vecs int) registers {
	t := registers{rows: rows, vecs: vecs}
	for r := range rows {
		t.sums = append(t.sums, s.regs[(r+1)*s.nrv-vecs:][:vecs]...)
	}
	free := s.regs[rows*s.nrv:]
	t.b, t.a = free[:vecs], free[vecs:vecs+2]
	return t
}

// beginTile clears the sums.
func (s *avx) beginTile(rows, vecs int) registers {
	t := s.registers(rows, vecs)
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
// memory rather than in a cache. It stores what it reads as a panel, unless that is nil.
// With each row it asks memory for one of what is read next.
func (s *avx) readingTile(rows int) {
	s.TEXT(fmt.Sprintf("readingTile%d%s", rows, s.name), attr.NOSPLIT,
		outcome+"k int, a *float32, rs, cs int, b *float32, ldb int, panel *float32, ahead uintptr)")
	s.Doc(fmt.Sprintf("readingTile%d%s is a tile of %d rows and a whole panel of a B that is not packed; k > 0.", rows, s.name, rows))
	s.Pragma("noescape")

	vecs := s.nrv
	t := s.beginTile(rows, vecs)
	a := s.rows(rows, "a", "rs")
	k, cs, ldb, b, ahead := s.param("k"), s.param("cs"), s.param("ldb"), s.param("b"), s.param("ahead")
	s.SHLQ(U8(2), cs)
	s.SHLQ(U8(2), ldb)
	panel := s.param("panel")
	over := func(row string, packs bool) {
		s.align() // one row took 5% longer where the end of the loop crossed 32 bytes
		s.Label(row)
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
		s.JNZ(LabelRef(row))
		s.finishWhole(rows)
	}
	if s.inPlace { // a test in the loop costs few rows 5%
		s.TESTQ(panel, panel)
		s.JZ(LabelRef("inPlace"))
	}
	over("row", true)
	if s.inPlace {
		over("inPlace", false)
	}
}

// align lets what follows begin at a multiple of 32 bytes.
func (s *avx) align() {
	s.Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{U8(32)}})
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
		outcome+"k int, a *float32, rs, cs int, b *float32, packing *byte)")
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
	s.finishWhole(rows)
}

// finishWhole ends a tile of a whole panel.
func (s *avx) finishWhole(rows int) {
	if s == avx512 {
		s.KXNORW(reg.K1, reg.K1, reg.K1)
	}
	s.jumpTo(fmt.Sprintf("finish%d", rows))
}

// finishPanel emits what all tiles of a panel's width end with.
func (s *avx) finishPanel(rows int) {
	s.begin(fmt.Sprintf("finish%d", rows), fmt.Sprintf(" is the end of tiles of %d rows and two vectors; Go does not call it.", rows), "func(start *float32, ss int, c *float32, cst int)")
	s.finish(s.registers(rows, s.nrv))
}

// finish adds the start values, stores the tile, and returns. The last vector of
// a row is cut by K1 on AVX-512.
func (s *avx) finish(t registers) {
	scratch := t.b[0]
	pointer := s.param("start")
	s.TESTQ(pointer, pointer)
	s.JZ(LabelRef("store"))
	start := s.rows(t.rows, "start", "ss")
	for r := range t.rows {
		for v := range t.vecs {
			m, sum := start.at(r, v*s.bytes()), t.sum(r, v)
			if v == t.vecs-1 && s == avx512 {
				s.loadTail(m, scratch)
				s.VADDPS(scratch, sum, sum)
			} else {
				s.VADDPS(m, sum, sum)
			}
		}
	}
	s.Label("store")
	c := s.rows(t.rows, "c", "cst")
	for r := range t.rows {
		for v := range t.vecs {
			m, sum := c.at(r, v*s.bytes()), t.sum(r, v)
			if v == t.vecs-1 && s == avx512 {
				s.storeTail(sum, m)
			} else {
				s.VMOVUPS(sum, m)
			}
		}
	}
	s.VZEROUPPER()
	s.RET()
}

// What cut takes beside the parameters: values in the last vector of a row, rows, and the bytes of
// those before the last.
var cutCols, cutRows, cutWhole = reg.RAX, reg.RCX, reg.RDX

// cut emits AVX2's end of tiles whose last vector is not whole: that goes to memory in fours, twos
// and ones.
func (s *avx) cut() {
	s.begin("cut", " is the end of tiles that are not as wide as their registers; Go does not call it.", "func(start *float32, ss int, c *float32, cst int)")
	start, c, cst := s.param("start"), s.param("c"), s.stride("cst")
	at := []reg.Register{cutWhole, s.GP64(), s.GP64()} // where the four, the two and the one lie in a row
	for i, before := range []int{4, 4 + 2} {
		s.MOVQ(cutCols, at[i+1])
		s.ANDQ(U8(before), at[i+1])
		s.LEAQ(Mem{Base: cutWhole, Index: at[i+1], Scale: lane}, at[i+1])
	}
	rows := func(name string, adds bool) {
		s.Label(name)
		var ss reg.GPVirtual
		if adds {
			ss = s.stride("ss")
		}
		for r := range s.mr {
			t := s.registers(s.mr, s.nrv)
			whole, last, rest := t.sum(r, 0), t.sum(r, 1), t.b[0]
			label := func(part string) string { return fmt.Sprintf("%s%s%d", name, part, r) }
			s.TESTQ(cutWhole, cutWhole)
			s.JZ(LabelRef(label("Last")))
			if adds {
				s.VADDPS(Mem{Base: start}, whole, whole)
			}
			s.VMOVUPS(whole, Mem{Base: c})
			s.Label(label("Last"))
			x := last.AsX()
			for i, values := range []int{4, 2, 1} {
				next := label(fmt.Sprintf("Less%d", values))
				s.TESTQ(U32(values), cutCols)
				s.JZ(LabelRef(next))
				from, to := Mem{Base: start, Index: at[i], Scale: 1}, Mem{Base: c, Index: at[i], Scale: 1}
				switch values {
				case 4:
					s.VEXTRACTF128(U8(1), last, rest.AsX())
					if adds {
						s.VADDPS(from, x, x)
					}
					s.VMOVUPS(x, to)
					s.VMOVAPS(rest.AsX(), x)
				case 2:
					s.VMOVHLPS(x, x, rest.AsX())
					if adds {
						s.VMOVSD(from, t.b[1].AsX())
						s.VADDPS(t.b[1].AsX(), x, x)
					}
					s.VMOVSD(x, to)
					s.VMOVAPS(rest.AsX(), x)
				case 1:
					if adds {
						s.VADDSS(from, x, x)
					}
					s.VMOVSS(x, to)
				}
				s.Label(next)
			}
			if r < s.mr-1 {
				s.DECQ(cutRows)
				s.JZ(LabelRef("done"))
				if adds {
					s.ADDQ(ss, start)
				}
				s.ADDQ(cst, c)
			}
		}
	}
	s.TESTQ(start, start)
	s.JZ(LabelRef("store"))
	rows("add", true)
	s.JMP(LabelRef("done"))
	rows("store", false)
	s.Label("done")
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
	m := matrix{stride: s.param(stride)}
	s.SHLQ(U8(2), m.stride)
	if n > 3 {
		m.stride3 = s.GP64()
		s.LEAQ(Mem{Base: m.stride, Index: m.stride, Scale: 2}, m.stride3)
	}
	m.bases = append(m.bases, s.param(pointer))
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
