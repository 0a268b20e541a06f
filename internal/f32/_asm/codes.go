package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// codes emits what makes codes of vectors, compares those of many at a time and goes
// through what has passed. All of it is for AVX-512; codeSieve needs VNNI and BW too, setBits VBMI2.
func (s *isa) codes() {
	if s == avx512 {
		s.codeRange()
		s.codeMake()
		s.codeSieve()
		s.codeSieveTiles()
		s.setBits()
	}
}

// codeRange emits the first of two passes over four rows: their largest values.
func (s *isa) codeRange() {
	s.begin("codeRange", " writes the largest magnitude of factors[r]*x[r*ld+i]-center[i] over n values to most[r], for r < 4.",
		"func(n int, x *float32, ld int, center, factors, most *float32)")
	most, y, sign := s.regs[:4], s.regs[4:8], s.regs[8]
	factor, c := s.regs[9:13], s.regs[13]
	n, center, x, factors := param("n"), param("center"), s.rows(4, "x", "ld"), param("factors")
	s.bits(0x7fffffff, sign)
	for r := range 4 {
		VBROADCASTSS(Mem{Base: factors, Disp: r * lane}, factor[r])
		s.zero(most[r])
	}
	ahead := GP64() // the four rows after these are fetched meanwhile
	LEAQ(Mem{Base: x.bases[0], Index: x.stride, Scale: 4}, ahead)
	s.loop(n, []reg.GPVirtual{center, x.bases[0], ahead}, func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		load(Mem{Base: center}, c)
		for r := range 4 {
			next := x.at(r, 0)
			next.Base = ahead
			PREFETCHT0(next)
			load(x.at(r, 0), y[r])
			VFMSUB213PS(c, factor[r], y[r])
			VPANDD(sign, y[r], y[r])
			VPMAXUD(y[r], most[r], most[r]) // as whole numbers: a NaN is the largest
		}
	})
	out := param("most")
	for r := range 4 {
		VEXTRACTI64X4(U8(1), most[r], y[r].AsY())
		VPMAXUD(y[r].AsY(), most[r].AsY(), most[r].AsY())
		VEXTRACTI128(U8(1), most[r].AsY(), y[r].AsX())
		VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		VPSHUFD(U8(0x4e), most[r].AsX(), y[r].AsX())
		VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		VPSHUFD(U8(0xb1), most[r].AsX(), y[r].AsX())
		VPMAXUD(y[r].AsX(), most[r].AsX(), most[r].AsX())
		VMOVD(most[r].AsX(), Mem{Base: out, Disp: r * lane})
	}
	VZEROUPPER()
	RET()
}

// codeMake emits the second pass: codes, and what they miss. A value is rounded to a
// whole number by adding 1.5·2^23, and 128, so that the lowest byte is the code.
func (s *isa) codeMake() {
	s.begin("codeMake", " makes codes of four rows: y = factors[r]*x[r*ld+i]-center[i] becomes the byte z+128 with z the whole number nearest to y*inverse[r]."+
		" Four bytes of a row lie together, those of CodeRows rows follow each other. It writes the sums of y² to lengths[r], of z² to squares[r] and of (y-z*scale[r])² to residuals[r].",
		"func(n int, x *float32, ld int, center, factors, inverse, scale *float32, codes *uint8, lengths, squares, residuals *float32)")
	z, t, y := s.regs[0:4], s.regs[4:8], s.regs[8:12] // z in registers that all instructions know
	lengths, squares, residuals := s.regs[12:16], s.regs[16:20], s.regs[20:24]
	inverses := s.regs[24:28]
	magic, c, factor := s.regs[28], s.regs[29], s.regs[30]
	n, center, x, factors := param("n"), param("center"), s.rows(4, "x", "ld"), param("factors")
	from := param("inverse")
	for r := range 4 {
		VBROADCASTSS(Mem{Base: from, Disp: r * lane}, inverses[r])
	}
	scales := param("scale")
	for r := range 4 {
		s.zero(lengths[r])
		s.zero(squares[r])
		s.zero(residuals[r])
	}
	s.float(0x1.8p23+128, magic)
	codes := param("codes")
	group := func(i int) {
		VMOVDQU(t[i].AsX(), Mem{Base: codes, Disp: i * codeRows * codeGroup})
	}
	body := func(load func(Mem, reg.VecPhysical)) {
		load(Mem{Base: center}, c)
		for r := range 4 {
			load(x.at(r, 0), y[r])
			VBROADCASTSS(Mem{Base: factors, Disp: r * lane}, factor)
			VFMSUB213PS(c, factor, y[r])
			VFMADD231PS(y[r], y[r], lengths[r])
			VMOVAPS(y[r], t[r])
			VFMADD213PS(magic, inverses[r], t[r])
			VPMOVDB(t[r], z[r].AsX())
			VSUBPS(magic, t[r], t[r])
			VFMADD231PS(t[r], t[r], squares[r])
			VFNMADD231PS_BCST(Mem{Base: scales, Disp: r * lane}, t[r], y[r])
			VFMADD231PS(y[r], y[r], residuals[r])
		}
		x := func(r []reg.VecPhysical, i int) reg.Register { return r[i].AsX() }
		VPUNPCKLDQ(x(z, 1), x(z, 0), x(y, 0)) // groups 0, 1 of rows 0 and 1
		VPUNPCKLDQ(x(z, 3), x(z, 2), x(y, 1))
		VPUNPCKHDQ(x(z, 1), x(z, 0), x(y, 2)) // groups 2, 3
		VPUNPCKHDQ(x(z, 3), x(z, 2), x(y, 3))
		VPUNPCKLQDQ(x(y, 1), x(y, 0), x(t, 0))
		VPUNPCKHQDQ(x(y, 1), x(y, 0), x(t, 1))
		VPUNPCKLQDQ(x(y, 3), x(y, 2), x(t, 2))
		VPUNPCKHQDQ(x(y, 3), x(y, 2), x(t, 3))
	}
	Label("loop")
	CMPQ(n, U8(s.lanes))
	JL(LabelRef("rest"))
	body(s.load)
	for i := range 4 {
		group(i)
	}
	for _, p := range []reg.GPVirtual{center, x.bases[0]} {
		ADDQ(U8(s.bytes()), p)
	}
	ADDQ(I32(s.lanes*codeRows), codes)
	SUBQ(U8(s.lanes), n)
	JMP(LabelRef("loop"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	s.tail(n)
	body(s.loadTail)
	for i := range 4 {
		CMPQ(n, U8(i*codeGroup))
		JLE(LabelRef("end"))
		group(i)
	}
	Label("end")
	for _, sums := range []struct {
		name string
		regs []reg.VecPhysical
	}{{"lengths", lengths}, {"squares", squares}, {"residuals", residuals}} {
		out := param(sums.name)
		for r := range 4 {
			VMOVAPS(sums.regs[r], y[0])
			s.sum(y[0], y[1])
			VMOVSS(y[0].AsX(), Mem{Base: out, Disp: r * lane})
		}
	}
	VZEROUPPER()
	RET()
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
func (s *isa) codeSieve() {
	TEXT("codeSieveVNNI", attr.NOSPLIT, "func(panels, groups int, masks *uint64, stride int, codes *uint8, rows *float32, queries *int8, starts *int32, tests *float32, ahead *uint8, fetch int)")
	Doc(fmt.Sprintf("codeSieveVNNI is the loop of codeSieveGeneric: %d rows, panels of %d queries. With each panel it fetches so many lines from ahead on.", sieveVecs*codeRows, sieveQueries))
	Pragma("noescape")
	sum := func(q, v int) reg.VecPhysical { return s.regs[q*sieveVecs+v] }
	spare := s.regs[sieveQueries*sieveVecs:]
	x, w := spare[:sieveVecs], spare[sieveVecs:sieveVecs+2]

	panels, groups := param("panels"), param("groups")
	masks, first, rows := param("masks"), param("codes"), param("rows")
	apart := param("stride")
	SHLQ(U8(3), apart)
	queries, starts, tests := param("queries"), param("starts"), param("tests")
	stride, stride3 := GP64(), GP64()
	MOVQ(groups, stride)
	SHLQ(U8(6), stride) // bytes of a block
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	codes, n := GP64(), GP64()
	ahead := param("ahead")
	at := func(v, disp int) Mem {
		return []Mem{{Base: codes, Disp: disp}, {Base: codes, Index: stride, Scale: 1, Disp: disp}, {Base: codes, Index: stride, Scale: 2, Disp: disp},
			{Base: codes, Index: stride3, Scale: 1, Disp: disp}}[v]
	}

	Label("panel")
	for q := range sieveQueries {
		VPBROADCASTD(Mem{Base: starts, Disp: q * lane}, sum(q, 0))
		for v := 1; v < sieveVecs; v++ {
			VMOVAPS(sum(q, 0), sum(q, v))
		}
	}
	sieveFetch(ahead, n)
	MOVQ(first, codes)
	MOVQ(groups, n)
	group := func(i int) {
		for v := range sieveVecs {
			VMOVUPS(at(v, i*codeRows*codeGroup), x[v])
		}
		for q := range sieveQueries {
			VPBROADCASTD(Mem{Base: queries, Disp: (i*sieveQueries + q) * codeGroup}, w[q%2])
			for v := range sieveVecs {
				addBytes(w[q%2], x[v], sum(q, v))
			}
		}
	}
	advance := func(groups int) {
		ADDQ(I32(groups*codeRows*codeGroup), codes)
		ADDQ(I32(groups*sieveQueries*codeGroup), queries)
	}
	const unroll = 4
	SUBQ(U8(unroll), n)
	JL(LabelRef("rest"))
	Label("some")
	for i := range unroll {
		group(i)
	}
	advance(unroll)
	SUBQ(U8(unroll), n)
	JGE(LabelRef("some"))
	Label("rest")
	ADDQ(U8(unroll), n)
	JZ(LabelRef("test"))
	Label("one")
	group(0)
	advance(1)
	DECQ(n)
	JNZ(LabelRef("one"))

	Label("test")
	s.zero(spare[4])
	row := func(v, array int) Op { return Mem{Base: rows, Disp: (v*3 + array) * codeRows * lane} }
	for q := range sieveQueries {
		s.testSums(s.regs[q*sieveVecs:][:sieveVecs], Mem{Base: tests, Disp: q * sieveTests * lane}, row, spare[:4], spare[4], masks)
		ADDQ(apart, masks)
	}
	ADDQ(U8(sieveQueries*lane), starts)
	ADDQ(U8(sieveQueries*sieveTests*lane), tests)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// sieveFetch asks memory for as many lines as the parameter fetch says, and moves ahead.
func sieveFetch(ahead, count reg.Register) {
	Load(Param("fetch"), count)
	TESTQ(count, count)
	JZ(LabelRef("multiply"))
	Label("fetch")
	PREFETCHT1(Mem{Base: ahead})
	ADDQ(U8(64), ahead)
	DECQ(count)
	JNZ(LabelRef("fetch"))
	Label("multiply")
}

// testSums compares a query's sums with its test, a bit for each, to masks. row is
// where a block's constants are.
func (s *isa) testSums(sums []reg.VecPhysical, test Mem, row func(v, array int) Op, spare []reg.VecPhysical, zero reg.VecPhysical, masks reg.Register) {
	keep, product, radius, limit := spare[0], spare[1], spare[2], spare[3]
	for i, to := range []reg.VecPhysical{keep, product, radius, limit} {
		VBROADCASTSS(test.Offset(i*lane), to)
	}
	masked := []reg.OpmaskPhysical{reg.K1, reg.K2, reg.K3, reg.K4}
	for _, sum := range sums {
		VCVTDQ2PS(sum, sum)
	}
	for v, sum := range sums {
		VMULPS(row(v, 1), sum, sum)
	}
	for _, sum := range sums {
		VFMADD213PS(limit, product, sum)
	}
	for v, sum := range sums {
		VFMADD231PS(row(v, 2), radius, sum)
	}
	for v, sum := range sums {
		VFNMADD231PS(row(v, 0), keep, sum)
	}
	for v, sum := range sums {
		VCMPPS(U8(notLessOrNaN), zero, sum, masked[v])
	}
	KUNPCKWD(masked[0], masked[1], masked[0])
	KUNPCKWD(masked[2], masked[3], masked[2])
	KUNPCKDQ(masked[0], masked[2], masked[0])
	KMOVQ(masked[0], Mem{Base: masks})
}

// codeSieveTiles emits codeSieve for AMX: tiles 0 to 3 are the sums of 16 queries and
// 16 rows each, tile 4 is of the queries, 5 to 7 are of the rows. The sums go through
// memory to be compared.
func (s *isa) codeSieveTiles() {
	TEXT("codeSieveAMX", attr.NOSPLIT, "func(config *[64]byte, panels, steps, last, block int, masks *uint64, stride int, codes *uint8, rows *float32, queries *int8, width int, starts *int32, tests *float32, ahead *uint8, fetch int, sums *int32)")
	Doc(fmt.Sprintf("codeSieveAMX is the loop of codeSieveGeneric: %d rows, block bytes of codes apart, panels of %d queries, width bytes of each at a step.", sieveVecs*codeRows, tileQueries),
		"The last step's codes begin last bytes behind a block's first. With each panel it fetches so many lines from ahead on.")
	Pragma("noescape")
	line, count, width, queries, sums := reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI
	codes, block, at, panels := reg.R8, reg.R9, reg.R10, reg.R11
	masks, tests, starts, ahead, spare := reg.R12, reg.R13, reg.R14, reg.R15, reg.RAX

	Load(Param("config"), spare)
	loadTileConfig(spare)
	Load(Param("panels"), panels)
	Load(Param("block"), block)
	Load(Param("masks"), masks)
	Load(Param("queries"), queries)
	Load(Param("width"), width)
	Load(Param("starts"), starts)
	Load(Param("tests"), tests)
	Load(Param("ahead"), ahead)
	Load(Param("sums"), sums)
	MOVQ(U32(64), line)
	constants := s.regs[:3*sieveVecs]
	Load(Param("rows"), spare)
	for i, r := range constants {
		VMOVUPS(Mem{Base: spare, Disp: i * codeRows * lane}, r)
	}
	row := func(v, array int) Op { return constants[v*3+array] }
	free := s.regs[len(constants):]
	zero, start, test, compared := free[0], free[1], free[2:6], free[6:6+sieveVecs]
	s.zero(zero)

	Label("panel")
	sieveFetch(ahead, count)
	for v := range sieveVecs {
		tileZero(v)
	}
	step := func() {
		tileLoad(4, queries, width, 0)
		for v := range sieveVecs {
			from := codes
			if v > 0 {
				from = at
				LEAQ([]Mem{{}, {Base: codes, Index: block, Scale: 1}, {Base: codes, Index: block, Scale: 2}, {Base: at, Index: block, Scale: 1}}[v], at)
			}
			tileLoad(5+v%3, from, line, 0)
			tileMultiplyBytes(v, 4, 5+v%3)
		}
	}
	Load(Param("codes"), codes)
	Load(Param("steps"), count)
	DECQ(count)
	JZ(LabelRef("last"))
	Label("step")
	step()
	ADDQ(I32(partTile), codes)
	ADDQ(I32(partTile), queries)
	DECQ(count)
	JNZ(LabelRef("step"))
	Label("last")
	Load(Param("codes"), codes)
	Load(Param("last"), count)
	ADDQ(count, codes)
	step()
	MOVQ(width, spare)
	SHLQ(U8(4), spare) // 16 queries
	ADDQ(spare, queries)
	for v := range sieveVecs {
		tileStore(v, sums, line, v*partTile)
	}

	Load(Param("stride"), spare)
	SHLQ(U8(3), spare)
	MOVQ(sums, at)
	MOVQ(U32(tileQueries/sieveUnroll), count)
	Label("test")
	for q := range sieveUnroll {
		VPBROADCASTD(Mem{Base: starts, Disp: q * lane}, start)
		for v, sum := range compared {
			VPADDD(Mem{Base: at, Disp: v*partTile + q*64}, start, sum)
		}
		s.testSums(compared, Mem{Base: tests, Disp: q * sieveTests * lane}, row, test, zero, masks)
		ADDQ(spare, masks)
	}
	ADDQ(I32(sieveUnroll*64), at)
	ADDQ(I32(sieveUnroll*lane), starts)
	ADDQ(I32(sieveUnroll*sieveTests*lane), tests)
	DECQ(count)
	JNZ(LabelRef("test"))
	DECQ(panels)
	JNZ(LabelRef("panel"))
	tileRelease()
	VZEROUPPER()
	RET()
}

// TDPBSUD sum, a, b: sum += a·b, of signed bytes and unsigned ones
func tileMultiplyBytes(sum, a, b int) { encode(0xc4, 0xe2, 0x02|(^b&15)<<3, 0x5e, 0xc0|sum<<3|a) }

// setBits emits the numbers of the bits that are set in masks. There is no branch for
// how many a mask has, but for more than a register holds.
func (s *isa) setBits() {
	TEXT("setBitsVBMI2", attr.NOSPLIT, "func(n int, numbers *int32, masks, wanted *uint64, first *int32) int")
	Doc("setBitsVBMI2 is the loop of setBitsGeneric over n masks, n >= 1. It may write 63 values past the last number.")
	Pragma("noescape")
	places := GLOBL("places", attr.RODATA|attr.NOPTR)
	for i := range 64 {
		DATA(i, U8(i))
	}
	n, numbers, masks, wanted, first := param("n"), param("numbers"), param("masks"), param("wanted"), param("first")
	start, i, mask, count := GP64(), GP64(), GP64(), GP64()
	all, bits, base := s.regs[0], s.regs[1], s.regs[2]
	VMOVUPS(places, all)
	MOVQ(numbers, start)
	XORQ(i, i)
	Label("mask")
	MOVQ(Mem{Base: masks, Index: i, Scale: 8}, mask)
	ANDQ(Mem{Base: wanted, Index: i, Scale: 8}, mask)
	POPCNTQ(mask, count)
	KMOVQ(mask, reg.K1)
	compressBytes(all, reg.K1, bits)
	VPBROADCASTD(Mem{Base: first, Index: i, Scale: lane}, base)
	to := s.regs[3]
	VPMOVZXBD(bits.AsX(), to)
	VPADDD(base, to, to)
	VMOVUPS(to, Mem{Base: numbers})
	CMPQ(count, U8(s.lanes))
	JLE(LabelRef("next"))
	for part := 1; part < 64/s.lanes; part++ {
		VEXTRACTI32X4(U8(part), bits, to.AsX())
		VPMOVZXBD(to.AsX(), to)
		VPADDD(base, to, to)
		VMOVUPS(to, Mem{Base: numbers, Disp: part * s.bytes()})
	}
	Label("next")
	LEAQ(Mem{Base: numbers, Index: count, Scale: lane}, numbers)
	INCQ(i)
	CMPQ(i, n)
	JL(LabelRef("mask"))
	SUBQ(start, numbers)
	SHRQ(U8(2), numbers)
	Store(numbers, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// compressBytes puts the bytes of x whose bits are set in k one after the other.
func compressBytes(x reg.VecPhysical, k reg.OpmaskPhysical, to reg.VecPhysical) {
	Instruction(&ir.Instruction{
		Opcode: "VPCOMPRESSB", Suffixes: []string{"Z"}, Operands: []Op{x, k, to},
		Inputs: []Op{x, k}, Outputs: []Op{to}, ISA: []string{"AVX512_VBMI2"},
	})
}

// addBytes adds to each 32-bit lane of sum the products of its four unsigned bytes in
// x with the four signed ones in w.
func addBytes(w, x, sum reg.VecPhysical) {
	Instruction(&ir.Instruction{
		Opcode: "VPDPBUSD", Operands: []Op{w, x, sum},
		Inputs: []Op{w, x, sum}, Outputs: []Op{sum}, ISA: []string{"AVX512_VNNI"},
	})
}
