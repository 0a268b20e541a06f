package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// stride loads a stride, in bytes.
func (s *avx) stride(name string) reg.GPVirtual {
	r := s.param(name)
	s.SHLQ(U8(2), r)
	return r
}

// times returns n*r for an odd n that an address can hold.
func (s *avx) times(n int, r reg.GPVirtual) reg.GPVirtual {
	t := s.GP64()
	s.LEAQ(Mem{Base: r, Index: r, Scale: uint8(n - 1)}, t)
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
func (s *avx) hold(values ...float64) {
	s.held = map[float64]reg.VecPhysical{}
	if s != avx512 {
		return
	}
	for i, v := range values {
		r := s.regs[len(s.regs)-1-i]
		s.VMOVUPS(s.vector(v), r)
		s.held[v] = r
	}
}

// constant returns a register full of v, or memory that is.
func (s *avx) constant(v float64) Op {
	if r, ok := s.held[v]; ok {
		return r
	}
	return s.vector(v)
}

func (s *avx) vector(v float64) Mem {
	bits := math.Float32bits(float32(v))
	if float64(float32(v)) != v {
		panic(fmt.Sprintf("%g is no float32", v))
	}
	m, ok := s.file.vectors[bits]
	if !ok {
		m = s.GLOBL(fmt.Sprintf("vector%08x", bits), attr.RODATA|attr.NOPTR)
		for i := range 16 {
			s.DATA(4*i, U32(bits))
		}
		s.file.vectors[bits] = m
	}
	return m
}

// addTimes adds c times x, a register or memory, to sum.
func (s *avx) addTimes(c float64, x Op, sum, scratch reg.VecPhysical) {
	if c < 0 {
		s.fused(s.VFNMADD231PS, -c, x, sum, scratch)
	} else {
		s.fused(s.VFMADD231PS, c, x, sum, scratch)
	}
}

func (s *avx) fused(f func(...Op), c float64, x Op, sum, scratch reg.VecPhysical) {
	k := s.constant(c)
	if _, ok := k.(Mem); !ok {
		f(x, k, sum)
		return
	}
	if m, ok := x.(Mem); ok {
		s.VMOVUPS(m, scratch)
		x = scratch
	}
	f(k, x, sum)
}

// maxNaN writes the greater of x and y to y; it is NaN if one of them is, which
// MAXPS takes for its second argument.
func (s *avx) maxNaN(x, y, scratch reg.VecPhysical) {
	s.VMAXPS(x, y, scratch)
	s.VMAXPS(y, x, y)
	if s == avx512 {
		s.VPORD(scratch, y, y)
	} else {
		s.VORPS(scratch, y, y)
	}
}
