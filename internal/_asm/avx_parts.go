package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Where things lie in a block of parts, in bytes: tiles of 16 rows of 64 bytes, two
// tiles of each part, the parts in descending order.
const (
	partTile  = 1024
	partApart = 2 * partTile
	partBlock = 3 * partApart
)

// parts emits the kernels of tile.Parts. Go's assembler knows neither AMX nor the
// conversion to bfloat16, so those are written in bytes; hence physical registers
// throughout.
func (s *avx) parts() {
	s.splitParts()
	s.mulParts("mulParts2AMX", 2)
	s.mulParts("mulParts1AMX", 1)
}

// splitter splits pairs of registers.
type splitter struct {
	*avx
	x, y, both, turns, upper, part reg.VecPhysical
}

func (s *avx) newSplitter() splitter {
	p := splitter{s, reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5}
	s.VMOVDQU32(s.wordTurns, p.turns)
	s.VPTERNLOGD(U8(255), p.upper, p.upper, p.upper)
	s.VPSLLD(U8(16), p.upper, p.upper)
	return p
}

// split writes the parts of the values at lo and hi, in turns, to dst and the next
// tiles of the same half.
func (s splitter) split(lo, hi, dst Mem) {
	s.VMOVUPS(lo, s.x)
	s.VMOVUPS(hi, s.y)
	for i := range 3 {
		s.toBfloat16(s.x, s.y, s.both)
		s.VPERMW(s.both, s.turns, s.both)
		s.VMOVDQU32(s.both, dst.Offset(i*partApart))
		if i < 2 { // what is left; exact
			s.VPSLLD(U8(16), s.both, s.part)
			s.VSUBPS(s.part, s.x, s.x)
			s.VPANDD(s.upper, s.both, s.part)
			s.VSUBPS(s.part, s.y, s.y)
		}
	}
}

// splitParts emits the splits of rows of A and of rows of B. They go along the rows,
// for that is how memory is fast.
func (s *avx) splitParts() {
	s.wordTurns = s.GLOBL("turns", attr.RODATA|attr.NOPTR)
	for i := range 16 {
		s.DATA(4*i, U32(i|(16+i)<<16))
	}

	s.TEXT("splitRowsAMX", attr.NOSPLIT, "func(rows, blocks int, a *float32, stride int, dst *uint16)")
	s.Doc("splitRowsAMX splits up to 16 rows of A, 32 values for each block, to a tile of each part;",
		"the stride from row to row is in bytes.")
	s.Pragma("noescape")
	rows, blocks, a, stride, dst := reg.RCX, reg.RBX, reg.RSI, reg.RDX, reg.RDI
	at, to := reg.R8, reg.R9
	s.Load(s.Param("rows"), rows)
	s.Load(s.Param("a"), a)
	s.Load(s.Param("stride"), stride)
	s.Load(s.Param("dst"), dst)
	p := s.newSplitter()
	s.Label("row")
	s.Load(s.Param("blocks"), blocks)
	s.MOVQ(a, at)
	s.MOVQ(dst, to)
	s.Label("block")
	p.split(Mem{Base: at}, Mem{Base: at, Disp: 64}, Mem{Base: to})
	s.ADDQ(I32(128), at)
	s.ADDQ(I32(partBlock), to)
	s.DECQ(blocks)
	s.JNZ(LabelRef("block"))
	s.ADDQ(stride, a)
	s.ADDQ(I32(64), dst)
	s.DECQ(rows)
	s.JNZ(LabelRef("row"))
	s.VZEROUPPER()
	s.RET()

	s.TEXT("splitColumnsAMX", attr.NOSPLIT, "func(panels int, b *float32, stride int, dst *uint16, apart int)")
	s.Doc("splitColumnsAMX splits 32 rows of panels of B, 32 values each, to tiles of each part; the",
		"stride from row to row, and that from panel to panel of what is split, are in bytes.")
	s.Pragma("noescape")
	panels, b, lower, apart, row := reg.RCX, reg.RSI, reg.RBX, reg.R10, reg.R11
	s.Load(s.Param("b"), b)
	s.Load(s.Param("stride"), stride)
	s.Load(s.Param("dst"), dst)
	s.Load(s.Param("apart"), apart)
	s.MOVQ(stride, lower) // 16 rows below
	s.SHLQ(U8(4), lower)
	s.MOVQ(U32(16), row)
	p = s.newSplitter()
	s.Label("pair")
	s.Load(s.Param("panels"), panels)
	s.MOVQ(b, at)
	s.MOVQ(dst, to)
	s.Label("panel")
	for half := range 2 {
		p.split(Mem{Base: at, Disp: half * 64}, Mem{Base: at, Index: lower, Scale: 1, Disp: half * 64}, Mem{Base: to, Disp: half * partTile})
	}
	s.ADDQ(I32(128), at)
	s.ADDQ(apart, to)
	s.DECQ(panels)
	s.JNZ(LabelRef("panel"))
	s.ADDQ(stride, b)
	s.ADDQ(I32(64), dst)
	s.DECQ(row)
	s.JNZ(LabelRef("pair"))
	s.VZEROUPPER()
	s.RET()
}

// mulParts emits the product of a group of A, of so many tiles of rows, with groups of
// B. Tiles 0 to 3 hold the sums, 4 and 5 are of A, 6 and 7 of B. What is small is added
// first, in an order in which each step needs other tiles of A or of B only.
func (s *avx) mulParts(name string, tiles int) {
	s.TEXT(name, attr.NOSPLIT, "func(config *[64]byte, panels, blocks int, a, b *uint16, start *float32, ss int, c *float32, cst int)")
	s.Doc(fmt.Sprintf("%s multiplies %d to %d rows with panels of 32 columns; strides are in bytes.", name, 16*tiles-15, 16*tiles))
	s.Pragma("noescape")
	a, b, count, panels, line := reg.RSI, reg.RDI, reg.RCX, reg.R8, reg.RBX
	start, ss, c, cst, config, lower := reg.R11, reg.R12, reg.R13, reg.RDX, reg.RAX, reg.R9

	s.Load(s.Param("config"), config)
	s.loadTileConfig(config)
	s.Load(s.Param("panels"), panels)
	s.Load(s.Param("b"), b)
	s.Load(s.Param("start"), start)
	s.Load(s.Param("ss"), ss)
	s.Load(s.Param("c"), c)
	s.Load(s.Param("cst"), cst)
	s.MOVQ(U32(64), line)

	s.Label("panel")
	s.Load(s.Param("a"), a)
	s.Load(s.Param("blocks"), count)
	for row := range 16 * tiles { // C comes from memory while the sums are taken
		if row == 0 {
			s.MOVQ(c, lower)
		} else {
			s.ADDQ(cst, lower)
		}
		s.PREFETCHT0(Mem{Base: lower})
		s.PREFETCHT0(Mem{Base: lower, Disp: 64})
	}
	s.TESTQ(start, start)
	s.JZ(LabelRef("zero"))
	eachSum := func(move func(tile int, base, line reg.GPPhysical, disp int), base, stride reg.GPPhysical) {
		if tiles == 2 { // lower = base + 16*stride
			s.MOVQ(stride, lower)
			s.SHLQ(U8(4), lower)
			s.ADDQ(base, lower)
		}
		for i := range tiles {
			for j := range 2 {
				move(2*i+j, []reg.GPPhysical{base, lower}[i], stride, 64*j)
			}
		}
	}
	eachSum(s.tileLoad, start, ss)
	s.ADDQ(I32(128), start)
	s.JMP(LabelRef("block"))
	s.Label("zero")
	for i := range 2 * tiles {
		s.tileZero(i)
	}
	s.Label("block")
	const high, middle, low = 0, 1, 2
	inA, inB := -1, -1 // the parts that the tiles hold
	for _, pair := range [][2]int{{low, high}, {middle, high}, {middle, middle}, {high, middle}, {high, high}, {high, low}} {
		if inA != pair[0] {
			inA = pair[0]
			for i := range tiles {
				s.tileLoad(4+i, a, line, inA*partApart+i*partTile)
			}
		}
		if inB != pair[1] {
			inB = pair[1]
			for j := range 2 {
				s.tileLoad(6+j, b, line, inB*partApart+j*partTile)
			}
		}
		for i := range tiles {
			for j := range 2 {
				s.tileMultiply(2*i+j, 4+i, 6+j)
			}
		}
	}
	s.ADDQ(I32(partBlock), a)
	s.ADDQ(I32(partBlock), b)
	s.DECQ(count)
	s.JNZ(LabelRef("block"))
	eachSum(s.tileStore, c, cst)
	s.ADDQ(I32(128), c)
	s.DECQ(panels)
	s.JNZ(LabelRef("panel"))
	s.tileRelease()
	s.RET()
}

// The instructions that Go's assembler lacks, from Intel's manual: two bytes of VEX
// prefix after 0xc4, or three of EVEX after 0x62, opcode, operands. Registers'
// numbers go in with their upper bit inverted in the prefix.

func (s *avx) encode(bytes ...int) {
	for _, b := range bytes {
		s.Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// number is a register's number in instructions.
func number(r reg.Register) int { return int(r.(reg.Physical).PhysicalIndex()) }

// LDTILECFG [p]
func (s *avx) loadTileConfig(p reg.GPPhysical) { s.encode(0xc4, 0xe2, 0x78, 0x49, number(p)) } // one of the first registers

// TILERELEASE
func (s *avx) tileRelease() { s.encode(0xc4, 0xe2, 0x78, 0x49, 0xc0) }

// TILEZERO tile
func (s *avx) tileZero(tile int) { s.encode(0xc4, 0xe2, 0x7b, 0x49, 0xc0|tile<<3) }

// TILELOADD tile, [base + line*1 + disp]: a row every line bytes
func (s *avx) tileLoad(tile int, base, line reg.GPPhysical, disp int) {
	s.tileMove(0x7b, tile, base, line, disp)
}

// TILESTORED [base + line*1 + disp], tile
func (s *avx) tileStore(tile int, base, line reg.GPPhysical, disp int) {
	s.tileMove(0x7a, tile, base, line, disp)
}

func (s *avx) tileMove(prefix, tile int, base, line reg.GPPhysical, disp int) {
	b, x := number(base), number(line)
	s.encode(0xc4, 0x82|(^x>>3&1)<<6|(^b>>3&1)<<5, prefix, 0x4b, 0x84|tile<<3, x&7<<3|b&7,
		disp&255, disp>>8&255, disp>>16&255, disp>>24&255)
}

// TDPBF16PS sum, a, b: sum += a·b
func (s *avx) tileMultiply(sum, a, b int) { s.encode(0xc4, 0xe2, 0x02|(^b&15)<<3, 0x5c, 0xc0|sum<<3|a) }

// VCVTNE2PS2BF16 to, hi, lo, of the first 8 registers: rounds lo to the lower half of
// to, hi to the upper
func (s *avx) toBfloat16(lo, hi, to reg.VecPhysical) {
	s.encode(0x62, 0xf2, 0x07|(^number(hi)&15)<<3, 0x48, 0x72, 0xc0|number(to)<<3|number(lo))
}
