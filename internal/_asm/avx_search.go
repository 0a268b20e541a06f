package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// searches emits the kernels of nearest-neighbour search.
func (s *avx) searches() {
	product := func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		s.VFMADD231PS(t, q, sum)
	}
	square := func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical)) {
		load(x, t)
		s.VSUBPS(t, q, t)
		s.VFMADD231PS(t, t, sum)
	}
	s.fourRows("dot4", "the sum of q[i]*x[i]", product)
	s.fourRows("squaredDistance4", "the sum of (q[i]-x[i])²", square)
	if s == avx512 {
		s.picked("pickedDots", "the sum of q[i]*x[rows[j]*ld+i]", product)
		s.picked("pickedSquares", "the sum of (q[i]-x[rows[j]*ld+i])²", square)
	}
	s.notAbove()
	s.nearLeast()
	if s == avx2 {
		s.squaresInOrder()
	}
}

// fourRows emits a reduction of a vector with each of four others, and fetches four
// more meanwhile, ld apart.
func (s *avx) fourRows(name, doc string, add func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical))) {
	s.begin(name, " writes "+doc+" over n values for x0 to out[0], and so on. It fetches as many from next+r*ld.", "func(n int, q, x0, x1, x2, x3, next *float32, ld int, out *float32)")
	const rows, sums = 4, 2
	sum := func(r, i int) reg.VecPhysical { return s.regs[r*sums+i] }
	q, t := s.regs[rows*sums:rows*sums+sums], s.regs[rows*sums+sums:]
	n, query, x := s.param("n"), s.param("q"), s.vectors(rows)
	next := s.rows(rows, "next", "ld")
	for i := range rows * sums {
		s.zero(s.regs[i])
	}
	s.Label("two")
	s.CMPQ(n, U8(sums*s.lanes))
	s.JL(LabelRef("loop"))
	for i := range sums {
		s.load(Mem{Base: query, Disp: i * s.bytes()}, q[i])
	}
	for r := range rows {
		for disp := 0; disp < sums*s.bytes(); disp += 64 {
			s.PREFETCHT0(next.at(r, disp))
		}
		for i := range sums {
			add(Mem{Base: x[r], Disp: i * s.bytes()}, q[i], t[i], sum(r, i), s.load)
		}
	}
	for _, p := range append(x, query, next.bases[0]) {
		s.ADDQ(I32(sums*s.bytes()), p)
	}
	s.SUBQ(U8(sums*s.lanes), n)
	s.JMP(LabelRef("two"))
	s.loop(n, append(x, query), func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		load(Mem{Base: query}, q[0])
		for r := range rows {
			add(Mem{Base: x[r]}, q[0], t[0], sum(r, 0), load)
		}
	})
	out := s.param("out")
	for r := range rows {
		s.VADDPS(sum(r, 1), sum(r, 0), sum(r, 0))
		s.sum(sum(r, 0), t[0])
		s.VMOVSS(sum(r, 0).AsX(), Mem{Base: out, Disp: r * lane})
	}
	s.VZEROUPPER()
	s.RET()
}

// vectors returns the parameters x0, x1 and so on.
func (s *avx) vectors(n int) (x []reg.GPVirtual) {
	for r := range n {
		x = append(x, s.param(fmt.Sprintf("x%d", r)))
	}
	return x
}

// picked emits a reduction of a vector with each of others that lie anywhere, four at a
// time, whose sums are added up side by side.
func (s *avx) picked(name, doc string, add func(x Mem, q, t, sum reg.VecPhysical, load func(Mem, reg.VecPhysical))) {
	s.begin(name, " writes "+doc+" over n values to out[j], for j < 4*fours, fours >= 1.", "func(fours, n int, out, q, x *float32, ld int, rows *int32)")
	sum, t, q := s.regs[:4], s.regs[4:8], s.regs[8]
	fours, n, out, query, x, ld, rows := s.param("fours"), s.param("n"), s.param("out"), s.param("q"), s.param("x"), s.param("ld"), s.param("rows")
	s.SHLQ(U8(2), ld)
	rest := s.GP64()
	s.MOVQ(n, rest)
	s.ANDQ(U8(s.lanes-1), rest)
	s.tail(rest)
	s.SHRQ(U8(4), n) // whole registers
	s.Label("four")
	var row []reg.GPVirtual
	for r := range sum {
		s.zero(sum[r])
		row = append(row, s.GP64())
		s.MOVLQSX(Mem{Base: rows, Disp: r * 4}, row[r])
		s.IMULQ(ld, row[r])
		s.ADDQ(x, row[r])
	}
	at, left := s.GP64(), s.GP64()
	s.XORQ(at, at)
	s.MOVQ(n, left)
	step := func(load func(Mem, reg.VecPhysical)) {
		load(Mem{Base: query, Index: at, Scale: 1}, q)
		for r := range sum {
			add(Mem{Base: row[r], Index: at, Scale: 1}, q, t[r], sum[r], load)
		}
	}
	s.TESTQ(left, left)
	s.JZ(LabelRef("rest"))
	s.Label("values")
	step(s.load)
	s.ADDQ(U8(s.bytes()), at)
	s.DECQ(left)
	s.JNZ(LabelRef("values"))
	s.Label("rest")
	s.TESTQ(rest, rest)
	s.JZ(LabelRef("sum"))
	step(s.loadTail)
	s.Label("sum")
	for r := 0; r < len(sum); r += 2 { // lanes of two sums by turns
		s.VUNPCKLPS(sum[r+1], sum[r], t[0])
		s.VUNPCKHPS(sum[r+1], sum[r], t[1])
		s.VADDPS(t[1], t[0], sum[r])
	}
	s.VUNPCKLPD(sum[2], sum[0], t[0])
	s.VUNPCKHPD(sum[2], sum[0], t[1])
	s.VADDPS(t[1], t[0], t[0])
	s.fold(s.VADDPS, t[0], t[1])
	s.VMOVUPS(t[0].AsX(), Mem{Base: out})
	s.ADDQ(U8(4*lane), out)
	s.ADDQ(U8(4*4), rows)
	s.DECQ(fours)
	s.JNZ(LabelRef("four"))
	s.VZEROUPPER()
	s.RET()
}

// squaresInOrder emits sums of squared differences in float64, each in the order of the
// values: those of four rows side by side.
func (s *avx) squaresInOrder() {
	avx2.begin("squaresInOrder", " adds (q[i]*factor-x[i]*factors[0])² in order over n values of x0, a multiple of 4, n >= 4, to sums[0], and so on.",
		"func(n int, q, x0, x1, x2, x3 *float32, factor float64, factors, sums *float64)")
	y := avx2.regs
	n, query, x := s.param("n"), s.param("q"), s.vectors(4)
	d, t, factors, factor, q, sum := y[0:4], y[4:8], y[8:12], y[12], y[13], y[14]
	from, sums := s.param("factors"), s.param("sums")
	s.VBROADCASTSD(s.address("factor"), factor)
	for r := range 4 {
		s.VBROADCASTSD(Mem{Base: from, Disp: r * 8}, factors[r])
	}
	s.VMOVUPD(Mem{Base: sums}, sum)
	s.Label("loop")
	s.VCVTPS2PD(Mem{Base: query}, q)
	s.VMULPD(factor, q, q)
	for r := range 4 {
		s.VCVTPS2PD(Mem{Base: x[r]}, d[r])
		s.VMULPD(factors[r], d[r], d[r])
		s.VSUBPD(d[r], q, d[r])
		s.VMULPD(d[r], d[r], d[r])
	}
	for r := 0; r < 4; r += 2 { // turned, so that a register has one value of each row
		s.VUNPCKLPD(d[r+1], d[r], t[r])
		s.VUNPCKHPD(d[r+1], d[r], t[r+1])
	}
	s.VPERM2F128(U8(0x20), t[2], t[0], d[0])
	s.VPERM2F128(U8(0x20), t[3], t[1], d[1])
	s.VPERM2F128(U8(0x31), t[2], t[0], d[2])
	s.VPERM2F128(U8(0x31), t[3], t[1], d[3])
	for i := range 4 {
		s.VADDPD(d[i], sum, sum)
	}
	for _, p := range append(x, query) {
		s.ADDQ(U8(4*lane), p)
	}
	s.SUBQ(U8(4), n)
	s.JNZ(LabelRef("loop"))
	s.VMOVUPD(sum, Mem{Base: sums})
	s.VZEROUPPER()
	s.RET()
}

// notAbove emits the comparison of whole registers with a limit.
func (s *avx) notAbove() {
	s.begin("notAbove", fmt.Sprintf(" sets bit i of mask where x[i] is not greater than limit, and clears it elsewhere, for n values, a multiple of %d, n >= %d.", s.lanes, s.lanes),
		"func(n int, mask *uint64, x *float32, limit float32)")
	n, mask, x := s.param("n"), s.param("mask"), s.param("x")
	limit, v := s.regs[0], s.regs[1]
	s.broadcast("limit", limit)
	s.Label("loop")
	if s == avx512 {
		s.VMOVUPS(Mem{Base: x}, v)
		s.VCMPPS(U8(notGreaterOrNaN), limit, v, reg.K1)
		s.KMOVW(reg.K1, Mem{Base: mask})
	} else {
		bits := s.GP32()
		s.VMOVUPS(Mem{Base: x}, v)
		s.VCMPPS(U8(notGreaterOrNaN), limit, v, v)
		s.VMOVMSKPS(v, bits)
		s.MOVB(bits.As8(), Mem{Base: mask})
	}
	s.ADDQ(I32(s.bytes()), x)
	s.ADDQ(U8(s.lanes/8), mask)
	s.SUBQ(U8(s.lanes), n)
	s.JNZ(LabelRef("loop"))
	s.VZEROUPPER()
	s.RET()
}

// classes is how many sets of values nearLeast takes the minima of.
const classes = 32

// nearLeast emits the k-th least of minima: that of whose k-1 others at most are less.
func (s *avx) nearLeast() {
	s.begin("nearLeast", fmt.Sprintf(" returns the k-th least of %d minima, that of x[i], x[i+%d], ... over n values, a multiple of %d, n >= %d. One of NaN counts as infinity.", classes, classes, classes, classes),
		"func(n int, x *float32, k int32) float32")
	n, x := s.param("n"), s.param("x")
	vecs := classes / s.lanes
	least, rank := s.regs[:vecs], s.regs[vecs:2*vecs]
	one, t, infinity := s.regs[2*vecs], s.regs[2*vecs+1], s.regs[2*vecs+2]
	s.bits(0x7f800000, infinity)
	for i := range least {
		s.VMOVAPS(infinity, least[i])
		s.zero(rank[i])
	}
	s.Label("loop")
	for i := range least {
		s.VMINPS(Mem{Base: x, Disp: i * s.bytes()}, least[i], least[i])
	}
	s.ADDQ(U8(classes*lane), x)
	s.SUBQ(U8(classes), n)
	s.JNZ(LabelRef("loop"))
	all := s.AllocLocal(classes * lane)
	for i := range least {
		s.VMINPS(infinity, least[i], least[i]) // NaN becomes infinity
		s.VMOVUPS(least[i], all.Offset(i*s.bytes()))
	}
	s.bits(1, one)
	for j := range classes {
		s.VBROADCASTSS(all.Offset(j*lane), t)
		for i := range least {
			if s == avx512 {
				s.VCMPPS(U8(greater), t, least[i], reg.K1)
				s.VPADDD(one, rank[i], reg.K1, rank[i])
			} else {
				s.VCMPPS(U8(greater), t, least[i], s.regs[2*vecs+3])
				s.VPSUBD(s.regs[2*vecs+3], rank[i], rank[i])
			}
		}
	}
	// The greatest with a rank under k.
	k := t
	s.broadcast("k", k)
	s.bits(0xff800000, infinity) // below zero
	for i := range least {
		if s == avx512 {
			s.VPCMPD(U8(2), rank[i], k, reg.K1) // k <= rank
			s.VMOVAPS(infinity, reg.K1, least[i])
		} else {
			s.VPCMPGTD(rank[i], k, rank[i]) // k > rank
			s.VBLENDVPS(rank[i], least[i], infinity, least[i])
		}
		if i > 0 {
			s.VMAXPS(least[i], least[0], least[0])
		}
	}
	s.fold(s.VMAXPS, least[0], t)
	s.VPSHUFD(U8(0x4e), least[0].AsX(), t.AsX())
	s.VMAXPS(t.AsX(), least[0].AsX(), least[0].AsX())
	s.VPSHUFD(U8(0xb1), least[0].AsX(), t.AsX())
	s.VMAXPS(t.AsX(), least[0].AsX(), least[0].AsX())
	s.Store(least[0].AsX(), s.ReturnIndex(0))
	s.VZEROUPPER()
	s.RET()
}

// codeRows is the number of rows whose codes lie interleaved.
const codeRows = 16

// codeGroup is the number of codes of a row that lie together.
const codeGroup = 4

// codeAhead is how many bytes of codes are fetched in advance.
const codeAhead = 2048

// codeBounds emits the products of a vector of codes with many others, and the
// comparison that they are made for. It needs VNNI on AVX-512.
func (s *avx) codeBounds() {
	name := "codeBounds" + s.name
	if s == avx512 {
		name = "codeBoundsVNNI"
	}
	s.TEXT(name, attr.NOSPLIT, "func(blocks, groups int, mask *uint64, dots *int32, codes *uint8, rows *float32, query, size *int8, start int32, keep, product, radius, limit float32)")
	s.Doc(name + " is the loop of codeBoundsGeneric; size holds the magnitudes of query.")
	s.Pragma("noescape")
	blocks, groups := s.param("blocks"), s.param("groups")
	mask, dots, codes, rows := s.param("mask"), s.param("dots"), s.param("codes"), s.param("rows")
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
	s.Label("block")
	query, size, n := s.param("query"), s.GP64(), s.GP64()
	if s == avx2 {
		size = s.param("size")
	}
	s.MOVQ(groups, n)
	for p := range parts {
		s.VMOVAPS(start, sums[p])
	}
	for p := parts; p < vecs; p++ {
		s.zero(sums[p])
	}
	group := func(i int) {
		if s == avx512 {
			s.VMOVUPS(Mem{Base: codes, Disp: i * 64}, s.regs[4+i])
			s.dotBytes(Mem{Base: query, Disp: i * 4}, s.regs[4+i], sums[i])
			return
		}
		for p := range parts {
			// The codes as signed bytes, with the sign of the query's: pairs of
			// products, at most 2*127*127 each, fit in 16 bits.
			v, q := s.regs[4+p], s.regs[6]
			s.VMOVUPS(Mem{Base: codes, Disp: i*64 + p*32}, v)
			s.VPXOR(s.regs[13], v, v)
			s.VPBROADCASTD(Mem{Base: query, Disp: i * 4}, q)
			s.VPSIGNB(q, v, v)
			s.VPBROADCASTD(Mem{Base: size, Disp: i * 4}, q)
			s.VPMADDUBSW(v, q, v)
			s.VPMADDWD(s.regs[14], v, v)
			s.VPADDD(v, sums[p+parts*(i%(vecs/parts))], sums[p+parts*(i%(vecs/parts))])
		}
	}
	advance := func(groups int) {
		s.ADDQ(I32(64*groups), codes)
		s.ADDQ(U8(4*groups), query)
		if s == avx2 {
			s.ADDQ(U8(4*groups), size)
		}
	}
	s.SUBQ(U8(4), n)
	s.JL(LabelRef("rest"))
	s.Label("four")
	for i := range 4 {
		s.PREFETCHT0(Mem{Base: codes, Disp: codeAhead + i*64})
		group(i)
	}
	advance(4)
	s.SUBQ(U8(4), n)
	s.JGE(LabelRef("four"))
	s.Label("rest")
	s.ADDQ(U8(4), n)
	s.JZ(LabelRef("bounds"))
	s.Label("one")
	group(0)
	advance(1)
	s.DECQ(n)
	s.JNZ(LabelRef("one"))
	s.Label("bounds")
	for p := vecs - 1; p >= parts; p-- {
		s.VPADDD(sums[p], sums[p-parts], sums[p-parts])
	}
	for p := range parts {
		v := s.regs[4]
		at := func(array int) Mem { return Mem{Base: rows, Disp: (array*codeRows + p*s.lanes) * lane} }
		s.VMOVUPS(sums[p], Mem{Base: dots, Disp: p * s.bytes()})
		s.VCVTDQ2PS(sums[p], sums[p])
		s.VMULPS(at(1), sums[p], sums[p])
		s.VMULPS(at(0), keep, v)
		s.VFNMADD231PS(sums[p], product, v)
		s.VFNMADD231PS(at(2), radius, v)
		if s == avx512 {
			s.VCMPPS(U8(notGreaterOrNaN), limit, v, reg.K1)
			s.KMOVW(reg.K1, Mem{Base: mask})
		} else {
			bits := s.GP32()
			s.VCMPPS(U8(notGreaterOrNaN), limit, v, v)
			s.VMOVMSKPS(v, bits)
			s.MOVB(bits.As8(), Mem{Base: mask, Disp: p})
		}
	}
	s.ADDQ(U8(codeRows/8), mask)
	s.ADDQ(U8(codeRows*lane), dots)
	s.ADDQ(U32(3*codeRows*lane), rows)
	s.DECQ(blocks)
	s.JNZ(LabelRef("block"))
	s.VZEROUPPER()
	s.RET()
}

// dotBytes adds to each 32-bit lane of sum the products of its four unsigned bytes
// in x with the four signed ones at m. The generator does not know VPDPBUSD.
func (s *avx) dotBytes(m Mem, x, sum reg.VecPhysical) {
	s.Instruction(&ir.Instruction{
		Opcode: "VPDPBUSD", Suffixes: []string{"BCST"}, Operands: []Op{m, x, sum},
		Inputs: []Op{m, x, sum}, Outputs: []Op{sum}, ISA: []string{"AVX512_VNNI"},
	})
}
