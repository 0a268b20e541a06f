package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
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

// parts emits the kernels of f32.Parts. Go's assembler knows neither AMX nor the
// conversion to bfloat16, so those are written in bytes; hence physical registers
// throughout.
func parts() {
	splitParts()
	mulParts("mulParts2AMX", 2)
	mulParts("mulParts1AMX", 1)
}

// splitter splits pairs of registers.
type splitter struct{ x, y, both, turns, upper, part reg.VecPhysical }

func newSplitter() splitter {
	s := splitter{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5}
	VMOVDQU32(turns, s.turns)
	VPTERNLOGD(U8(255), s.upper, s.upper, s.upper)
	VPSLLD(U8(16), s.upper, s.upper)
	return s
}

// turns takes word 2j from word j, word 2j+1 from word 16+j.
var turns Mem

// split writes the parts of the values at lo and hi, in turns, to dst and the next
// tiles of the same half.
func (s splitter) split(lo, hi, dst Mem) {
	VMOVUPS(lo, s.x)
	VMOVUPS(hi, s.y)
	for i := range 3 {
		toBfloat16(s.x, s.y, s.both)
		VPERMW(s.both, s.turns, s.both)
		VMOVDQU32(s.both, dst.Offset(i*partApart))
		if i < 2 { // what is left; exact
			VPSLLD(U8(16), s.both, s.part)
			VSUBPS(s.part, s.x, s.x)
			VPANDD(s.upper, s.both, s.part)
			VSUBPS(s.part, s.y, s.y)
		}
	}
}

// splitParts emits the splits of rows of A and of rows of B. They go along the rows,
// for that is how memory is fast.
func splitParts() {
	turns = GLOBL("turns", attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(4*i, U32(i|(16+i)<<16))
	}

	TEXT("splitRowsAMX", attr.NOSPLIT, "func(rows, blocks int, a *float32, stride int, dst *uint16)")
	Doc("splitRowsAMX splits up to 16 rows of A, 32 values for each block, to a tile of each part;",
		"the stride from row to row is in bytes.")
	Pragma("noescape")
	rows, blocks, a, stride, dst := reg.RCX, reg.RBX, reg.RSI, reg.RDX, reg.RDI
	at, to := reg.R8, reg.R9
	Load(Param("rows"), rows)
	Load(Param("a"), a)
	Load(Param("stride"), stride)
	Load(Param("dst"), dst)
	s := newSplitter()
	Label("row")
	Load(Param("blocks"), blocks)
	MOVQ(a, at)
	MOVQ(dst, to)
	Label("block")
	s.split(Mem{Base: at}, Mem{Base: at, Disp: 64}, Mem{Base: to})
	ADDQ(I32(128), at)
	ADDQ(I32(partBlock), to)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	ADDQ(stride, a)
	ADDQ(I32(64), dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()

	TEXT("splitColumnsAMX", attr.NOSPLIT, "func(panels int, b *float32, stride int, dst *uint16, apart int)")
	Doc("splitColumnsAMX splits 32 rows of panels of B, 32 values each, to tiles of each part; the",
		"stride from row to row, and that from panel to panel of what is split, are in bytes.")
	Pragma("noescape")
	panels, b, lower, apart, row := reg.RCX, reg.RSI, reg.RBX, reg.R10, reg.R11
	Load(Param("b"), b)
	Load(Param("stride"), stride)
	Load(Param("dst"), dst)
	Load(Param("apart"), apart)
	MOVQ(stride, lower) // 16 rows below
	SHLQ(U8(4), lower)
	MOVQ(U32(16), row)
	s = newSplitter()
	Label("pair")
	Load(Param("panels"), panels)
	MOVQ(b, at)
	MOVQ(dst, to)
	Label("panel")
	for half := range 2 {
		s.split(Mem{Base: at, Disp: half * 64}, Mem{Base: at, Index: lower, Scale: 1, Disp: half * 64}, Mem{Base: to, Disp: half * partTile})
	}
	ADDQ(I32(128), at)
	ADDQ(apart, to)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	ADDQ(stride, b)
	ADDQ(I32(64), dst)
	DECQ(row)
	JNZ(LabelRef("pair"))
	VZEROUPPER()
	RET()
}

// mulParts emits the product of a group of A, of so many tiles of rows, with groups of
// B. Tiles 0 to 3 hold the sums, 4 and 5 are of A, 6 and 7 of B. What is small is added
// first, in an order in which each step needs other tiles of A or of B only.
func mulParts(name string, tiles int) {
	TEXT(name, attr.NOSPLIT, "func(config *[64]byte, panels, blocks int, a, b *uint16, start *float32, ss int, c *float32, cst int)")
	Doc(fmt.Sprintf("%s multiplies %d to %d rows with panels of 32 columns; strides are in bytes.", name, 16*tiles-15, 16*tiles))
	Pragma("noescape")
	a, b, count, panels, line := reg.RSI, reg.RDI, reg.RCX, reg.R8, reg.RBX
	start, ss, c, cst, config, lower := reg.R11, reg.R12, reg.R13, reg.RDX, reg.RAX, reg.R9

	Load(Param("config"), config)
	loadTileConfig(config)
	Load(Param("panels"), panels)
	Load(Param("b"), b)
	Load(Param("start"), start)
	Load(Param("ss"), ss)
	Load(Param("c"), c)
	Load(Param("cst"), cst)
	MOVQ(U32(64), line)

	Label("panel")
	Load(Param("a"), a)
	Load(Param("blocks"), count)
	for row := range 16 * tiles { // C comes from memory while the sums are taken
		if row == 0 {
			MOVQ(c, lower)
		} else {
			ADDQ(cst, lower)
		}
		PREFETCHT0(Mem{Base: lower})
		PREFETCHT0(Mem{Base: lower, Disp: 64})
	}
	TESTQ(start, start)
	JZ(LabelRef("zero"))
	eachSum := func(move func(tile int, base, line reg.GPPhysical, disp int), base, stride reg.GPPhysical) {
		if tiles == 2 { // lower = base + 16*stride
			MOVQ(stride, lower)
			SHLQ(U8(4), lower)
			ADDQ(base, lower)
		}
		for i := range tiles {
			for j := range 2 {
				move(2*i+j, []reg.GPPhysical{base, lower}[i], stride, 64*j)
			}
		}
	}
	eachSum(tileLoad, start, ss)
	ADDQ(I32(128), start)
	JMP(LabelRef("block"))
	Label("zero")
	for i := range 2 * tiles {
		tileZero(i)
	}
	Label("block")
	const high, middle, low = 0, 1, 2
	inA, inB := -1, -1 // the parts that the tiles hold
	for _, pair := range [][2]int{{low, high}, {middle, high}, {middle, middle}, {high, middle}, {high, high}, {high, low}} {
		if inA != pair[0] {
			inA = pair[0]
			for i := range tiles {
				tileLoad(4+i, a, line, inA*partApart+i*partTile)
			}
		}
		if inB != pair[1] {
			inB = pair[1]
			for j := range 2 {
				tileLoad(6+j, b, line, inB*partApart+j*partTile)
			}
		}
		for i := range tiles {
			for j := range 2 {
				tileMultiply(2*i+j, 4+i, 6+j)
			}
		}
	}
	ADDQ(I32(partBlock), a)
	ADDQ(I32(partBlock), b)
	DECQ(count)
	JNZ(LabelRef("block"))
	eachSum(tileStore, c, cst)
	ADDQ(I32(128), c)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	tileRelease()
	RET()
}

// The instructions that Go's assembler lacks, from Intel's manual: two bytes of VEX
// prefix after 0xc4, or three of EVEX after 0x62, opcode, operands. Registers'
// numbers go in with their upper bit inverted in the prefix.

func encode(bytes ...int) {
	for _, b := range bytes {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// number is a register's number in instructions.
func number(r reg.Register) int { return int(r.(reg.Physical).PhysicalIndex()) }

// LDTILECFG [p]
func loadTileConfig(p reg.GPPhysical) { encode(0xc4, 0xe2, 0x78, 0x49, number(p)) } // one of the first registers

// TILERELEASE
func tileRelease() { encode(0xc4, 0xe2, 0x78, 0x49, 0xc0) }

// TILEZERO tile
func tileZero(tile int) { encode(0xc4, 0xe2, 0x7b, 0x49, 0xc0|tile<<3) }

// TILELOADD tile, [base + line*1 + disp]: a row every line bytes
func tileLoad(tile int, base, line reg.GPPhysical, disp int) { tileMove(0x7b, tile, base, line, disp) }

// TILESTORED [base + line*1 + disp], tile
func tileStore(tile int, base, line reg.GPPhysical, disp int) { tileMove(0x7a, tile, base, line, disp) }

func tileMove(prefix, tile int, base, line reg.GPPhysical, disp int) {
	b, x := number(base), number(line)
	encode(0xc4, 0x82|(^x>>3&1)<<6|(^b>>3&1)<<5, prefix, 0x4b, 0x84|tile<<3, x&7<<3|b&7,
		disp&255, disp>>8&255, disp>>16&255, disp>>24&255)
}

// TDPBF16PS sum, a, b: sum += a·b
func tileMultiply(sum, a, b int) { encode(0xc4, 0xe2, 0x02|(^b&15)<<3, 0x5c, 0xc0|sum<<3|a) }

// VCVTNE2PS2BF16 to, hi, lo, of the first 8 registers: rounds lo to the lower half of
// to, hi to the upper
func toBfloat16(lo, hi, to reg.VecPhysical) {
	encode(0x62, 0xf2, 0x07|(^number(hi)&15)<<3, 0x48, 0x72, 0xc0|number(to)<<3|number(lo))
}
