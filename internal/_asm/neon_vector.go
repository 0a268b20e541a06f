package main

import "math"

func (a *assembler) f32() {
	a.vectorKernels()
	a.rectifiers()
	a.streams()
	a.pools()
	a.optimizers()
	a.squaredError()
	a.codeDots()
	a.tiles()
}

func (a *assembler) vectorKernels() {
	a.reduce("dot", "returns the sum of a[i]*b[i] over n values.", func(x, y, sum vec) {
		a.three("fmla.4s", sum, x, y)
	})
	a.reduce("squaredDistance", "returns the sum of (a[i]-b[i])² over n values.", func(x, y, sum vec) {
		a.three("fsub.4s", x, x, y)
		a.three("fmla.4s", sum, x, x)
	})
	a.axpy()
	a.exp()
	a.elu()
	a.eluGrad()
}

// reduce emits a sum over two vectors, kept in four registers.
func (a *assembler) reduce(name, doc string, add func(x, y, sum vec)) {
	const sums = 4
	a.begin(name, doc, "n int, a *float32, b *float32, ret float32")
	n, x, y := a.param("n"), a.param("a"), a.param("b")
	for i := range vec(sums) {
		a.zero(i)
	}
	a.op("SUBS", sums*lanes, n)
	a.line("\tBLT    few")
	a.label("four")
	for i := vec(0); i < sums; i += 2 {
		at := int(i) * width
		a.line("\tFLDPQ  %s, (%s, %s)", mem{x, at}, 4+i, 5+i)
		a.line("\tFLDPQ  %s, (%s, %s)", mem{y, at}, 8+i, 9+i)
	}
	for i := range vec(sums) {
		add(4+i, 8+i, i)
	}
	a.op("ADD", sums*width, x)
	a.op("ADD", sums*width, y)
	a.op("SUBS", sums*lanes, n)
	a.line("\tBGE    four")
	a.label("few")
	a.op("ADD", sums*lanes, n)
	a.loop(n, []general{x, y}, func(load func(mem, vec), _ func(vec, mem)) {
		load(mem{base: x}, 4)
		load(mem{base: y}, 8)
		add(4, 8, 0)
	})
	a.three("fadd.4s", 0, 0, 1)
	a.three("fadd.4s", 2, 2, 3)
	a.three("fadd.4s", 0, 0, 2)
	a.three("faddp.4s", 0, 0, 0)
	a.three("faddp.4s", 0, 0, 0)
	a.op("FMOVS", vec(0), a.at("ret"))
	a.op("RET")
}

func (a *assembler) axpy() {
	a.begin("axpy", "adds alpha*x[i] to each of n values y[i].", "n int, y *float32, alpha float32, x *float32")
	n, y, x := a.param("n"), a.param("y"), a.param("x")
	a.float("alpha", 0)
	a.loop(n, []general{y, x}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: x}, 1)
		load(mem{base: y}, 2)
		a.fmlaLane(2, 1, 0)
		store(2, mem{base: y})
	})
	a.op("RET")
}

// Registers of reduced: constants, then what it leaves.
const (
	log2e, ln2hi, ln2lo, terms vec = 16, 17, 18, 20
	rn, rr, rp, rt             vec = 0, 1, 2, 3
)

func (a *assembler) reducedConstants() {
	hi := float64(float32(math.Ln2))
	a.constant(math.Log2E, log2e)
	a.constant(hi, ln2hi)
	a.constant(math.Ln2-hi, ln2lo)
	for i, v := range expm1Terms {
		a.constant(v, terms+vec(i))
	}
}

// reduced splits x = n*ln(2) + r and evaluates p = e^r - 1, exact to half a unit in
// the last place where n = 0. n is left as integers; x is kept.
func (a *assembler) reduced(x vec) {
	a.three("fmul.4s", rp, x, log2e)
	a.two("fcvtns.4s", rn, rp)
	a.two("scvtf.4s", rp, rn)
	a.move(x, rr)
	a.three("fmls.4s", rr, rp, ln2hi)
	a.three("fmls.4s", rr, rp, ln2lo)
	last := vec(len(expm1Terms) - 1)
	from := terms + last
	for i := last - 1; i >= 0; i-- {
		to := []vec{rp, rt}[i%2]
		a.move(terms+i, to)
		a.three("fmla.4s", to, from, rr)
		from = to
	}
	a.three("fmul.4s", rt, from, rr)
	a.move(rr, rp)
	a.three("fmla.4s", rp, rt, rr)
}

func (a *assembler) exp() {
	const x, one, low, high vec = 4, 28, 29, 30
	a.begin("exp", "writes e^src[i] to each of n values dst[i].", "n int, dst *float32, src *float32")
	count, dst, src := a.param("n"), a.param("dst"), a.param("src")
	a.reducedConstants()
	a.constant(1, one)
	// Past these, the result is 0 or infinity anyway, and n fits.
	a.constant(-104, low)
	a.constant(89, high)
	a.loop(count, []general{dst, src}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: src}, x)
		a.three("fmax.4s", x, x, low)
		a.three("fmin.4s", x, x, high)
		a.reduced(x)
		a.three("fadd.4s", rp, rp, one)
		// 2^n in two factors: n is from -150 to 128, an exponent from -126 to 127.
		a.shiftRight(x, rn, 1)
		a.three("sub.4s", rn, rn, x)
		for _, half := range []vec{x, rn} {
			a.shiftLeft(half, half, 23)
			a.three("add.4s", half, half, one)
			a.three("fmul.4s", rp, rp, half)
		}
		store(rp, mem{base: dst})
	})
	a.op("RET")
}

func (a *assembler) elu() {
	const x, y, mask, one, low, alpha vec = 4, 5, 6, 28, 29, 30
	a.begin("elu", "writes src[i] > 0 ? src[i] : alpha*(e^src[i]-1) to each of n values dst[i].", "n int, dst *float32, src *float32, alpha float32")
	count, dst, src := a.param("n"), a.param("dst"), a.param("src")
	a.reducedConstants()
	a.constant(1, one)
	a.constant(-25, low) // e^-25 is lost beside 1
	a.broadcast("alpha", alpha)
	a.loop(count, []general{dst, src}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: src}, x)
		a.three("fmax.4s", y, x, low)
		a.reduced(y)
		a.shiftLeft(rn, rn, 23)
		a.three("add.4s", rn, rn, one) // 2^n
		a.three("fsub.4s", y, rn, one)
		a.three("fmla.4s", y, rp, rn) // 2^n*(e^r - 1) + (2^n - 1)
		a.three("fmul.4s", y, y, alpha)
		a.two("fcmgt.4s.0", mask, x)
		a.three("bit.16b", y, x, mask)
		store(y, mem{base: dst})
	})
	a.op("RET")
}

func (a *assembler) eluGrad() {
	const alpha, y, dy, d, mask vec = 0, 1, 2, 3, 4
	a.begin("eluGrad", "writes y[i] > 0 ? dy[i] : dy[i]*(y[i]+alpha) to each of n values dx[i].", "n int, dx *float32, dy *float32, y *float32, alpha float32")
	count, to, from, by := a.param("n"), a.param("dx"), a.param("dy"), a.param("y")
	a.broadcast("alpha", alpha)
	a.loop(count, []general{to, from, by}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: by}, y)
		load(mem{base: from}, dy)
		a.three("fadd.4s", d, y, alpha)
		a.three("fmul.4s", d, d, dy)
		a.two("fcmgt.4s.0", mask, y)
		a.three("bit.16b", d, dy, mask)
		store(d, mem{base: to})
	})
	a.op("RET")
}
