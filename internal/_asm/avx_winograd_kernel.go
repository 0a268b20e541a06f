package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// kernel emits the transform of a convolution's kernel in double precision: half a
// register of input channel c's values at a time. The matrix is in memory, each of
// its values 8 times.
func (s *avx) kernel(t transform) {
	side := t.size + 2
	s.begin(fmt.Sprintf("kernel%d", t.size), fmt.Sprintf(" transforms n > 0 channels of a kernel, %d output channels of each.", 2*s.lanes),
		"func(n int, u *float32, us int, k *float32, cs, row, col int, matrix *float64)")
	n, u, k, matrix := s.param("n"), s.param("u"), s.param("k"), s.param("matrix")
	us, cs, row, col := s.stride("us"), s.stride("cs"), s.stride("row"), s.stride("col")
	next := s.GP64() // from a point to the one below
	s.IMUL3Q(I8(side), us, next)

	coefficient := func(point, power int) Mem { return Mem{Base: matrix, Disp: (point*3 + power) * 64} }
	// combine leaves the value at a point of the polynomial with the given coefficients.
	combine := func(point int, of []reg.VecPhysical, to reg.VecPhysical) {
		switch point {
		case 0:
			s.VMULPD(coefficient(0, 0), of[0], to)
		case side - 1:
			s.VMOVAPD(of[2], to)
		default:
			s.VMULPD(coefficient(point, 0), of[0], to)
			s.VFMADD231PD(coefficient(point, 1), of[1], to)
			s.VFMADD231PD(coefficient(point, 2), of[2], to)
		}
	}
	taps, rows, sum := s.regs[:9], s.regs[9:12], s.regs[12]
	half := func(r reg.VecPhysical) reg.VecPhysical {
		if s == avx512 {
			return r.AsY().(reg.VecPhysical)
		}
		return r.AsX().(reg.VecPhysical)
	}
	s.Label("channel")
	disp := s.GP64() // of a part of 2*lanes channels, lanes/2
	s.XORQ(disp, disp)
	s.Label("part")
	from := s.GP64()
	s.LEAQ(Mem{Base: k, Index: disp, Scale: 1}, from)
	for i := range 3 {
		tap := s.GP64()
		s.MOVQ(from, tap)
		for j := range 3 {
			s.VCVTPS2PD(Mem{Base: tap}, taps[3*i+j])
			if j < 2 {
				s.ADDQ(col, tap)
			}
		}
		if i < 2 {
			s.ADDQ(row, from)
		}
	}
	first := s.GP64()
	s.LEAQ(Mem{Base: u, Index: disp, Scale: 1}, first)
	for j := range side {
		for i := range 3 {
			combine(j, taps[3*i:][:3], rows[i])
		}
		to := s.GP64()
		s.MOVQ(first, to)
		for i := range side {
			combine(i, rows, sum)
			if s == avx512 {
				s.VCVTPD2PS(sum, half(sum))
			} else {
				s.VCVTPD2PSY(sum, half(sum))
			}
			s.VMOVUPS(half(sum), Mem{Base: to})
			if i < side-1 {
				s.ADDQ(next, to)
			}
		}
		if j < side-1 {
			s.ADDQ(us, first)
		}
	}
	s.ADDQ(U8(s.lanes/2*lane), disp)
	s.CMPQ(disp, U32(4*s.lanes/2*lane))
	s.JL(LabelRef("part"))
	s.ADDQ(cs, k)
	s.ADDQ(I32(2*s.lanes*4), u)
	s.DECQ(n)
	s.JNZ(LabelRef("channel"))
	s.VZEROUPPER()
	s.RET()
}
