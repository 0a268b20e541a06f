package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// streams emits the kernels that read a large B once, in order.
func (s *avx) streams() {
	s.packRows()
	s.packNarrow()
}

// axpyAhead is how many bytes of a row axpy4 and axpy8 fetch in advance.
const axpyAhead = 2048

func (s *avx) axpyRows(rows int) {
	s.begin(fmt.Sprintf("axpy%d", rows), fmt.Sprintf(" adds the sum over u < %d of a[u*as]*b[u*ldb+i] to each of n values y[i], u in ascending order.", rows),
		"func(n int, y, a *float32, as int, b *float32, ldb int)")
	coefficients := s.regs[:rows]
	sum, bv := s.regs[rows], s.regs[rows+1]
	a := s.rows(rows, "a", "as")
	for u := range rows {
		s.VBROADCASTSS(a.at(u, 0), coefficients[u])
	}
	n, y := s.param("n"), s.param("y")
	b := s.rows(rows, "b", "ldb")
	pointers := append([]reg.GPVirtual{y}, b.bases...)

	// By lines, from memory: each is fetched axpyAhead bytes before it is read. During
	// the last lines of these rows, the first lines of as many that follow are fetched.
	const line = 64
	ahead := matrix{stride: b.stride, stride3: b.stride3}
	for _, base := range b.bases {
		p := s.GP64()
		s.LEAQ(Mem{Base: base, Disp: axpyAhead}, p)
		ahead.bases = append(ahead.bases, p)
	}
	lines, rest := s.GP64(), s.GP64()
	s.MOVQ(n, lines)
	s.SHRQ(U8(4), lines) // line/lane values in each
	s.ANDQ(U8(line/lane-1), n)
	s.MOVQ(I32(axpyAhead/line), rest)
	s.CMPQ(lines, rest)
	s.CMOVQLT(lines, rest)
	s.SUBQ(rest, lines)
	s.JZ(LabelRef("last"))
	s.Label("line")
	for disp := 0; disp < line; disp += s.bytes() {
		s.VMOVUPS(Mem{Base: y, Disp: disp}, sum)
		for u := range rows {
			if disp == 0 {
				s.PREFETCHT1(ahead.at(u, 0))
			}
			s.VFMADD231PS(b.at(u, disp), coefficients[u], sum)
		}
		s.VMOVUPS(sum, Mem{Base: y, Disp: disp})
	}
	for _, p := range append(pointers, ahead.bases...) {
		s.ADDQ(U8(line), p)
	}
	s.DECQ(lines)
	s.JNZ(LabelRef("line"))
	s.Label("last")
	s.Load(s.Param("b"), ahead.bases[0])
	s.LEAQ(Mem{Base: ahead.bases[0], Index: b.stride, Scale: uint8(rows)}, ahead.bases[0])
	if rows > 4 {
		s.LEAQ(Mem{Base: ahead.bases[0], Index: b.stride, Scale: 4}, ahead.bases[1])
		s.ADDQ(b.stride, ahead.bases[1])
	}
	s.XCHGQ(rest, lines)
	s.TESTQ(lines, lines)
	s.JNZ(LabelRef("line"))

	s.loop(n, pointers, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: y}, sum)
		for u := range rows {
			load(b.at(u, 0), bv)
			s.VFMADD231PS(coefficients[u], bv, sum)
		}
		store(sum, Mem{Base: y})
	})
	s.VZEROUPPER()
	s.RET()
}

// packAhead is the number of rows that packRows fetches in advance.
const packAhead = 8

func (s *avx) packRows() {
	s.begin("packRows", " copies b, k rows with stride ldb, to whole panels, stride values apart: dst[j*stride+p*NR+i] = b[p*ldb+j*NR+i].",
		"func(k, panels int, dst *float32, stride int, b *float32, ldb int)")
	k, dst, b := s.param("k"), s.param("dst"), s.param("b")
	ldb, stride := s.param("ldb"), s.param("stride")
	s.SHLQ(U8(2), ldb)
	s.SHLQ(U8(2), stride)
	s.Label("row")
	from, ahead, to, panels := s.GP64(), s.GP64(), s.GP64(), s.param("panels")
	s.MOVQ(b, from)
	s.LEAQ(Mem{Base: b, Index: ldb, Scale: packAhead}, ahead)
	s.MOVQ(dst, to)
	s.Label("panel")
	for v := range s.nrv {
		s.VMOVUPS(Mem{Base: from, Disp: v * s.bytes()}, s.regs[v])
	}
	for disp := 0; disp < s.nrv*s.bytes(); disp += 64 {
		s.PREFETCHT0(Mem{Base: ahead, Disp: disp})
	}
	for v := range s.nrv {
		s.VMOVUPS(s.regs[v], Mem{Base: to, Disp: v * s.bytes()})
	}
	s.ADDQ(I32(s.nrv*s.bytes()), from)
	s.ADDQ(I32(s.nrv*s.bytes()), ahead)
	s.ADDQ(stride, to)
	s.DECQ(panels)
	s.JNZ(LabelRef("panel"))
	s.ADDQ(ldb, b)
	s.ADDQ(I32(s.nrv*s.bytes()), dst)
	s.DECQ(k)
	s.JNZ(LabelRef("row"))
	s.VZEROUPPER()
	s.RET()
}

// packNarrow moves whole registers where rows are narrower: it reads into the next
// row, and the next row, or the slack behind the last, takes what was too much. The
// last row is cut.
func (s *avx) packNarrow() {
	s.begin("packNarrow", fmt.Sprintf(" copies k rows of cols <= %d values, dst[p*width+i] = src[p*ld+i], and writes %d values a row; ld+cols >= %d.", s.lanes, s.lanes, s.lanes),
		"func(k, cols int, dst *float32, width int, src *float32, ld int)")
	k, dst, src := s.param("k"), s.param("dst"), s.param("src")
	width, ld := s.param("width"), s.param("ld")
	s.SHLQ(U8(2), width)
	s.SHLQ(U8(2), ld)
	s.DECQ(k)
	s.JZ(LabelRef("last"))
	s.Label("row")
	s.PREFETCHT0(Mem{Base: src, Index: ld, Scale: packAhead})
	s.load(Mem{Base: src}, s.regs[0])
	s.store(s.regs[0], Mem{Base: dst})
	s.ADDQ(ld, src)
	s.ADDQ(width, dst)
	s.DECQ(k)
	s.JNZ(LabelRef("row"))
	s.Label("last")
	s.tail(s.param("cols"))
	s.loadTail(Mem{Base: src}, s.regs[0])
	s.store(s.regs[0], Mem{Base: dst})
	s.VZEROUPPER()
	s.RET()
}

// transpose8 emits a block transposition in halves of AVX registers, which both
// tiers have.
func (s *avx) transpose8() {
	s.TEXT("transpose8AVX", attr.NOSPLIT, "func(blocks int, dst *float32, dstStride int, src *float32, srcStride int)")
	s.Doc("transpose8AVX transposes 8 rows of blocks*8 values: dst[p*dstStride+i] = src[i*srcStride+p].")
	s.Pragma("noescape")
	blocks := s.param("blocks")
	src := avx2.rows(8, "src", "srcStride")
	dst := avx2.rows(8, "dst", "dstStride")
	step := s.GP64()
	s.LEAQ(Mem{Base: dst.stride, Index: dst.stride, Scale: 1}, step)
	s.SHLQ(U8(2), step)
	s.Label("block")
	y := avx2.regs
	for i := range 8 {
		s.VMOVUPS(src.at(i, 0), y[i])
	}
	// Pairs of values, then fours, then halves of a register.
	for i := 0; i < 8; i += 2 {
		s.VUNPCKLPS(y[i+1], y[i], y[8+i])
		s.VUNPCKHPS(y[i+1], y[i], y[9+i])
	}
	for i := 0; i < 8; i += 4 {
		s.VSHUFPS(U8(0x44), y[8+i+2], y[8+i], y[i])
		s.VSHUFPS(U8(0xee), y[8+i+2], y[8+i], y[i+1])
		s.VSHUFPS(U8(0x44), y[8+i+3], y[8+i+1], y[i+2])
		s.VSHUFPS(U8(0xee), y[8+i+3], y[8+i+1], y[i+3])
	}
	for i := range 4 {
		s.VPERM2F128(U8(0x20), y[i+4], y[i], y[8+i])
		s.VPERM2F128(U8(0x31), y[i+4], y[i], y[12+i])
	}
	for i := range 8 {
		s.VMOVUPS(y[8+i], dst.at(i, 0))
	}
	for _, p := range src.bases {
		s.ADDQ(U8(32), p)
	}
	for _, p := range dst.bases {
		s.ADDQ(step, p)
	}
	s.DECQ(blocks)
	s.JNZ(LabelRef("block"))
	s.VZEROUPPER()
	s.RET()
}
