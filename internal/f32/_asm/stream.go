package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// streams emits the kernels that read a large B once, in order.
func (s *isa) streams() {
	s.axpyRows(4)
	s.axpyRows(8)
	s.packRows()
	s.packNarrow()
}

// axpyAhead is how many bytes of a row axpy4 and axpy8 fetch in advance.
const axpyAhead = 2048

func (s *isa) axpyRows(rows int) {
	s.begin(fmt.Sprintf("axpy%d", rows), fmt.Sprintf(" adds the sum over u < %d of a[u*as]*b[u*ldb+i] to each of n values y[i], u in ascending order.", rows),
		"func(n int, y, a *float32, as int, b *float32, ldb int)")
	coefficients := s.regs[:rows]
	sum, bv := s.regs[rows], s.regs[rows+1]
	a := s.rows(rows, "a", "as")
	for u := range rows {
		VBROADCASTSS(a.at(u, 0), coefficients[u])
	}
	n, y := param("n"), param("y")
	b := s.rows(rows, "b", "ldb")
	pointers := append([]reg.GPVirtual{y}, b.bases...)

	// By lines, from memory: each is fetched axpyAhead bytes before it is read. During
	// the last lines of these rows, the first lines of as many that follow are fetched.
	const line = 64
	ahead := matrix{stride: b.stride, stride3: b.stride3}
	for _, base := range b.bases {
		p := GP64()
		LEAQ(Mem{Base: base, Disp: axpyAhead}, p)
		ahead.bases = append(ahead.bases, p)
	}
	lines, rest := GP64(), GP64()
	MOVQ(n, lines)
	SHRQ(U8(4), lines) // line/lane values in each
	ANDQ(U8(line/lane-1), n)
	MOVQ(I32(axpyAhead/line), rest)
	CMPQ(lines, rest)
	CMOVQLT(lines, rest)
	SUBQ(rest, lines)
	JZ(LabelRef("last"))
	Label("line")
	for disp := 0; disp < line; disp += s.bytes() {
		VMOVUPS(Mem{Base: y, Disp: disp}, sum)
		for u := range rows {
			if disp == 0 {
				PREFETCHT1(ahead.at(u, 0))
			}
			VFMADD231PS(b.at(u, disp), coefficients[u], sum)
		}
		VMOVUPS(sum, Mem{Base: y, Disp: disp})
	}
	for _, p := range append(pointers, ahead.bases...) {
		ADDQ(U8(line), p)
	}
	DECQ(lines)
	JNZ(LabelRef("line"))
	Label("last")
	Load(Param("b"), ahead.bases[0])
	LEAQ(Mem{Base: ahead.bases[0], Index: b.stride, Scale: uint8(rows)}, ahead.bases[0])
	if rows > 4 {
		LEAQ(Mem{Base: ahead.bases[0], Index: b.stride, Scale: 4}, ahead.bases[1])
		ADDQ(b.stride, ahead.bases[1])
	}
	XCHGQ(rest, lines)
	TESTQ(lines, lines)
	JNZ(LabelRef("line"))

	s.loop(n, pointers, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: y}, sum)
		for u := range rows {
			load(b.at(u, 0), bv)
			VFMADD231PS(coefficients[u], bv, sum)
		}
		store(sum, Mem{Base: y})
	})
	VZEROUPPER()
	RET()
}

// packAhead is the number of rows that packRows fetches in advance.
const packAhead = 8

func (s *isa) packRows() {
	s.begin("packRows", " copies b, k rows with stride ldb, to whole panels, stride values apart: dst[j*stride+p*NR+i] = b[p*ldb+j*NR+i].",
		"func(k, panels int, dst *float32, stride int, b *float32, ldb int)")
	k, dst, b := param("k"), param("dst"), param("b")
	ldb, stride := param("ldb"), param("stride")
	SHLQ(U8(2), ldb)
	SHLQ(U8(2), stride)
	Label("row")
	from, ahead, to, panels := GP64(), GP64(), GP64(), param("panels")
	MOVQ(b, from)
	LEAQ(Mem{Base: b, Index: ldb, Scale: packAhead}, ahead)
	MOVQ(dst, to)
	Label("panel")
	for v := range s.nrv {
		VMOVUPS(Mem{Base: from, Disp: v * s.bytes()}, s.regs[v])
	}
	for disp := 0; disp < s.nrv*s.bytes(); disp += 64 {
		PREFETCHT0(Mem{Base: ahead, Disp: disp})
	}
	for v := range s.nrv {
		VMOVUPS(s.regs[v], Mem{Base: to, Disp: v * s.bytes()})
	}
	ADDQ(I32(s.nrv*s.bytes()), from)
	ADDQ(I32(s.nrv*s.bytes()), ahead)
	ADDQ(stride, to)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	ADDQ(ldb, b)
	ADDQ(I32(s.nrv*s.bytes()), dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// packNarrow moves whole registers where rows are narrower: it reads into the next
// row, and the next row, or the slack behind the last, takes what was too much. The
// last row is cut.
func (s *isa) packNarrow() {
	s.begin("packNarrow", fmt.Sprintf(" copies k rows of cols <= %d values, dst[p*width+i] = src[p*ld+i], and writes %d values a row; ld+cols >= %d.", s.lanes, s.lanes, s.lanes),
		"func(k, cols int, dst *float32, width int, src *float32, ld int)")
	k, dst, src := param("k"), param("dst"), param("src")
	width, ld := param("width"), param("ld")
	SHLQ(U8(2), width)
	SHLQ(U8(2), ld)
	DECQ(k)
	JZ(LabelRef("last"))
	Label("row")
	PREFETCHT0(Mem{Base: src, Index: ld, Scale: packAhead})
	s.load(Mem{Base: src}, s.regs[0])
	s.store(s.regs[0], Mem{Base: dst})
	ADDQ(ld, src)
	ADDQ(width, dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	Label("last")
	s.tail(param("cols"))
	s.loadTail(Mem{Base: src}, s.regs[0])
	s.store(s.regs[0], Mem{Base: dst})
	VZEROUPPER()
	RET()
}

// transpose8 emits a block transposition in halves of AVX registers, which both
// tiers have.
func transpose8() {
	TEXT("transpose8AVX", attr.NOSPLIT, "func(blocks int, dst *float32, dstStride int, src *float32, srcStride int)")
	Doc("transpose8AVX transposes 8 rows of blocks*8 values: dst[p*dstStride+i] = src[i*srcStride+p].")
	Pragma("noescape")
	blocks := param("blocks")
	src := avx2.rows(8, "src", "srcStride")
	dst := avx2.rows(8, "dst", "dstStride")
	step := GP64()
	LEAQ(Mem{Base: dst.stride, Index: dst.stride, Scale: 1}, step)
	SHLQ(U8(2), step)
	Label("block")
	y := avx2.regs
	for i := range 8 {
		VMOVUPS(src.at(i, 0), y[i])
	}
	// Pairs of values, then fours, then halves of a register.
	for i := 0; i < 8; i += 2 {
		VUNPCKLPS(y[i+1], y[i], y[8+i])
		VUNPCKHPS(y[i+1], y[i], y[9+i])
	}
	for i := 0; i < 8; i += 4 {
		VSHUFPS(U8(0x44), y[8+i+2], y[8+i], y[i])
		VSHUFPS(U8(0xee), y[8+i+2], y[8+i], y[i+1])
		VSHUFPS(U8(0x44), y[8+i+3], y[8+i+1], y[i+2])
		VSHUFPS(U8(0xee), y[8+i+3], y[8+i+1], y[i+3])
	}
	for i := range 4 {
		VPERM2F128(U8(0x20), y[i+4], y[i], y[8+i])
		VPERM2F128(U8(0x31), y[i+4], y[i], y[12+i])
	}
	for i := range 8 {
		VMOVUPS(y[8+i], dst.at(i, 0))
	}
	for _, p := range src.bases {
		ADDQ(U8(32), p)
	}
	for _, p := range dst.bases {
		ADDQ(step, p)
	}
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}
