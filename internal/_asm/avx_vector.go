package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) vectorKernels() {
	s.reduce("dot", "dot%s returns the sum of a[i]*b[i] over n values.", func(a, b, sum reg.VecPhysical) {
		s.VFMADD231PS(a, b, sum)
	})
	s.reduce("squaredDistance", "squaredDistance%s returns the sum of (a[i]-b[i])² over n values.", func(a, b, sum reg.VecPhysical) {
		s.VSUBPS(b, a, a)
		s.VFMADD231PS(a, a, sum)
	})
	s.axpy()
	s.exp()
	s.elu()
	s.eluGrad()
}

func (s *isa) begin(name, doc, signature string) {
	s.TEXT(name+s.name, attr.NOSPLIT, signature)
	s.Doc(name + s.name + doc)
	s.Pragma("noescape")
}

func (s *isa) param(name string) reg.GPVirtual {
	return s.Load(s.Param(name), s.GP64()).(reg.GPVirtual)
}

// reduce emits a sum over two vectors, kept in four registers.
func (s *isa) reduce(name, doc string, add func(a, b, sum reg.VecPhysical)) {
	s.begin(name, doc[len(name)+2:], "func(n int, a, b *float32) float32")
	n, a, b := s.param("n"), s.param("a"), s.param("b")
	const sums = 4
	for i := range sums {
		s.zero(s.regs[i])
	}
	s.Label("four")
	s.CMPQ(n, U8(sums*s.lanes))
	s.JL(LabelRef("loop"))
	for i := range sums {
		x, y := s.regs[sums+2*i], s.regs[sums+2*i+1]
		s.VMOVUPS(Mem{Base: a, Disp: i * s.bytes()}, x)
		s.VMOVUPS(Mem{Base: b, Disp: i * s.bytes()}, y)
		add(x, y, s.regs[i])
	}
	s.ADDQ(I32(sums*s.bytes()), a)
	s.ADDQ(I32(sums*s.bytes()), b)
	s.SUBQ(U8(sums*s.lanes), n)
	s.JMP(LabelRef("four"))
	s.loop(n, []reg.GPVirtual{a, b}, func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		x, y := s.regs[4], s.regs[5]
		load(Mem{Base: a}, x)
		load(Mem{Base: b}, y)
		add(x, y, s.regs[0])
	})
	s.VADDPS(s.regs[1], s.regs[0], s.regs[0])
	s.VADDPS(s.regs[3], s.regs[2], s.regs[2])
	s.VADDPS(s.regs[2], s.regs[0], s.regs[0])
	s.sum(s.regs[0], s.regs[1])
	s.Store(reg.X0, s.ReturnIndex(0))
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) axpy() {
	s.begin("axpy", " adds alpha*x[i] to each of n values y[i].", "func(n int, y *float32, alpha float32, x *float32)")
	n, y, x := s.param("n"), s.param("y"), s.param("x")
	alpha, xv, yv := s.regs[0], s.regs[1], s.regs[2]
	s.broadcast("alpha", alpha)
	s.loop(n, []reg.GPVirtual{y, x}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: x}, xv)
		load(Mem{Base: y}, yv)
		s.VFMADD231PS(alpha, xv, yv)
		store(yv, Mem{Base: y})
	})
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) broadcast(name string, r reg.VecPhysical) { s.VBROADCASTSS(s.address(name), r) }

// address returns where a parameter is.
func (s *isa) address(name string) Op {
	p, err := s.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// expm1Terms are the coefficients of (e^r - 1 - r)/r² on |r| <= ln(2)/2,
// interpolated at Chebyshev's nodes: 2^-28 off at most.
var expm1Terms = []float64{0.5, 0.1666666716337204, 0.041666463017463684, 0.00833331048488617, 0.0013933685841038823, 0.00019891030387952924}

// reduced splits x = n*ln(2) + r and evaluates p = e^r - 1, exact to half a unit
// in the last place where n = 0.
type reduced struct {
	s                   *isa
	log2e, ln2hi, ln2lo reg.VecPhysical
	terms               []reg.VecPhysical
	n, r, p             reg.VecPhysical
}

func (s *isa) newReduced(regs []reg.VecPhysical) reduced {
	e := reduced{s, regs[0], regs[1], regs[2], regs[6:12], regs[3], regs[4], regs[5]}
	hi := float64(float32(math.Ln2))
	s.float(math.Log2E, e.log2e)
	s.float(hi, e.ln2hi)
	s.float(math.Ln2-hi, e.ln2lo)
	for i, t := range expm1Terms {
		s.float(t, e.terms[i])
	}
	return e
}

// eval leaves n, as integers, in n and e^r - 1 in p; x is kept.
func (e reduced) eval(x reg.VecPhysical) {
	e.s.VMULPS(x, e.log2e, e.p)
	e.s.VCVTPS2DQ(e.p, e.n)
	e.s.VCVTDQ2PS(e.n, e.p)
	e.s.VMOVAPS(x, e.r)
	e.s.VFNMADD231PS(e.p, e.ln2hi, e.r)
	e.s.VFNMADD231PS(e.p, e.ln2lo, e.r)
	last := len(e.terms) - 1
	e.s.VMOVAPS(e.terms[last], e.p)
	for i := last - 1; i >= 0; i-- {
		e.s.VFMADD213PS(e.terms[i], e.r, e.p)
	}
	e.s.VMULPS(e.r, e.p, e.p)
	e.s.VFMADD213PS(e.r, e.r, e.p)
}

func (s *isa) exp() {
	s.begin("exp", " writes e^src[i] to each of n values dst[i].", "func(n int, dst, src *float32)")
	n, dst, src := s.param("n"), s.param("dst"), s.param("src")
	e := s.newReduced(s.regs[:12])
	x, one := s.regs[12], s.regs[13]
	s.float(1, one)
	s.loop(n, []reg.GPVirtual{dst, src}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: src}, x)
		// Past these, the result is 0 or infinity anyway, and n fits. NaN passes.
		t := s.regs[14]
		s.float(-104, t)
		s.VMAXPS(x, t, x)
		s.float(89, t)
		s.VMINPS(x, t, x)
		e.eval(x)
		s.VADDPS(one, e.p, e.p)
		// 2^n in two factors: n is from -150 to 128, an exponent from -126 to 127.
		s.VPSRAD(U8(1), e.n, x)
		s.VPSUBD(x, e.n, e.n)
		s.VPSLLD(U8(23), x, x)
		s.VPADDD(one, x, x)
		s.VMULPS(x, e.p, e.p)
		s.VPSLLD(U8(23), e.n, e.n)
		s.VPADDD(one, e.n, e.n)
		s.VMULPS(e.n, e.p, e.p)
		store(e.p, Mem{Base: dst})
	})
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) elu() {
	s.begin("elu", " writes src[i] > 0 ? src[i] : alpha*(e^src[i]-1) to each of n values dst[i].", "func(n int, dst, src *float32, alpha float32)")
	n, dst, src := s.param("n"), s.param("dst"), s.param("src")
	e := s.newReduced(s.regs[:12])
	x, one, t := s.regs[12], s.regs[13], s.regs[14]
	s.float(1, one)
	s.loop(n, []reg.GPVirtual{dst, src}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		// max(x, 0) + alpha*(e^min(x, 0) - 1): one of the two is zero. e^-25 is lost
		// beside 1. NaN passes.
		load(Mem{Base: src}, x)
		s.zero(t)
		s.VMINPS(x, t, x)
		s.float(-25, t)
		s.VMAXPS(x, t, x)
		e.eval(x)
		s.VPSLLD(U8(23), e.n, e.n)
		s.VPADDD(one, e.n, e.n) // 2^n
		s.VSUBPS(one, e.n, x)
		s.VFMADD213PS(x, e.n, e.p) // 2^n*(e^r - 1) + (2^n - 1)
		load(Mem{Base: src}, x)
		s.zero(t)
		s.VMAXPS(x, t, x)
		s.broadcast("alpha", t)
		s.VFMADD231PS(t, e.p, x)
		store(x, Mem{Base: dst})
	})
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) eluGrad() {
	s.begin("eluGrad", " writes dy[i] * (y[i] > 0 ? 1 : y[i]+alpha) to each of n values dx[i].", "func(n int, dx, dy, y *float32, alpha float32)")
	n, dx, dy, y := s.param("n"), s.param("dx"), s.param("dy"), s.param("y")
	alpha, one, zero, yv, d := s.regs[0], s.regs[1], s.regs[2], s.regs[3], s.regs[4]
	s.broadcast("alpha", alpha)
	s.float(1, one)
	s.zero(zero)
	s.loop(n, []reg.GPVirtual{dx, dy, y}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: y}, yv)
		s.VADDPS(alpha, yv, d)
		s.positive(yv, zero, one, d)
		load(Mem{Base: dy}, yv)
		s.VMULPS(yv, d, d)
		store(d, Mem{Base: dx})
	})
	s.VZEROUPPER()
	s.RET()
}
