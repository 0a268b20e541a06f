package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func (s *isa) vectorKernels() {
	s.reduce("dot", "dot%s returns the sum of a[i]*b[i] over n values.", func(a, b, sum reg.VecPhysical) {
		VFMADD231PS(a, b, sum)
	})
	s.reduce("squaredDistance", "squaredDistance%s returns the sum of (a[i]-b[i])² over n values.", func(a, b, sum reg.VecPhysical) {
		VSUBPS(b, a, a)
		VFMADD231PS(a, a, sum)
	})
	s.axpy()
	s.exp()
	s.elu()
	s.eluGrad()
}

func (s *isa) begin(name, doc, signature string) {
	TEXT(name+s.name, attr.NOSPLIT, signature)
	Doc(name + s.name + doc)
	Pragma("noescape")
}

func param(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// reduce emits a sum over two vectors, kept in four registers.
func (s *isa) reduce(name, doc string, add func(a, b, sum reg.VecPhysical)) {
	s.begin(name, doc[len(name)+2:], "func(n int, a, b *float32) float32")
	n, a, b := param("n"), param("a"), param("b")
	const sums = 4
	for i := range sums {
		s.zero(s.regs[i])
	}
	Label("four")
	CMPQ(n, U8(sums*s.lanes))
	JL(LabelRef("loop"))
	for i := range sums {
		x, y := s.regs[sums+2*i], s.regs[sums+2*i+1]
		VMOVUPS(Mem{Base: a, Disp: i * s.bytes()}, x)
		VMOVUPS(Mem{Base: b, Disp: i * s.bytes()}, y)
		add(x, y, s.regs[i])
	}
	ADDQ(I32(sums*s.bytes()), a)
	ADDQ(I32(sums*s.bytes()), b)
	SUBQ(U8(sums*s.lanes), n)
	JMP(LabelRef("four"))
	s.loop(n, []reg.GPVirtual{a, b}, func(load func(Mem, reg.VecPhysical), _ func(reg.VecPhysical, Mem)) {
		x, y := s.regs[4], s.regs[5]
		load(Mem{Base: a}, x)
		load(Mem{Base: b}, y)
		add(x, y, s.regs[0])
	})
	VADDPS(s.regs[1], s.regs[0], s.regs[0])
	VADDPS(s.regs[3], s.regs[2], s.regs[2])
	VADDPS(s.regs[2], s.regs[0], s.regs[0])
	s.sum(s.regs[0], s.regs[1])
	Store(reg.X0, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

func (s *isa) axpy() {
	s.begin("axpy", " adds alpha*x[i] to each of n values y[i].", "func(n int, y *float32, alpha float32, x *float32)")
	n, y, x := param("n"), param("y"), param("x")
	alpha, xv, yv := s.regs[0], s.regs[1], s.regs[2]
	s.broadcast("alpha", alpha)
	s.loop(n, []reg.GPVirtual{y, x}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: x}, xv)
		load(Mem{Base: y}, yv)
		VFMADD231PS(alpha, xv, yv)
		store(yv, Mem{Base: y})
	})
	VZEROUPPER()
	RET()
}

func (s *isa) broadcast(name string, r reg.VecPhysical) { VBROADCASTSS(address(name), r) }

// address returns where a parameter is.
func address(name string) Op {
	p, err := Param(name).Resolve()
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
	log2e, ln2hi, ln2lo reg.VecPhysical
	terms               []reg.VecPhysical
	n, r, p             reg.VecPhysical
}

func (s *isa) newReduced(regs []reg.VecPhysical) reduced {
	e := reduced{regs[0], regs[1], regs[2], regs[6:12], regs[3], regs[4], regs[5]}
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
	VMULPS(x, e.log2e, e.p)
	VCVTPS2DQ(e.p, e.n)
	VCVTDQ2PS(e.n, e.p)
	VMOVAPS(x, e.r)
	VFNMADD231PS(e.p, e.ln2hi, e.r)
	VFNMADD231PS(e.p, e.ln2lo, e.r)
	last := len(e.terms) - 1
	VMOVAPS(e.terms[last], e.p)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(e.terms[i], e.r, e.p)
	}
	VMULPS(e.r, e.p, e.p)
	VFMADD213PS(e.r, e.r, e.p)
}

func (s *isa) exp() {
	s.begin("exp", " writes e^src[i] to each of n values dst[i].", "func(n int, dst, src *float32)")
	n, dst, src := param("n"), param("dst"), param("src")
	e := s.newReduced(s.regs[:12])
	x, one := s.regs[12], s.regs[13]
	s.float(1, one)
	s.loop(n, []reg.GPVirtual{dst, src}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: src}, x)
		// Past these, the result is 0 or infinity anyway, and n fits. NaN passes.
		t := s.regs[14]
		s.float(-104, t)
		VMAXPS(x, t, x)
		s.float(89, t)
		VMINPS(x, t, x)
		e.eval(x)
		VADDPS(one, e.p, e.p)
		// 2^n in two factors: n is from -150 to 128, an exponent from -126 to 127.
		VPSRAD(U8(1), e.n, x)
		VPSUBD(x, e.n, e.n)
		VPSLLD(U8(23), x, x)
		VPADDD(one, x, x)
		VMULPS(x, e.p, e.p)
		VPSLLD(U8(23), e.n, e.n)
		VPADDD(one, e.n, e.n)
		VMULPS(e.n, e.p, e.p)
		store(e.p, Mem{Base: dst})
	})
	VZEROUPPER()
	RET()
}

func (s *isa) elu() {
	s.begin("elu", " writes src[i] > 0 ? src[i] : alpha*(e^src[i]-1) to each of n values dst[i].", "func(n int, dst, src *float32, alpha float32)")
	n, dst, src := param("n"), param("dst"), param("src")
	e := s.newReduced(s.regs[:12])
	x, one, t := s.regs[12], s.regs[13], s.regs[14]
	s.float(1, one)
	s.loop(n, []reg.GPVirtual{dst, src}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		// max(x, 0) + alpha*(e^min(x, 0) - 1): one of the two is zero. e^-25 is lost
		// beside 1. NaN passes.
		load(Mem{Base: src}, x)
		s.zero(t)
		VMINPS(x, t, x)
		s.float(-25, t)
		VMAXPS(x, t, x)
		e.eval(x)
		VPSLLD(U8(23), e.n, e.n)
		VPADDD(one, e.n, e.n) // 2^n
		VSUBPS(one, e.n, x)
		VFMADD213PS(x, e.n, e.p) // 2^n*(e^r - 1) + (2^n - 1)
		load(Mem{Base: src}, x)
		s.zero(t)
		VMAXPS(x, t, x)
		s.broadcast("alpha", t)
		VFMADD231PS(t, e.p, x)
		store(x, Mem{Base: dst})
	})
	VZEROUPPER()
	RET()
}

func (s *isa) eluGrad() {
	s.begin("eluGrad", " writes dy[i] * (y[i] > 0 ? 1 : y[i]+alpha) to each of n values dx[i].", "func(n int, dx, dy, y *float32, alpha float32)")
	n, dx, dy, y := param("n"), param("dx"), param("dy"), param("y")
	alpha, one, zero, yv, d := s.regs[0], s.regs[1], s.regs[2], s.regs[3], s.regs[4]
	s.broadcast("alpha", alpha)
	s.float(1, one)
	s.zero(zero)
	s.loop(n, []reg.GPVirtual{dx, dy, y}, func(load func(Mem, reg.VecPhysical), store func(reg.VecPhysical, Mem)) {
		load(Mem{Base: y}, yv)
		VADDPS(alpha, yv, d)
		s.positive(yv, zero, one, d)
		load(Mem{Base: dy}, yv)
		VMULPS(yv, d, d)
		store(d, Mem{Base: dx})
	})
	VZEROUPPER()
	RET()
}
