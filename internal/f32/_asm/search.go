package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// searches emits the kernels of nearest-neighbour search.
func (s *isa) searches() {
	s.fourRows("dot4", "the sum of q[i]*x[i]", func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		VFMADD231PS(t, q, sum)
	})
	s.fourRows("squaredDistance4", "the sum of (q[i]-x[i])²", func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		VSUBPS(t, q, t)
		VFMADD231PS(t, t, sum)
	})
	s.notAbove()
	s.codeBounds()
	if s == avx2 {
		squaresInOrder()
	}
}

// fourRows emits a reduction of a vector with each of four others, and fetches four
// more meanwhile, ld apart.
func (s *isa) fourRows(name, doc string, add func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical))) {
	s.begin(name, " writes "+doc+" over n values for x0 to out[0], and so on. It fetches as many from next+r*ld.", "func(n int, q, x0, x1, x2, x3, next *float32, ld int, out *float32)")
	const rows, sums = 4, 2
	sum := func(r, i int) reg.VecPhysical { return s.regs[r*sums+i] }
	q, t := s.regs[rows*sums:rows*sums+sums], s.regs[rows*sums+sums:]
	n, query := param("n"), param("q")
	var x []reg.GPVirtual
	for r := range rows {
		x = append(x, param(fmt.Sprintf("x%d", r)))
	}
	next := s.rows(rows, "next", "ld")
	for i := range rows * sums {
		s.zero(s.regs[i])
	}
	Label("two")
	CMPQ(n, U8(sums*s.lanes))
	JL(LabelRef("loop"))
	for i := range sums {
		s.load(Mem{Base: query, Disp: i * s.bytes()}, q[i])
	}
	for r := range rows {
		for disp := 0; disp < sums*s.bytes(); disp += 64 {
			PREFETCHT0(next.at(r, disp))
		}
		for i := range sums {
			add(Mem{Base: x[r], Disp: i * s.bytes()}, q[i], t[i], sum(r, i), s.load)
		}
	}
	for _, p := range append(x, query, next.bases[0]) {
		ADDQ(I32(sums*s.bytes()), p)
	}
	SUBQ(U8(sums*s.lanes), n)
	JMP(LabelRef("two"))
	s.loop(n, append(x, query), func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		load(Mem{Base: query}, q[0])
		for r := range rows {
			add(Mem{Base: x[r]}, q[0], t[0], sum(r, 0), load)
		}
	})
	out := param("out")
	for r := range rows {
		VADDPS(sum(r, 1), sum(r, 0), sum(r, 0))
		s.sum(sum(r, 0), t[0])
		VMOVSS(sum(r, 0).AsX(), Mem{Base: out, Disp: r * lane})
	}
	VZEROUPPER()
	RET()
}

// squaresInOrder emits sums of squared differences in float64, each in the order of the
// values: those of four rows side by side.
func squaresInOrder() {
	avx2.begin("squaresInOrder", " adds (q[i]*factor-x[i]*factors[0])² in order over n values of x0, a multiple of 4, n >= 4, to sums[0], and so on.",
		"func(n int, q, x0, x1, x2, x3 *float32, factor float64, factors, sums *float64)")
	y := avx2.regs
	n, query := param("n"), param("q")
	var x []reg.GPVirtual
	for r := range 4 {
		x = append(x, param(fmt.Sprintf("x%d", r)))
	}
	d, t, factors, factor, q, sum := y[0:4], y[4:8], y[8:12], y[12], y[13], y[14]
	from, sums := param("factors"), param("sums")
	p, err := Param("factor").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSD(p.Addr, factor)
	for r := range 4 {
		VBROADCASTSD(Mem{Base: from, Disp: r * 8}, factors[r])
	}
	VMOVUPD(Mem{Base: sums}, sum)
	Label("loop")
	VCVTPS2PD(Mem{Base: query}, q)
	VMULPD(factor, q, q)
	for r := range 4 {
		VCVTPS2PD(Mem{Base: x[r]}, d[r])
		VMULPD(factors[r], d[r], d[r])
		VSUBPD(d[r], q, d[r])
		VMULPD(d[r], d[r], d[r])
	}
	for r := 0; r < 4; r += 2 { // turned, so that a register has one value of each row
		VUNPCKLPD(d[r+1], d[r], t[r])
		VUNPCKHPD(d[r+1], d[r], t[r+1])
	}
	VPERM2F128(U8(0x20), t[2], t[0], d[0])
	VPERM2F128(U8(0x20), t[3], t[1], d[1])
	VPERM2F128(U8(0x31), t[2], t[0], d[2])
	VPERM2F128(U8(0x31), t[3], t[1], d[3])
	for i := range 4 {
		VADDPD(d[i], sum, sum)
	}
	for _, p := range append(x, query) {
		ADDQ(U8(4*lane), p)
	}
	SUBQ(U8(4), n)
	JNZ(LabelRef("loop"))
	VMOVUPD(sum, Mem{Base: sums})
	VZEROUPPER()
	RET()
}

// notAbove emits the comparison of whole registers with a limit.
func (s *isa) notAbove() {
	s.begin("notAbove", fmt.Sprintf(" sets bit i of mask where x[i] is not greater than limit, and clears it elsewhere, for n values, a multiple of %d, n >= %d.", s.lanes, s.lanes),
		"func(n int, mask *uint64, x *float32, limit float32)")
	n, mask, x := param("n"), param("mask"), param("x")
	limit, v := s.regs[0], s.regs[1]
	s.broadcast("limit", limit)
	Label("loop")
	if s == avx512 {
		VMOVUPS(Mem{Base: x}, v)
		VCMPPS(U8(notGreaterOrNaN), limit, v, reg.K1)
		KMOVW(reg.K1, Mem{Base: mask})
	} else {
		bits := GP32()
		VMOVUPS(Mem{Base: x}, v)
		VCMPPS(U8(notGreaterOrNaN), limit, v, v)
		VMOVMSKPS(v, bits)
		MOVB(bits.As8(), Mem{Base: mask})
	}
	ADDQ(I32(s.bytes()), x)
	ADDQ(U8(s.lanes/8), mask)
	SUBQ(U8(s.lanes), n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// codeRows is the number of rows whose codes lie interleaved.
const codeRows = 16

// codeGroup is the number of codes of a row that lie together.
const codeGroup = 4

// codeAhead is how many bytes of codes are fetched in advance.
const codeAhead = 2048

// codeBounds emits the products of a vector of codes with many others, and the
// comparison that they are made for. It needs VNNI on AVX-512.
func (s *isa) codeBounds() {
	name := "codeBounds" + s.name
	if s == avx512 {
		name = "codeBoundsVNNI"
	}
	TEXT(name, attr.NOSPLIT, "func(blocks, groups int, mask *uint64, dots *int32, codes *uint8, rows *float32, query, size *int8, start int32, keep, product, radius, limit float32)")
	Doc(name + " is the loop of codeBoundsGeneric; size holds the magnitudes of query.")
	Pragma("noescape")
	blocks, groups := param("blocks"), param("groups")
	mask, dots, codes, rows := param("mask"), param("dots"), param("codes"), param("rows")
	const vecs = 4 // sums in turn
	parts := codeRows / s.lanes
	sums := s.regs[:vecs]
	keep, product, radius, limit, start := s.regs[8], s.regs[9], s.regs[10], s.regs[11], s.regs[12]
	s.broadcast("keep", keep)
	s.broadcast("product", product)
	s.broadcast("radius", radius)
	s.broadcast("limit", limit)
	s.broadcast("start", start)
	if s == avx2 {
		s.bits(0x80808080, s.regs[13])
		s.bits(0x00010001, s.regs[14])
	}
	Label("block")
	query, size, n := param("query"), GP64(), GP64()
	if s == avx2 {
		size = param("size")
	}
	MOVQ(groups, n)
	for p := range parts {
		VMOVAPS(start, sums[p])
	}
	for p := parts; p < vecs; p++ {
		s.zero(sums[p])
	}
	group := func(i int) {
		if s == avx512 {
			VMOVUPS(Mem{Base: codes, Disp: i * 64}, s.regs[4+i])
			dotBytes(Mem{Base: query, Disp: i * 4}, s.regs[4+i], sums[i])
			return
		}
		for p := range parts {
			// The codes as signed bytes, with the sign of the query's: pairs of
			// products, at most 2*127*127 each, fit in 16 bits.
			v, q := s.regs[4+p], s.regs[6]
			VMOVUPS(Mem{Base: codes, Disp: i*64 + p*32}, v)
			VPXOR(s.regs[13], v, v)
			VPBROADCASTD(Mem{Base: query, Disp: i * 4}, q)
			VPSIGNB(q, v, v)
			VPBROADCASTD(Mem{Base: size, Disp: i * 4}, q)
			VPMADDUBSW(v, q, v)
			VPMADDWD(s.regs[14], v, v)
			VPADDD(v, sums[p+parts*(i%(vecs/parts))], sums[p+parts*(i%(vecs/parts))])
		}
	}
	advance := func(groups int) {
		ADDQ(I32(64*groups), codes)
		ADDQ(U8(4*groups), query)
		if s == avx2 {
			ADDQ(U8(4*groups), size)
		}
	}
	SUBQ(U8(4), n)
	JL(LabelRef("rest"))
	Label("four")
	for i := range 4 {
		PREFETCHT0(Mem{Base: codes, Disp: codeAhead + i*64})
		group(i)
	}
	advance(4)
	SUBQ(U8(4), n)
	JGE(LabelRef("four"))
	Label("rest")
	ADDQ(U8(4), n)
	JZ(LabelRef("bounds"))
	Label("one")
	group(0)
	advance(1)
	DECQ(n)
	JNZ(LabelRef("one"))
	Label("bounds")
	for p := vecs - 1; p >= parts; p-- {
		VPADDD(sums[p], sums[p-parts], sums[p-parts])
	}
	for p := range parts {
		v := s.regs[4]
		at := func(array int) Mem { return Mem{Base: rows, Disp: (array*codeRows + p*s.lanes) * lane} }
		VMOVUPS(sums[p], Mem{Base: dots, Disp: p * s.bytes()})
		VCVTDQ2PS(sums[p], sums[p])
		VMULPS(at(1), sums[p], sums[p])
		VMULPS(at(0), keep, v)
		VFNMADD231PS(sums[p], product, v)
		VFNMADD231PS(at(2), radius, v)
		if s == avx512 {
			VCMPPS(U8(notGreaterOrNaN), limit, v, reg.K1)
			KMOVW(reg.K1, Mem{Base: mask})
		} else {
			bits := GP32()
			VCMPPS(U8(notGreaterOrNaN), limit, v, v)
			VMOVMSKPS(v, bits)
			MOVB(bits.As8(), Mem{Base: mask, Disp: p})
		}
	}
	ADDQ(U8(codeRows/8), mask)
	ADDQ(U8(codeRows*lane), dots)
	ADDQ(U32(3*codeRows*lane), rows)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// dotBytes adds to each 32-bit lane of sum the products of its four unsigned bytes
// in x with the four signed ones at m. The generator does not know VPDPBUSD.
func dotBytes(m Mem, x, sum reg.VecPhysical) {
	Instruction(&ir.Instruction{
		Opcode: "VPDPBUSD", Suffixes: []string{"BCST"}, Operands: []Op{m, x, sum},
		Inputs: []Op{m, x, sum}, Outputs: []Op{sum}, ISA: []string{"AVX512_VNNI"},
	})
}
