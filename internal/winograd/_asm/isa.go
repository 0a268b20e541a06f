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
	regs  []reg.VecPhysical

	held map[float64]reg.VecPhysical // constants that a kernel keeps in registers
}

var (
	avx512 = &isa{name: "AVX512", lanes: 16, regs: []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}}
	avx2 = &isa{name: "AVX2", lanes: 8, regs: []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}}
)

func (s *isa) begin(name, doc, signature string) {
	TEXT(name+s.name, attr.NOSPLIT, signature)
	Doc(name + s.name + doc)
	Pragma("noescape")
}

func param(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// stride loads a stride, in bytes.
func stride(name string) reg.GPVirtual {
	r := param(name)
	SHLQ(U8(2), r)
	return r
}

// times returns n*r for an odd n that an address can hold.
func times(n int, r reg.GPVirtual) reg.GPVirtual {
	t := GP64()
	LEAQ(Mem{Base: r, Index: r, Scale: uint8(n - 1)}, t)
	return t
}

// line addresses up to six values that lie a stride apart.
type line struct{ base, one, three, five reg.GPVirtual }

func (l line) at(i int) Mem {
	switch i {
	case 1, 2, 4:
		return Mem{Base: l.base, Index: l.one, Scale: uint8(i)}
	case 3:
		return Mem{Base: l.base, Index: l.three, Scale: 1}
	case 5:
		return Mem{Base: l.base, Index: l.five, Scale: 1}
	}
	return Mem{Base: l.base}
}

// hold keeps constants in the last registers where there are enough.
func (s *isa) hold(values ...float64) {
	s.held = map[float64]reg.VecPhysical{}
	if s != avx512 {
		return
	}
	for i, v := range values {
		r := s.regs[len(s.regs)-1-i]
		VMOVUPS(vector(v), r)
		s.held[v] = r
	}
}

// constant returns a register full of v, or memory that is.
func (s *isa) constant(v float64) Op {
	if r, ok := s.held[v]; ok {
		return r
	}
	return vector(v)
}

func vector(v float64) Mem {
	bits := math.Float32bits(float32(v))
	if float64(float32(v)) != v {
		panic(fmt.Sprintf("%g is no float32", v))
	}
	m, ok := vectors[bits]
	if !ok {
		m = GLOBL(fmt.Sprintf("vector%08x", bits), attr.RODATA|attr.NOPTR)
		for i := range 16 {
			DATA(4*i, U32(bits))
		}
		vectors[bits] = m
	}
	return m
}

var vectors = map[uint32]Mem{}

// addTimes adds c times x, a register or memory, to sum.
func (s *isa) addTimes(c float64, x Op, sum, scratch reg.VecPhysical) {
	if c < 0 {
		s.fused(VFNMADD231PS, -c, x, sum, scratch)
	} else {
		s.fused(VFMADD231PS, c, x, sum, scratch)
	}
}

func (s *isa) fused(f func(...Op), c float64, x Op, sum, scratch reg.VecPhysical) {
	k := s.constant(c)
	if _, ok := k.(Mem); !ok {
		f(x, k, sum)
		return
	}
	if m, ok := x.(Mem); ok {
		VMOVUPS(m, scratch)
		x = scratch
	}
	f(k, x, sum)
}

// maxNaN writes the greater of x and y to y; it is NaN if one of them is, which
// MAXPS takes for its second argument.
func (s *isa) maxNaN(x, y, scratch reg.VecPhysical) {
	VMAXPS(x, y, scratch)
	VMAXPS(y, x, y)
	if s == avx512 {
		VPORD(scratch, y, y)
	} else {
		VORPS(scratch, y, y)
	}
}
