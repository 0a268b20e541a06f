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
	product := func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		VFMADD231PS(t, q, sum)
	}
	square := func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		VSUBPS(t, q, t)
		VFMADD231PS(t, t, sum)
	}
	s.fourRows("dot4", "the sum of q[i]*x[i]", product)
	s.fourRows("squaredDistance4", "the sum of (q[i]-x[i])²", square)
	if s == avx512 {
		s.picked("pickedDots", "the sum of q[i]*x[rows[j]*ld+i]", product)
		s.picked("pickedSquares", "the sum of (q[i]-x[rows[j]*ld+i])²", square)
	}
	s.notAbove()
	s.nearLeast()
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
	n, query, x := param("n"), param("q"), vectors(rows)
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

// vectors returns the parameters x0, x1 and so on.
func vectors(n int) (x []reg.GPVirtual) {
	for r := range n {
		x = append(x, param(fmt.Sprintf("x%d", r)))
	}
	return x
}

// picked emits a reduction of a vector with each of others that lie anywhere, four at a
// time, whose sums are added up side by side.
func (s *isa) picked(name, doc string, add func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical))) {
	s.begin(name, " writes "+doc+" over n values to out[j], for j < 4*fours, fours >= 1.", "func(fours, n int, out, q, x *float32, ld int, rows *int32)")
	sum, t, q := s.regs[:4], s.regs[4:8], s.regs[8]
	fours, n, out, query, x, ld, rows := param("fours"), param("n"), param("out"), param("q"), param("x"), param("ld"), param("rows")
	SHLQ(U8(2), ld)
	rest := GP64()
	MOVQ(n, rest)
	ANDQ(U8(s.lanes-1), rest)
	s.tail(rest)
	SHRQ(U8(4), n) // whole registers
	Label("four")
	var row []reg.GPVirtual
	for r := range sum {
		s.zero(sum[r])
		row = append(row, GP64())
		MOVLQSX(Mem{Base: rows, Disp: r * 4}, row[r])
		IMULQ(ld, row[r])
		ADDQ(x, row[r])
	}
	at, left := GP64(), GP64()
	XORQ(at, at)
	MOVQ(n, left)
	step := func(load func(Mem, reg.VecPhysical)) {
		load(Mem{Base: query, Index: at, Scale: 1}, q)
		for r := range sum {
			add(Mem{Base: row[r], Index: at, Scale: 1}, q, t[r], sum[r], load)
		}
	}
	TESTQ(left, left)
	JZ(LabelRef("rest"))
	Label("values")
	step(s.load)
	ADDQ(U8(s.bytes()), at)
	DECQ(left)
	JNZ(LabelRef("values"))
	Label("rest")
	TESTQ(rest, rest)
	JZ(LabelRef("sum"))
	step(s.loadTail)
	Label("sum")
	for r := 0; r < len(sum); r += 2 { // lanes of two sums by turns
		VUNPCKLPS(sum[r+1], sum[r], t[0])
		VUNPCKHPS(sum[r+1], sum[r], t[1])
		VADDPS(t[1], t[0], sum[r])
	}
	VUNPCKLPD(sum[2], sum[0], t[0])
	VUNPCKHPD(sum[2], sum[0], t[1])
	VADDPS(t[1], t[0], t[0])
	s.fold(VADDPS, t[0], t[1])
	VMOVUPS(t[0].AsX(), Mem{Base: out})
	ADDQ(U8(4*lane), out)
	ADDQ(U8(4*4), rows)
	DECQ(fours)
	JNZ(LabelRef("four"))
	VZEROUPPER()
	RET()
}

// squaresInOrder emits sums of squared differences in float64, each in the order of the
// values: those of four rows side by side.
func squaresInOrder() {
	avx2.begin("squaresInOrder", " adds (q[i]*factor-x[i]*factors[0])² in order over n values of x0, a multiple of 4, n >= 4, to sums[0], and so on.",
		"func(n int, q, x0, x1, x2, x3 *float32, factor float64, factors, sums *float64)")
	y := avx2.regs
	n, query, x := param("n"), param("q"), vectors(4)
	d, t, factors, factor, q, sum := y[0:4], y[4:8], y[8:12], y[12], y[13], y[14]
	from, sums := param("factors"), param("sums")
	VBROADCASTSD(address("factor"), factor)
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

// classes is how many sets of values nearLeast takes the minima of.
const classes = 32

// nearLeast emits the k-th least of minima: that of whose k-1 others at most are less.
func (s *isa) nearLeast() {
	s.begin("nearLeast", fmt.Sprintf(" returns the k-th least of %d minima, that of x[i], x[i+%d], ... over n values, a multiple of %d, n >= %d. One of NaN counts as infinity.", classes, classes, classes, classes),
		"func(n int, x *float32, k int32) float32")
	n, x := param("n"), param("x")
	vecs := classes / s.lanes
	least, rank := s.regs[:vecs], s.regs[vecs:2*vecs]
	one, t, infinity := s.regs[2*vecs], s.regs[2*vecs+1], s.regs[2*vecs+2]
	s.bits(0x7f800000, infinity)
	for i := range least {
		VMOVAPS(infinity, least[i])
		s.zero(rank[i])
	}
	Label("loop")
	for i := range least {
		VMINPS(Mem{Base: x, Disp: i * s.bytes()}, least[i], least[i])
	}
	ADDQ(U8(classes*lane), x)
	SUBQ(U8(classes), n)
	JNZ(LabelRef("loop"))
	all := AllocLocal(classes * lane)
	for i := range least {
		VMINPS(infinity, least[i], least[i]) // NaN becomes infinity
		VMOVUPS(least[i], all.Offset(i*s.bytes()))
	}
	s.bits(1, one)
	for j := range classes {
		VBROADCASTSS(all.Offset(j*lane), t)
		for i := range least {
			if s == avx512 {
				VCMPPS(U8(greater), t, least[i], reg.K1)
				VPADDD(one, rank[i], reg.K1, rank[i])
			} else {
				VCMPPS(U8(greater), t, least[i], s.regs[2*vecs+3])
				VPSUBD(s.regs[2*vecs+3], rank[i], rank[i])
			}
		}
	}
	// The greatest with a rank under k.
	k := t
	s.broadcast("k", k)
	s.bits(0xff800000, infinity) // below zero
	for i := range least {
		if s == avx512 {
			VPCMPD(U8(2), rank[i], k, reg.K1) // k <= rank
			VMOVAPS(infinity, reg.K1, least[i])
		} else {
			VPCMPGTD(rank[i], k, rank[i]) // k > rank
			VBLENDVPS(rank[i], least[i], infinity, least[i])
		}
		if i > 0 {
			VMAXPS(least[i], least[0], least[0])
		}
	}
	s.fold(VMAXPS, least[0], t)
	VPSHUFD(U8(0x4e), least[0].AsX(), t.AsX())
	VMAXPS(t.AsX(), least[0].AsX(), least[0].AsX())
	VPSHUFD(U8(0xb1), least[0].AsX(), t.AsX())
	VMAXPS(t.AsX(), least[0].AsX(), least[0].AsX())
	Store(least[0].AsX(), ReturnIndex(0))
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
