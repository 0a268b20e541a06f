package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// codes emits what makes codes of vectors, compares those of many at a time and goes
// through what has passed. All of it is for AVX-512; codeSieve needs VNNI and BW too, setBits VBMI2.
func (s *avx) codes() {
	if s == avx512 {
		s.codeRange()
		s.codeMake()
		s.codeSieve()
		s.codeSieveTiles()
		s.setBits()
	}
}

// codeRange emits the first of two passes over four rows: their largest values.
func (s *avx) codeRange() {
	s.begin("codeRange", " writes the largest magnitude of factors[r]*x[r*ld+i]-center[i] over n values to most[r], for r < 4.",
		"func(n int, x *float32, ld int, center, factors, most *float32)")
	most, y, sign := s.regs[:4], s.regs[4:8], s.regs[8]
	factor, c := s.regs[9:13], s.regs[13]
	n, center, x, factors := s.param("n"), s.param("center"), s.rows(4, "x", "ld"), s.param("factors")
	s.bits(0x7fffffff, sign)
	for r := range 4 {
		s.VBROADCASTSS(Mem{Base: factors, Disp: r * lane}, factor[r])
		s.zero(most[r])
	}
	ahead := s.GP64() // the four rows after these are fetched meanwhile
	s.LEAQ(Mem{Base: x.bases[0], Index: x.stride, Scale: 4}, ahead)
	s.loop(n, []reg.GPVirtual{center, x.bases[0], ahead}, func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		load(Mem{Base: center}, c)
		for r := range 4 {
			next := x.at(r, 0)
			next.Base = ahead
			s.PREFETCHT0(next)
			load(x.at(r, 0), y[r])
			s.VFMSUB213PS(c, factor[r], y[r])
			s.VPANDD(sign, y[r], y[r])
			s.VPMAXUD(y[r], most[r], most[r]) // as whole numbers: a NaN is the largest
		}
	})
	out := s.param("most")
	for r := range 4 {
		s.VEXTRACTI64X4(U8(1), most[r], y[r].AsY())
		s.VPMAXUD(y[r].AsY(), most[r].AsY(), most[r].AsY())
		s.VEXTRACTI128(U8(1), most[r].AsY(), y[r].AsX())
		s.VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		s.VPSHUFD(U8(0x4e), most[r].AsX(), y[r].AsX())
		s.VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		s.VPSHUFD(U8(0xb1), most[r].AsX(), y[r].AsX())
		s.VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		s.VMOVD(most[r].AsX(), Mem{Base: out, Disp: r * lane})
	}
	s.VZEROUPPER()
	s.RET()
}

// codeMake emits the second pass: codes, and what they miss. A value is rounded to a
// whole number by adding 1.5·2^23, and 128, so that the lowest byte is the code.
func (s *avx) codeMake() {
	s.begin("codeMake", " makes codes of four rows: y = factors[r]*x[r*ld+i]-center[i] becomes the byte z+128 with z the whole number nearest to y*inverse[r]."+
		" Four bytes of a row lie together, those of Rows rows follow each other. It writes the sums of y² to lengths[r], of z² to squares[r] and of (y-z*scale[r])² to residuals[r].",
		"func(n int, x *float32, ld int, center, factors, inverse, scale *float32, codes *uint8, lengths, squares, residuals *float32)")
	z, t, y := s.regs[0:4], s.regs[4:8], s.regs[8:12] // z in registers that all instructions know
	lengths, squares, residuals := s.regs[12:16], s.regs[16:20], s.regs[20:24]
	inverses := s.regs[24:28]
	magic, c, factor := s.regs[28], s.regs[29], s.regs[30]
	n, center, x, factors := s.param("n"), s.param("center"), s.rows(4, "x", "ld"), s.param("factors")
	from := s.param("inverse")
	for r := range 4 {
		s.VBROADCASTSS(Mem{Base: from, Disp: r * lane}, inverses[r])
	}
	scales := s.param("scale")
	for r := range 4 {
		s.zero(lengths[r])
		s.zero(squares[r])
		s.zero(residuals[r])
	}
	s.float(0x1.8p23+128, magic)
	codes := s.param("codes")
	group := func(i int) {
		s.VMOVDQU(t[i].AsX(), Mem{Base: codes, Disp: i * codeRows * codeGroup})
	}
	body := func(load func(Mem, reg.VecPhysical)) {
		load(Mem{Base: center}, c)
		for r := range 4 {
			load(x.at(r, 0), y[r])
			s.VBROADCASTSS(Mem{Base: factors, Disp: r * lane}, factor)
			s.VFMSUB213PS(c, factor, y[r])
			s.VFMADD231PS(y[r], y[r], lengths[r])
			s.VMOVAPS(y[r], t[r])
			s.VFMADD213PS(magic, inverses[r], t[r])
			s.VPMOVDB(t[r], z[r].AsX())
			s.VSUBPS(magic, t[r], t[r])
			s.VFMADD231PS(t[r], t[r], squares[r])
			s.VFNMADD231PS_BCST(Mem{Base: scales, Disp: r * lane}, t[r], y[r])
			s.VFMADD231PS(y[r], y[r], residuals[r])
		}
		x := func(r []reg.VecPhysical, i int) reg.Register { return r[i].AsX() }
		s.VPUNPCKLDQ(x(z, 1), x(z, 0), x(y, 0)) // groups 0, 1 of rows 0 and 1
		s.VPUNPCKLDQ(x(z, 3), x(z, 2), x(y, 1))
		s.VPUNPCKHDQ(x(z, 1), x(z, 0), x(y, 2)) // groups 2, 3
		s.VPUNPCKHDQ(x(z, 3), x(z, 2), x(y, 3))
		s.VPUNPCKLQDQ(x(y, 1), x(y, 0), x(t, 0))
		s.VPUNPCKHQDQ(x(y, 1), x(y, 0), x(t, 1))
		s.VPUNPCKLQDQ(x(y, 3), x(y, 2), x(t, 2))
		s.VPUNPCKHQDQ(x(y, 3), x(y, 2), x(t, 3))
	}
	s.Label("loop")
	s.CMPQ(n, U8(s.lanes))
	s.JL(LabelRef("rest"))
	body(s.load)
	for i := range 4 {
		group(i)
	}
	for _, p := range []reg.GPVirtual{center, x.bases[0]} {
		s.ADDQ(U8(s.bytes()), p)
	}
	s.ADDQ(I32(s.lanes*codeRows), codes)
	s.SUBQ(U8(s.lanes), n)
	s.JMP(LabelRef("loop"))
	s.Label("rest")
	s.TESTQ(n, n)
	s.JZ(LabelRef("end"))
	s.tail(n)
	body(s.loadTail)
	for i := range 4 {
		s.CMPQ(n, U8(i*codeGroup))
		s.JLE(LabelRef("end"))
		group(i)
	}
	s.Label("end")
	for _, sums := range []struct {
		name string
		regs []reg.VecPhysical
	}{{"lengths", lengths}, {"squares", squares}, {"residuals", residuals}} {
		out := s.param(sums.name)
		for r := range 4 {
			s.VMOVAPS(sums.regs[r], y[0])
			s.sum(y[0], y[1])
			s.VMOVSS(y[0].AsX(), Mem{Base: out, Disp: r * lane})
		}
	}
	s.VZEROUPPER()
	s.RET()
}

// What a pass of codeSieve takes at a time: sieveRows·sieveQueries products are in
// registers, 16 in each.
const (
	sieveVecs    = 4 // blocks of codeRows
	sieveQueries = 6
	sieveTests   = 4 // what a query is compared with

	tileQueries = 16 // queries of a pass with AMX
	sieveUnroll = 4  // of those that are compared before a jump
)

// codeSieve emits the products of codes of 64 rows with those of panels of queries,
// and the comparison that they are made for.
func (s *avx) codeSieve() {
	s.TEXT("codeSieveVNNI", attr.NOSPLIT, "func(panels, groups int, masks *uint64, stride int, codes *uint8, rows *float32, queries *int8, starts *int32, tests *float32, ahead *uint8, fetch int)")
	s.Doc(fmt.Sprintf("codeSieveVNNI is the loop of codeSieveGeneric: %d rows, panels of %d queries. With each panel it fetches so many lines from ahead on.", sieveVecs*codeRows, sieveQueries))
	s.Pragma("noescape")
	sum := func(q, v int) reg.VecPhysical { return s.regs[q*sieveVecs+v] }
	spare := s.regs[sieveQueries*sieveVecs:]
	x, w := spare[:sieveVecs], spare[sieveVecs:sieveVecs+2]

	panels, groups := s.param("panels"), s.param("groups")
	masks, first, rows := s.param("masks"), s.param("codes"), s.param("rows")
	apart := s.param("stride")
	s.SHLQ(U8(3), apart)
	queries, starts, tests := s.param("queries"), s.param("starts"), s.param("tests")
	stride, stride3 := s.GP64(), s.GP64()
	s.MOVQ(groups, stride)
	s.SHLQ(U8(6), stride) // bytes of a block
	s.LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	codes, n := s.GP64(), s.GP64()
	ahead := s.param("ahead")
	at := func(v, disp int) Mem {
		return []Mem{{Base: codes, Disp: disp}, {Base: codes, Index: stride, Scale: 1, Disp: disp}, {Base: codes, Index: stride, Scale: 2, Disp: disp},
			{Base: codes, Index: stride3, Scale: 1, Disp: disp}}[v]
	}

	s.Label("panel")
	for q := range sieveQueries {
		s.VPBROADCASTD(Mem{Base: starts, Disp: q * lane}, sum(q, 0))
		for v := 1; v < sieveVecs; v++ {
			s.VMOVAPS(sum(q, 0), sum(q, v))
		}
	}
	s.sieveFetch(ahead, n)
	s.MOVQ(first, codes)
	s.MOVQ(groups, n)
	group := func(i int) {
		for v := range sieveVecs {
			s.VMOVUPS(at(v, i*codeRows*codeGroup), x[v])
		}
		for q := range sieveQueries {
			s.VPBROADCASTD(Mem{Base: queries, Disp: (i*sieveQueries + q) * codeGroup}, w[q%2])
			for v := range sieveVecs {
				s.addBytes(w[q%2], x[v], sum(q, v))
			}
		}
	}
	advance := func(groups int) {
		s.ADDQ(I32(groups*codeRows*codeGroup), codes)
		s.ADDQ(I32(groups*sieveQueries*codeGroup), queries)
	}
	const unroll = 4
	s.SUBQ(U8(unroll), n)
	s.JL(LabelRef("rest"))
	s.Label("some")
	for i := range unroll {
		group(i)
	}
	advance(unroll)
	s.SUBQ(U8(unroll), n)
	s.JGE(LabelRef("some"))
	s.Label("rest")
	s.ADDQ(U8(unroll), n)
	s.JZ(LabelRef("test"))
	s.Label("one")
	group(0)
	advance(1)
	s.DECQ(n)
	s.JNZ(LabelRef("one"))

	s.Label("test")
	s.zero(spare[4])
	row := func(v, array int) Op { return Mem{Base: rows, Disp: (v*3 + array) * codeRows * lane} }
	for q := range sieveQueries {
		s.testSums(s.regs[q*sieveVecs:][:sieveVecs], Mem{Base: tests, Disp: q * sieveTests * lane}, row, spare[:4], spare[4], masks)
		s.ADDQ(apart, masks)
	}
	s.ADDQ(U8(sieveQueries*lane), starts)
	s.ADDQ(U8(sieveQueries*sieveTests*lane), tests)
	s.DECQ(panels)
	s.JNZ(LabelRef("panel"))
	s.VZEROUPPER()
	s.RET()
}

// sieveFetch asks memory for as many lines as the parameter fetch says, and moves ahead.
func (s *avx) sieveFetch(ahead, count reg.Register) {
	s.Load(s.Param("fetch"), count)
	s.TESTQ(count, count)
	s.JZ(LabelRef("multiply"))
	s.Label("fetch")
	s.PREFETCHT1(Mem{Base: ahead})
	s.ADDQ(U8(64), ahead)
	s.DECQ(count)
	s.JNZ(LabelRef("fetch"))
	s.Label("multiply")
}

// testSums compares a query's sums with its test, a bit for each, to masks. row is
// where a block's constants are.
func (s *avx) testSums(sums []reg.VecPhysical, test Mem, row func(v, array int) Op, spare []reg.VecPhysical, zero reg.VecPhysical, masks reg.Register) {
	keep, product, radius, limit := spare[0], spare[1], spare[2], spare[3]
	for i, to := range []reg.VecPhysical{keep, product, radius, limit} {
		s.VBROADCASTSS(test.Offset(i*lane), to)
	}
	masked := []reg.OpmaskPhysical{reg.K1, reg.K2, reg.K3, reg.K4}
	for _, sum := range sums {
		s.VCVTDQ2PS(sum, sum)
	}
	for v, sum := range sums {
		s.VMULPS(row(v, 1), sum, sum)
	}
	for _, sum := range sums {
		s.VFMADD213PS(limit, product, sum)
	}
	for v, sum := range sums {
		s.VFMADD231PS(row(v, 2), radius, sum)
	}
	for v, sum := range sums {
		s.VFNMADD231PS(row(v, 0), keep, sum)
	}
	for v, sum := range sums {
		s.VCMPPS(U8(notLessOrNaN), zero, sum, masked[v])
	}
	s.KUNPCKWD(masked[0], masked[1], masked[0])
	s.KUNPCKWD(masked[2], masked[3], masked[2])
	s.KUNPCKDQ(masked[0], masked[2], masked[0])
	s.KMOVQ(masked[0], Mem{Base: masks})
}

// codeSieveTiles emits codeSieve for AMX: tiles 0 to 3 are the sums of 16 queries and
// 16 rows each, tile 4 is of the queries, 5 to 7 are of the rows. The sums go through
// memory to be compared.
func (s *avx) codeSieveTiles() {
	s.TEXT("codeSieveAMX", attr.NOSPLIT, "func(config *[64]byte, panels, steps, last, block int, masks *uint64, stride int, codes *uint8, rows *float32, queries *int8, width int, starts *int32, tests *float32, ahead *uint8, fetch int, sums *int32)")
	s.Doc(fmt.Sprintf("codeSieveAMX is the loop of codeSieveGeneric: %d rows, block bytes of codes apart, panels of %d queries, width bytes of each at a step.", sieveVecs*codeRows, tileQueries),
		"The last step's codes begin last bytes behind a block's first. With each panel it fetches so many lines from ahead on.")
	s.Pragma("noescape")
	line, count, width, queries, sums := reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI
	codes, block, at, panels := reg.R8, reg.R9, reg.R10, reg.R11
	masks, tests, starts, ahead, spare := reg.R12, reg.R13, reg.R14, reg.R15, reg.RAX

	s.Load(s.Param("config"), spare)
	s.loadTileConfig(spare)
	s.Load(s.Param("panels"), panels)
	s.Load(s.Param("block"), block)
	s.Load(s.Param("masks"), masks)
	s.Load(s.Param("queries"), queries)
	s.Load(s.Param("width"), width)
	s.Load(s.Param("starts"), starts)
	s.Load(s.Param("tests"), tests)
	s.Load(s.Param("ahead"), ahead)
	s.Load(s.Param("sums"), sums)
	s.MOVQ(U32(64), line)
	constants := s.regs[:3*sieveVecs]
	s.Load(s.Param("rows"), spare)
	for i, r := range constants {
		s.VMOVUPS(Mem{Base: spare, Disp: i * codeRows * lane}, r)
	}
	row := func(v, array int) Op { return constants[v*3+array] }
	free := s.regs[len(constants):]
	zero, start, test, compared := free[0], free[1], free[2:6], free[6:6+sieveVecs]
	s.zero(zero)

	s.Label("panel")
	s.sieveFetch(ahead, count)
	for v := range sieveVecs {
		s.tileZero(v)
	}
	step := func() {
		s.tileLoad(4, queries, width, 0)
		for v := range sieveVecs {
			from := codes
			if v > 0 {
				from = at
				s.LEAQ([]Mem{{}, {Base: codes, Index: block, Scale: 1}, {Base: codes, Index: block, Scale: 2}, {Base: at, Index: block, Scale: 1}}[v], at)
			}
			s.tileLoad(5+v%3, from, line, 0)
			s.tileMultiplyBytes(v, 4, 5+v%3)
		}
	}
	s.Load(s.Param("codes"), codes)
	s.Load(s.Param("steps"), count)
	s.DECQ(count)
	s.JZ(LabelRef("last"))
	s.Label("step")
	step()
	s.ADDQ(I32(partTile), codes)
	s.ADDQ(I32(partTile), queries)
	s.DECQ(count)
	s.JNZ(LabelRef("step"))
	s.Label("last")
	s.Load(s.Param("codes"), codes)
	s.Load(s.Param("last"), count)
	s.ADDQ(count, codes)
	step()
	s.MOVQ(width, spare)
	s.SHLQ(U8(4), spare) // 16 queries
	s.ADDQ(spare, queries)
	for v := range sieveVecs {
		s.tileStore(v, sums, line, v*partTile)
	}

	s.Load(s.Param("stride"), spare)
	s.SHLQ(U8(3), spare)
	s.MOVQ(sums, at)
	s.MOVQ(U32(tileQueries/sieveUnroll), count)
	s.Label("test")
	for q := range sieveUnroll {
		s.VPBROADCASTD(Mem{Base: starts, Disp: q * lane}, start)
		for v, sum := range compared {
			s.VPADDD(Mem{Base: at, Disp: v*partTile + q*64}, start, sum)
		}
		s.testSums(compared, Mem{Base: tests, Disp: q * sieveTests * lane}, row, test, zero, masks)
		s.ADDQ(spare, masks)
	}
	s.ADDQ(I32(sieveUnroll*64), at)
	s.ADDQ(I32(sieveUnroll*lane), starts)
	s.ADDQ(I32(sieveUnroll*sieveTests*lane), tests)
	s.DECQ(count)
	s.JNZ(LabelRef("test"))
	s.DECQ(panels)
	s.JNZ(LabelRef("panel"))
	s.tileRelease()
	s.VZEROUPPER()
	s.RET()
}

// TDPBSUD sum, a, b: sum += a·b, of signed bytes and unsigned ones
func (s *avx) tileMultiplyBytes(sum, a, b int) {
	s.encode(0xc4, 0xe2, 0x02|(^b&15)<<3, 0x5e, 0xc0|sum<<3|a)
}

// setBits emits the numbers of the bits that are set in masks. There is no branch for
// how many a mask has, but for more than a register holds.
func (s *avx) setBits() {
	s.TEXT("setBitsVBMI2", attr.NOSPLIT, "func(n int, numbers *int32, masks, wanted *uint64, first *int32) int")
	s.Doc("setBitsVBMI2 is the loop of setBitsGeneric over n masks, n >= 1. It may write 63 values past the last number.")
	s.Pragma("noescape")
	places := s.GLOBL("places", attr.RODATA|attr.NOPTR)
	for i := range 64 {
		s.DATA(i, U8(i))
	}
	n, numbers, masks, wanted, first := s.param("n"), s.param("numbers"), s.param("masks"), s.param("wanted"), s.param("first")
	start, i, mask, count := s.GP64(), s.GP64(), s.GP64(), s.GP64()
	all, bits, base := s.regs[0], s.regs[1], s.regs[2]
	s.VMOVUPS(places, all)
	s.MOVQ(numbers, start)
	s.XORQ(i, i)
	s.Label("mask")
	s.MOVQ(Mem{Base: masks, Index: i, Scale: 8}, mask)
	s.ANDQ(Mem{Base: wanted, Index: i, Scale: 8}, mask)
	s.POPCNTQ(mask, count)
	s.KMOVQ(mask, reg.K1)
	s.compressBytes(all, reg.K1, bits)
	s.VPBROADCASTD(Mem{Base: first, Index: i, Scale: lane}, base)
	to := s.regs[3]
	s.VPMOVZXBD(bits.AsX(), to)
	s.VPADDD(base, to, to)
	s.VMOVUPS(to, Mem{Base: numbers})
	s.CMPQ(count, U8(s.lanes))
	s.JLE(LabelRef("next"))
	for part := 1; part < 64/s.lanes; part++ {
		s.VEXTRACTI32X4(U8(part), bits, to.AsX())
		s.VPMOVZXBD(to.AsX(), to)
		s.VPADDD(base, to, to)
		s.VMOVUPS(to, Mem{Base: numbers, Disp: part * s.bytes()})
	}
	s.Label("next")
	s.LEAQ(Mem{Base: numbers, Index: count, Scale: lane}, numbers)
	s.INCQ(i)
	s.CMPQ(i, n)
	s.JL(LabelRef("mask"))
	s.SUBQ(start, numbers)
	s.SHRQ(U8(2), numbers)
	s.Store(numbers, s.ReturnIndex(0))
	s.VZEROUPPER()
	s.RET()
}

// compressBytes puts the bytes of x whose bits are set in k one after the other.
func (s *avx) compressBytes(x reg.VecPhysical, k reg.OpmaskPhysical, to reg.VecPhysical) {
	s.Instruction(&ir.Instruction{
		Opcode: "VPCOMPRESSB", Suffixes: []string{"Z"}, Operands: []Op{x, k, to},
		Inputs: []Op{x, k}, Outputs: []Op{to}, ISA: []string{"AVX512_VBMI2"},
	})
}

// addBytes adds to each 32-bit lane of sum the products of its four unsigned bytes in
// x with the four signed ones in w.
func (s *avx) addBytes(w, x, sum reg.VecPhysical) {
	s.Instruction(&ir.Instruction{
		Opcode: "VPDPBUSD", Operands: []Op{w, x, sum},
		Inputs: []Op{w, x, sum}, Outputs: []Op{sum}, ISA: []string{"AVX512_VNNI"},
	})
}
