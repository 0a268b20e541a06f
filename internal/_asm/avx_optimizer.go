package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// optimizers emits the updates of parameters. They round after every operation,
// as the portable ones do, so that training is the same on all tiers.
func (s *isa) optimizers() {
	s.adamax()
	s.adam()
}

// coefficients broadcasts the parameters of the given names.
func (s *isa) coefficients(names ...string) []reg.VecPhysical {
	for i, name := range names {
		s.broadcast(name, s.regs[i])
	}
	return s.regs[:len(names)]
}

func (s *isa) adamax() {
	s.begin("adamax", " updates n values: m += (grad-m)*mix, u = max(decay*u, |grad|), w -= rate*m/(rest*(u+epsilon)).",
		"func(n int, w, grad, m, u *float32, mix, decay, rate, rest, epsilon float32)")
	n, w, g, m, u := s.param("n"), s.param("w"), s.param("grad"), s.param("m"), s.param("u")
	k := s.coefficients("mix", "decay", "rate", "rest", "epsilon")
	mix, decay, rate, rest, epsilon := k[0], k[1], k[2], k[3], k[4]
	sign, gv, mv, uv, t, scratch, mask := s.regs[5], s.regs[6], s.regs[7], s.regs[8], s.regs[9], s.regs[10], s.mask(0)
	s.bits(1<<31, sign)
	s.loop(n, []reg.GPVirtual{w, g, m, u}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: g}, gv)
		load(Mem{Base: m}, mv)
		s.VSUBPS(mv, gv, t)
		s.VMULPS(mix, t, t)
		s.VADDPS(t, mv, mv)
		store(mv, Mem{Base: m})
		load(Mem{Base: u}, t)
		s.VMULPS(decay, t, t)
		s.clearBits(sign, gv, uv)
		s.notGreater(uv, t, mask, scratch)
		s.merge(t, mask, uv)
		store(uv, Mem{Base: u})
		s.VADDPS(epsilon, uv, uv)
		s.VMULPS(rest, uv, uv)
		s.VMULPS(rate, mv, mv)
		s.VDIVPS(uv, mv, mv)
		load(Mem{Base: w}, t)
		s.VSUBPS(mv, t, t)
		store(t, Mem{Base: w})
	})
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) adam() {
	s.begin("adam", " updates n values: m += (grad-m)*mix1, v += (grad*grad-v)*mix2, w -= w*decay*rate, w -= step*m/(sqrt(v)+epsilon).",
		"func(n int, w, grad, m, v *float32, mix1, mix2, decay, rate, step, epsilon float32)")
	n, w, g, m, v := s.param("n"), s.param("w"), s.param("grad"), s.param("m"), s.param("v")
	k := s.coefficients("mix1", "mix2", "decay", "rate", "step", "epsilon")
	mix1, mix2, decay, rate, step, epsilon := k[0], k[1], k[2], k[3], k[4], k[5]
	gv, mv, vv, t := s.regs[6], s.regs[7], s.regs[8], s.regs[9]
	s.loop(n, []reg.GPVirtual{w, g, m, v}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: g}, gv)
		load(Mem{Base: m}, mv)
		s.VSUBPS(mv, gv, t)
		s.VMULPS(mix1, t, t)
		s.VADDPS(t, mv, mv)
		store(mv, Mem{Base: m})
		load(Mem{Base: v}, vv)
		s.VMULPS(gv, gv, t)
		s.VSUBPS(vv, t, t)
		s.VMULPS(mix2, t, t)
		s.VADDPS(t, vv, vv)
		store(vv, Mem{Base: v})
		s.VSQRTPS(vv, vv)
		s.VADDPS(epsilon, vv, vv)
		s.VMULPS(step, mv, mv)
		s.VDIVPS(vv, mv, mv)
		load(Mem{Base: w}, gv)
		s.VMULPS(decay, gv, t)
		s.VMULPS(rate, t, t)
		s.VSUBPS(t, gv, gv)
		s.VSUBPS(mv, gv, gv)
		store(gv, Mem{Base: w})
	})
	s.VZEROUPPER()
	s.RET()
}
