package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is a set of vector registers.
type isa struct {
	name  string
	lanes int // float32 values in a register
	mr    int // rows and vectors of the largest tile
	nrv   int
	regs  []reg.VecPhysical
}

var (
	avx512 = &isa{"AVX512", 16, 14, 2, []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}}
	avx2 = &isa{"AVX2", 8, 6, 2, []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}}
)

// lane is the element type's size in bytes.
const lane = 4

func (s *isa) bytes() int { return s.lanes * lane }

// mask is the register that tail sets on AVX2.
func (s *isa) mask() reg.VecPhysical { return s.regs[15] }

// tail prepares loadTail and storeTail for the first n values of a register, 0 <=
// n <= lanes.
func (s *isa) tail(n reg.GPVirtual) {
	t := GP64()
	if s == avx512 {
		MOVQ(I32(-1), t)
		BZHIQ(n, t, t)
		KMOVW(t.As32(), reg.K1)
		return
	}
	if tailMasks == nil {
		m := GLOBL("tailMasks", attr.RODATA|attr.NOPTR)
		for i := range 8 {
			DATA(lane*i, U32(math.MaxUint32))
		}
		for i := 8; i < 16; i++ {
			DATA(lane*i, U32(0))
		}
		tailMasks = &m
	}
	LEAQ(tailMasks.Offset(s.bytes()), t)
	NEGQ(n)
	VMOVUPS(Mem{Base: t, Index: n, Scale: lane}, s.mask())
}

var tailMasks *Mem

func (s *isa) loadTail(m Mem, r reg.VecPhysical) {
	if s == avx512 {
		VMOVUPS_Z(m, reg.K1, r)
	} else {
		VMASKMOVPS(m, s.mask(), r)
	}
}

func (s *isa) storeTail(r reg.VecPhysical, m Mem) {
	if s == avx512 {
		VMOVUPS(r, reg.K1, m)
	} else {
		VMASKMOVPS(r, s.mask(), m)
	}
}

func (s *isa) load(m Mem, r reg.VecPhysical)  { VMOVUPS(m, r) }
func (s *isa) store(r reg.VecPhysical, m Mem) { VMOVUPS(r, m) }

// zero clears r.
func (s *isa) zero(r reg.VecPhysical) {
	if s == avx512 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// float fills r with a constant.
func (s *isa) float(v float64, r reg.VecPhysical) {
	bits := math.Float32bits(float32(v))
	m, ok := constants[bits]
	if !ok {
		m = GLOBL(fmt.Sprintf("float%08x", bits), attr.RODATA|attr.NOPTR)
		DATA(0, U32(bits))
		constants[bits] = m
	}
	VBROADCASTSS(m, r)
}

var constants = map[uint32]Mem{}

// positive overwrites r with then in the lanes where x > zero.
func (s *isa) positive(x, zero, then, r, scratch reg.VecPhysical) {
	const greater = 0x1e // ordered, quiet
	if s == avx512 {
		VCMPPS(U8(greater), zero, x, reg.K2)
		VMOVAPS(then, reg.K2, r)
	} else {
		VCMPPS(U8(greater), zero, x, scratch)
		VBLENDVPS(scratch, then, r, r)
	}
}

// sum adds up the lanes of r and returns the sum in its lowest lane.
func (s *isa) sum(r, scratch reg.VecPhysical) {
	if s == avx512 {
		VEXTRACTF64X4(U8(1), r, scratch.AsY())
		VADDPS(scratch.AsY(), r.AsY(), r.AsY())
	}
	VEXTRACTF128(U8(1), r.AsY(), scratch.AsX())
	VADDPS(scratch.AsX(), r.AsX(), r.AsX())
	VMOVHLPS(r.AsX(), r.AsX(), scratch.AsX())
	VADDPS(scratch.AsX(), r.AsX(), r.AsX())
	VMOVSHDUP(r.AsX(), scratch.AsX())
	VADDSS(scratch.AsX(), r.AsX(), r.AsX())
}

// loop emits body for every whole register of n values, then once for the rest.
// Pointers advance after each; body gets the load and the store to use.
func (s *isa) loop(n reg.GPVirtual, pointers []reg.GPVirtual, body func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem))) {
	Label("loop")
	CMPQ(n, U8(s.lanes))
	JL(LabelRef("rest"))
	body(s.load, s.store)
	for _, p := range pointers {
		ADDQ(U8(s.bytes()), p)
	}
	SUBQ(U8(s.lanes), n)
	JMP(LabelRef("loop"))
	Label("rest")
	TESTQ(n, n)
	JZ(LabelRef("end"))
	s.tail(n)
	body(s.loadTail, s.storeTail)
	Label("end")
}
