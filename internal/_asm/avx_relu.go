package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rectifiers emits ReLU, leaky ReLU and their gradients. NaN is neither below
// zero nor at most zero.
func (s *isa) rectifiers() {
	s.begin("relu", " writes src[i] < 0 ? 0 : src[i] to each of n values dst[i].", "func(n int, dst, src *float32)")
	s.rectify([]string{"dst", "src"}, func(p []Mem, load func(Mem, reg.VecPhysical)) reg.VecPhysical {
		x, zero := s.regs[1], s.regs[2]
		s.zero(zero)
		load(p[1], x)
		s.VMAXPS(x, zero, x) // of zeros, and with NaN, the first operand
		return x
	})
	s.begin("reluGrad", " writes y[i] <= 0 ? 0 : dy[i] to each of n values dx[i].", "func(n int, dx, dy, y *float32)")
	s.rectify([]string{"dx", "dy", "y"}, func(p []Mem, load func(Mem, reg.VecPhysical)) reg.VecPhysical {
		d, zero, y := s.regs[1], s.regs[2], s.regs[3]
		s.zero(zero)
		load(p[2], y)
		s.VCMPPS(U8(atMost), zero, y, s.mask(0))
		load(p[1], d)
		s.merge(zero, s.mask(0), d)
		return d
	})
	s.begin("leaky", " writes src[i] < 0 ? alpha*src[i] : src[i] to each of n values dst[i].", "func(n int, dst, src *float32, alpha float32)")
	s.broadcast("alpha", s.regs[0])
	s.rectify([]string{"dst", "src"}, func(p []Mem, load func(Mem, reg.VecPhysical)) reg.VecPhysical {
		x, zero, t := s.regs[1], s.regs[2], s.regs[3]
		s.zero(zero)
		load(p[1], x)
		s.VCMPPS(U8(less), zero, x, s.mask(0))
		s.VMULPS(s.regs[0], x, t)
		s.merge(t, s.mask(0), x)
		return x
	})
	s.begin("leakyGrad", " writes y[i] <= 0 ? alpha*dy[i] : dy[i] to each of n values dx[i].", "func(n int, dx, dy, y *float32, alpha float32)")
	s.broadcast("alpha", s.regs[0])
	s.rectify([]string{"dx", "dy", "y"}, func(p []Mem, load func(Mem, reg.VecPhysical)) reg.VecPhysical {
		d, zero, y := s.regs[1], s.regs[2], s.regs[3]
		s.zero(zero)
		load(p[2], y)
		s.VCMPPS(U8(atMost), zero, y, s.mask(0))
		load(p[1], d)
		s.VMULPS(s.regs[0], d, y)
		s.merge(y, s.mask(0), d)
		return d
	})
}

// rectify emits the loop over n values of the named pointers, whose first takes
// the results.
func (s *isa) rectify(names []string, body func(p []Mem, load func(Mem, reg.VecPhysical)) reg.VecPhysical) {
	n := s.param("n")
	var pointers []reg.GPVirtual
	var at []Mem
	for _, name := range names {
		p := s.param(name)
		pointers, at = append(pointers, p), append(at, Mem{Base: p})
	}
	s.loop(n, pointers, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		store(body(at, load), at[0])
	})
	s.VZEROUPPER()
	s.RET()
}
