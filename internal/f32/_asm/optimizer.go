package main

import (
	. "github.com/mmcloughlin/avo/build"
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
	n, w, g, m, u := param("n"), param("w"), param("grad"), param("m"), param("u")
	k := s.coefficients("mix", "decay", "rate", "rest", "epsilon")
	mix, decay, rate, rest, epsilon := k[0], k[1], k[2], k[3], k[4]
	sign, gv, mv, uv, t, scratch, mask := s.regs[5], s.regs[6], s.regs[7], s.regs[8], s.regs[9], s.regs[10], s.mask(0)
	s.bits(1<<31, sign)
	s.loop(n, []reg.GPVirtual{w, g, m, u}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: g}, gv)
		load(Mem{Base: m}, mv)
		VSUBPS(mv, gv, t)
		VMULPS(mix, t, t)
		VADDPS(t, mv, mv)
		store(mv, Mem{Base: m})
		load(Mem{Base: u}, t)
		VMULPS(decay, t, t)
		s.clearBits(sign, gv, uv)
		s.notGreater(uv, t, mask, scratch)
		s.merge(t, mask, uv)
		store(uv, Mem{Base: u})
		VADDPS(epsilon, uv, uv)
		VMULPS(rest, uv, uv)
		VMULPS(rate, mv, mv)
		VDIVPS(uv, mv, mv)
		load(Mem{Base: w}, t)
		VSUBPS(mv, t, t)
		store(t, Mem{Base: w})
	})
	VZEROUPPER()
	RET()
}

func (s *isa) adam() {
	s.begin("adam", " updates n values: m += (grad-m)*mix1, v += (grad*grad-v)*mix2, w -= w*decay*rate, w -= step*m/(sqrt(v)+epsilon).",
		"func(n int, w, grad, m, v *float32, mix1, mix2, decay, rate, step, epsilon float32)")
	n, w, g, m, v := param("n"), param("w"), param("grad"), param("m"), param("v")
	k := s.coefficients("mix1", "mix2", "decay", "rate", "step", "epsilon")
	mix1, mix2, decay, rate, step, epsilon := k[0], k[1], k[2], k[3], k[4], k[5]
	gv, mv, vv, t := s.regs[6], s.regs[7], s.regs[8], s.regs[9]
	s.loop(n, []reg.GPVirtual{w, g, m, v}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: g}, gv)
		load(Mem{Base: m}, mv)
		VSUBPS(mv, gv, t)
		VMULPS(mix1, t, t)
		VADDPS(t, mv, mv)
		store(mv, Mem{Base: m})
		load(Mem{Base: v}, vv)
		VMULPS(gv, gv, t)
		VSUBPS(vv, t, t)
		VMULPS(mix2, t, t)
		VADDPS(t, vv, vv)
		store(vv, Mem{Base: v})
		VSQRTPS(vv, vv)
		VADDPS(epsilon, vv, vv)
		VMULPS(step, mv, mv)
		VDIVPS(vv, mv, mv)
		load(Mem{Base: w}, gv)
		VMULPS(decay, gv, t)
		VMULPS(rate, t, t)
		VSUBPS(t, gv, gv)
		VSUBPS(mv, gv, gv)
		store(gv, Mem{Base: w})
	})
	VZEROUPPER()
	RET()
}
