package main

import (
	"fmt"
	"math"
)

// reduce emits a sum over two vectors, kept in four registers.
func reduce(s isa, name, doc string, add func(x, y, sum vec)) {
	s.begin(name, doc, "func(n int, a, b *float32) float32")
	n, a, b := s.arg("n"), s.arg("a"), s.arg("b")
	const sums, x, y vec = 4, 4, 8
	for i := range sums {
		s.zero(i)
	}
	bytes := s.width() * lane
	s.while("four", n, int(sums)*s.width(), func() {
		for i := vec(0); i < sums; i += 2 {
			s.loadTwo(mem{base: a, disp: int(i) * bytes}, x+i)
			s.loadTwo(mem{base: b, disp: int(i) * bytes}, y+i)
		}
		for i := range sums {
			add(x+i, y+i, i)
		}
		s.advance(a, int(sums)*bytes)
		s.advance(b, int(sums)*bytes)
	})
	s.loop(n, []general{a, b}, func(load func(mem, vec), _ func(vec, mem)) {
		load(at(a), x)
		load(at(b), y)
		add(x, y, 0)
	})
	s.add(0, 0, 1)
	s.add(2, 2, 3)
	s.add(0, 0, 2)
	s.sum(0, 1)
	s.result(0)
}

func axpy(s isa) {
	s.begin("axpy", "adds alpha*x[i] to each of n values y[i].", "func(n int, y *float32, alpha float32, x *float32)")
	n, y, x := s.arg("n"), s.arg("y"), s.arg("x")
	const alpha, xv, yv vec = 0, 1, 2
	s.broadcast("alpha", alpha)
	s.loop(n, []general{y, x}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(x), xv)
		load(at(y), yv)
		s.addTo(yv, xv, alpha)
		store(yv, at(y))
	})
	s.end()
}

// panelVectors returns how many registers hold the sums of vecMat: half of them.
func panelVectors(s isa) int { return s.registers() / 2 }

func vecMat(s isa) {
	vecs := panelVectors(s)
	s.begin("vecMat", fmt.Sprintf("adds the sum over p < k of a[p*as]*b[p*ldb+i] to each of %d values y[i], p in ascending order; k > 0.", vecs*s.width()),
		"func(k int, y, a *float32, as int, b *float32, ldb int)")
	k, y, a, as, b, ldb := s.arg("k"), s.arg("y"), s.arg("a"), s.arg("as"), s.arg("b"), s.arg("ldb")
	factor, value := vec(vecs), vec(vecs+1)
	sums := func(do func(i vec, disp int)) {
		for i := range vecs {
			do(vec(i), i*s.width()*lane)
		}
	}
	sums(func(i vec, disp int) { s.load(mem{base: y, disp: disp}, i) })
	s.repeat("row", k, func() {
		s.spread(at(a), factor)
		sums(func(i vec, disp int) {
			s.load(mem{base: b, disp: disp}, value+i%4)
			s.addTo(i, value+i%4, factor)
		})
		s.advanceBy(a, as, lane)
		s.advanceBy(b, ldb, lane)
	})
	sums(func(i vec, disp int) { s.store(i, mem{base: y, disp: disp}) })
	s.end()
}

// expm1Terms are the coefficients of (e^r - 1 - r)/r² on |r| <= ln(2)/2,
// interpolated at Chebyshev's nodes: 2^-28 off at most.
var expm1Terms = []float64{0.5, 0.1666666716337204, 0.041666463017463684, 0.00833331048488617, 0.0013933685841038823, 0.00019891030387952924}

// Registers of reduced: what it leaves, what it needs to work, constants.
const (
	integer, remainder, expm1  vec = 0, 1, 2
	log2e, ln2hi, ln2lo, terms vec = 3, 4, 5, 6
)

func reducedConstants(s isa) {
	hi := float64(float32(math.Ln2))
	s.float(math.Log2E, log2e)
	s.float(hi, ln2hi)
	s.float(math.Ln2-hi, ln2lo)
	for i, t := range expm1Terms {
		s.float(t, terms+vec(i))
	}
}

// reduced splits x = n*ln(2) + r and evaluates p = e^r - 1, exact to half a unit in
// the last place where n = 0. It leaves n, as integers, and the register that p is in;
// t, which may be x, is overwritten.
func reduced(s isa, x, t vec) vec {
	s.mul(expm1, x, log2e)
	s.round(integer, expm1)
	s.fromInteger(expm1, integer)
	s.move(x, remainder)
	s.subFrom(remainder, expm1, ln2hi)
	s.subFrom(remainder, expm1, ln2lo)
	last := vec(len(expm1Terms) - 1)
	s.move(terms+last, expm1)
	p := expm1
	for i := last - 1; i >= 0; i-- {
		p, t = s.timesPlus(p, remainder, terms+i, t)
	}
	s.mul(p, p, remainder)
	p, _ = s.timesPlus(p, remainder, remainder, t)
	return p
}

func exp(s isa) {
	s.begin("exp", "writes e^src[i] to each of n values dst[i].", "func(n int, dst, src *float32)")
	n, dst, src := s.arg("n"), s.arg("dst"), s.arg("src")
	const x, one, low, high vec = 12, 13, 14, 15
	reducedConstants(s)
	s.float(1, one)
	// Past these, the result is 0 or infinity anyway, and n fits. NaN passes.
	s.float(-104, low)
	s.float(89, high)
	s.loop(n, []general{dst, src}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(src), x)
		s.clampBelow(x, x, low)
		s.clampAbove(x, x, high)
		p := reduced(s, x, x)
		s.add(p, p, one)
		// 2^n in two factors: n is from -150 to 128, an exponent from -126 to 127.
		s.shiftRight(remainder, integer, 1)
		s.subIntegers(integer, integer, remainder)
		for _, half := range []vec{remainder, integer} {
			s.shiftLeft(half, half, 23)
			s.addIntegers(half, half, one)
			s.mul(p, p, half)
		}
		store(p, at(dst))
	})
	s.end()
}

func elu(s isa) {
	s.begin("elu", "writes src[i] > 0 ? src[i] : alpha*(e^src[i]-1) to each of n values dst[i].", "func(n int, dst, src *float32, alpha float32)")
	n, dst, src := s.arg("n"), s.arg("dst"), s.arg("src")
	const x, y, one, t vec = 12, 13, 14, 15
	reducedConstants(s)
	s.float(1, one)
	low := keep(s, 16, func(r vec) { s.float(-25, r) }) // e^-25 is lost beside 1
	alpha := keep(s, 17, func(r vec) { s.broadcast("alpha", r) })
	zero := keep(s, 18, s.zero)
	s.loop(n, []general{dst, src}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(src), x)
		s.clampBelow(y, x, low(t))
		p := reduced(s, y, t)
		s.shiftLeft(integer, integer, 23)
		s.addIntegers(integer, integer, one) // 2^n
		s.sub(y, integer, one)
		s.addTo(y, p, integer) // 2^n*(e^r - 1) + (2^n - 1)
		s.mul(y, y, alpha(remainder))
		s.greater(0, x, zero(integer))
		s.put(x, y, 0)
		store(y, at(dst))
	})
	s.end()
}

// keep fills register r, past the sixteenth, before a loop, and returns how to have it there: on a set without it
// another one is filled each time.
func keep(s isa, r vec, fill func(r vec)) func(spare vec) vec {
	if int(r) >= s.registers() {
		return func(spare vec) vec {
			fill(spare)
			return spare
		}
	}
	fill(r)
	return func(vec) vec { return r }
}

func eluGrad(s isa) {
	s.begin("eluGrad", "writes y[i] > 0 ? dy[i] : dy[i]*(y[i]+alpha) to each of n values dx[i].", "func(n int, dx, dy, y *float32, alpha float32)")
	n, dx, dy, y := s.arg("n"), s.arg("dx"), s.arg("dy"), s.arg("y")
	const alpha, zero, yv, dyv, d vec = 0, 1, 2, 3, 4
	s.broadcast("alpha", alpha)
	s.zero(zero)
	s.loop(n, []general{dx, dy, y}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(y), yv)
		load(at(dy), dyv)
		s.add(d, yv, alpha)
		s.mul(d, d, dyv)
		s.greater(0, yv, zero)
		s.put(dyv, d, 0)
		store(d, at(dx))
	})
	s.end()
}

// rectifiers emits ReLU, leaky ReLU and their gradients. NaN is neither below zero
// nor at most zero.
func rectifiers(s isa) {
	const alpha, zero, x, y vec = 0, 1, 2, 3
	rectify := func(leaky bool, names []string, body func(load func(mem, vec), p []general)) {
		n := s.arg("n")
		var pointers []general
		for _, name := range names {
			pointers = append(pointers, s.arg(name))
		}
		if leaky {
			s.broadcast("alpha", alpha)
		}
		s.zero(zero)
		s.loop(n, pointers, func(load func(mem, vec), store func(vec, mem)) {
			body(load, pointers)
			store(x, at(pointers[0]))
		})
		s.end()
	}
	forward, backward := []string{"dst", "src"}, []string{"dx", "dy", "y"}
	s.begin("relu", "writes src[i] < 0 ? 0 : src[i] to each of n values dst[i].", "func(n int, dst, src *float32)")
	rectify(false, forward, func(load func(mem, vec), p []general) {
		load(at(p[1]), x)
		s.dropNegative(x, zero)
	})
	s.begin("reluGrad", "writes y[i] <= 0 ? 0 : dy[i] to each of n values dx[i].", "func(n int, dx, dy, y *float32)")
	rectify(false, backward, func(load func(mem, vec), p []general) {
		load(at(p[2]), y)
		s.atMost(0, y, zero)
		load(at(p[1]), x)
		s.clear(x, 0)
	})
	s.begin("leaky", "writes src[i] < 0 ? alpha*src[i] : src[i] to each of n values dst[i].", "func(n int, dst, src *float32, alpha float32)")
	rectify(true, forward, func(load func(mem, vec), p []general) {
		load(at(p[1]), x)
		s.less(0, x, zero)
		s.mul(y, x, alpha)
		s.put(y, x, 0)
	})
	s.begin("leakyGrad", "writes y[i] <= 0 ? alpha*dy[i] : dy[i] to each of n values dx[i].", "func(n int, dx, dy, y *float32, alpha float32)")
	rectify(true, backward, func(load func(mem, vec), p []general) {
		load(at(p[2]), y)
		s.atMost(0, y, zero)
		load(at(p[1]), x)
		s.mul(y, x, alpha)
		s.put(y, x, 0)
	})
}
