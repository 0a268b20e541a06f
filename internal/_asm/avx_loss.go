package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// squaredError emits the loss and its gradient in float64: each register of
// float32 becomes two of float64.
func (s *isa) squaredError() {
	s.begin("squaredError", " writes scale*(p[i]-t[i]) to each of n values grad[i] and returns the sum of (p[i]-t[i])².",
		"func(n int, grad, p, t *float32, scale float64) float64")
	n, grad, p, t := s.param("n"), s.param("grad"), s.param("p"), s.param("t")
	scale, sums := s.regs[0], s.regs[1:3]
	s.VBROADCASTSD(s.address("scale"), scale)
	s.zero(sums[0])
	s.zero(sums[1])
	pv, tv, pd, td := s.regs[3], s.regs[4], s.regs[5:7], s.regs[7:9]
	s.loop(n, []reg.GPVirtual{grad, p, t}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: p}, pv)
		load(Mem{Base: t}, tv)
		s.widen(pv, pd)
		s.widen(tv, td)
		for i, d := range pd {
			s.VSUBPD(td[i], d, d)
			s.VFMADD231PD(d, d, sums[i])
			s.VMULPD(scale, d, d)
		}
		s.narrow(pd, pv)
		store(pv, Mem{Base: grad})
	})
	s.VADDPD(sums[1], sums[0], sums[0])
	s.sumDoubles(sums[0], sums[1])
	s.Store(sums[0].AsX(), s.ReturnIndex(0))
	s.VZEROUPPER()
	s.RET()
}

// widen converts r to two registers of float64.
func (s *isa) widen(r reg.VecPhysical, to []reg.VecPhysical) {
	if s == avx512 {
		s.VCVTPS2PD(r.AsY(), to[0])
		s.VEXTRACTF64X4(U8(1), r, to[1].AsY())
		s.VCVTPS2PD(to[1].AsY(), to[1])
	} else {
		s.VCVTPS2PD(r.AsX(), to[0])
		s.VEXTRACTF128(U8(1), r, to[1].AsX())
		s.VCVTPS2PD(to[1].AsX(), to[1])
	}
}

// narrow rounds two registers of float64, which it overwrites, to r.
func (s *isa) narrow(from []reg.VecPhysical, r reg.VecPhysical) {
	if s == avx512 {
		s.VCVTPD2PS(from[0], r.AsY())
		s.VCVTPD2PS(from[1], from[1].AsY())
		s.VINSERTF64X4(U8(1), from[1].AsY(), r, r)
	} else {
		s.VCVTPD2PSY(from[0], r.AsX())
		s.VCVTPD2PSY(from[1], from[1].AsX())
		s.VINSERTF128(U8(1), from[1].AsX(), r, r)
	}
}

// sumDoubles adds up the float64 values of r in its lowest lane.
func (s *isa) sumDoubles(r, scratch reg.VecPhysical) {
	if s == avx512 {
		s.VEXTRACTF64X4(U8(1), r, scratch.AsY())
		s.VADDPD(scratch.AsY(), r.AsY(), r.AsY())
	}
	s.VEXTRACTF128(U8(1), r.AsY(), scratch.AsX())
	s.VADDPD(scratch.AsX(), r.AsX(), r.AsX())
	s.VHADDPD(r.AsX(), r.AsX(), r.AsX())
}
