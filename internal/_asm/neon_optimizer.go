package main

// optimizers emits the updates of parameters. They round after every operation, as
// the portable ones do, so that training is the same on all tiers.
func (a *assembler) optimizers() {
	a.adamax()
	a.adam()
}

func (a *assembler) adamax() {
	a.begin("adamax", "updates n values: m += (grad-m)*mix, u = max(decay*u, |grad|), w -= rate*m/(rest*(u+epsilon)).",
		"n int, w *float32, grad *float32, m *float32, u *float32, mix float32, decay float32, rate float32, rest float32, epsilon float32")
	const mix, decay, rate, rest, epsilon, gv, mv, uv, t vec = 16, 17, 18, 19, 20, 0, 1, 2, 3
	n, w, g, m, u := a.param("n"), a.param("w"), a.param("grad"), a.param("m"), a.param("u")
	for i, name := range []string{"mix", "decay", "rate", "rest", "epsilon"} {
		a.broadcast(name, mix+vec(i))
	}
	a.loop(n, []general{w, g, m, u}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: g}, gv)
		load(mem{base: m}, mv)
		load(mem{base: u}, uv)
		a.three("fsub.4s", t, gv, mv)
		a.three("fmul.4s", t, t, mix)
		a.three("fadd.4s", mv, mv, t)
		store(mv, mem{base: m})
		a.three("fmul.4s", uv, uv, decay)
		a.two("fabs.4s", gv, gv)
		a.three("fmax.4s", uv, uv, gv)
		store(uv, mem{base: u})
		a.three("fadd.4s", uv, uv, epsilon)
		a.three("fmul.4s", uv, uv, rest)
		a.three("fmul.4s", mv, mv, rate)
		a.three("fdiv.4s", mv, mv, uv)
		load(mem{base: w}, t)
		a.three("fsub.4s", t, t, mv)
		store(t, mem{base: w})
	})
	a.op("RET")
}

func (a *assembler) adam() {
	a.begin("adam", "updates n values: m += (grad-m)*mix1, v += (grad*grad-v)*mix2, w -= w*decay*rate, w -= step*m/(sqrt(v)+epsilon).",
		"n int, w *float32, grad *float32, m *float32, v *float32, mix1 float32, mix2 float32, decay float32, rate float32, step float32, epsilon float32")
	const mix1, mix2, decay, rate, step, epsilon, gv, mv, vv, t vec = 16, 17, 18, 19, 20, 21, 0, 1, 2, 3
	n, w, g, m, v := a.param("n"), a.param("w"), a.param("grad"), a.param("m"), a.param("v")
	for i, name := range []string{"mix1", "mix2", "decay", "rate", "step", "epsilon"} {
		a.broadcast(name, mix1+vec(i))
	}
	a.loop(n, []general{w, g, m, v}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: g}, gv)
		load(mem{base: m}, mv)
		load(mem{base: v}, vv)
		a.three("fsub.4s", t, gv, mv)
		a.three("fmul.4s", t, t, mix1)
		a.three("fadd.4s", mv, mv, t)
		store(mv, mem{base: m})
		a.three("fmul.4s", t, gv, gv)
		a.three("fsub.4s", t, t, vv)
		a.three("fmul.4s", t, t, mix2)
		a.three("fadd.4s", vv, vv, t)
		store(vv, mem{base: v})
		a.two("fsqrt.4s", vv, vv)
		a.three("fadd.4s", vv, vv, epsilon)
		a.three("fmul.4s", mv, mv, step)
		a.three("fdiv.4s", mv, mv, vv)
		load(mem{base: w}, t)
		a.three("fmul.4s", gv, t, decay)
		a.three("fmul.4s", gv, gv, rate)
		a.three("fsub.4s", t, t, gv)
		a.three("fsub.4s", t, t, mv)
		store(t, mem{base: w})
	})
	a.op("RET")
}

// squaredError emits the loss and its gradient in float64: each register of float32
// becomes two of float64.
func (a *assembler) squaredError() {
	a.begin("squaredError", "writes scale*(p[i]-t[i]) to each of n values grad[i] and returns the sum of (p[i]-t[i])².",
		"n int, grad *float32, p *float32, t *float32, scale float64, ret float64")
	const pv, tv, pd, td, sums, scale vec = 0, 1, 2, 4, 6, 16
	n, grad, p, t := a.param("n"), a.param("grad"), a.param("p"), a.param("t")
	a.op("FMOVD", a.at("scale"), scale)
	a.line("\tVDUP   V%d.D[0], V%d.D2", int(scale), int(scale))
	a.zero(sums)
	a.zero(sums + 1)
	a.loop(n, []general{grad, p, t}, func(load func(mem, vec), store func(vec, mem)) {
		load(mem{base: p}, pv)
		load(mem{base: t}, tv)
		for half, widen := range []string{"fcvtl.2d.2s", "fcvtl2.2d.4s"} {
			half := vec(half)
			a.two(widen, pd+half, pv)
			a.two(widen, td+half, tv)
			a.three("fsub.2d", pd+half, pd+half, td+half)
			a.three("fmla.2d", sums+half, pd+half, pd+half)
			a.three("fmul.2d", pd+half, pd+half, scale)
		}
		a.two("fcvtn.2s.2d", pv, pd)
		a.two("fcvtn2.4s.2d", pv, pd+1)
		store(pv, mem{base: grad})
	})
	a.three("fadd.2d", sums, sums, sums+1)
	a.three("faddp.2d", sums, sums, sums)
	a.op("FMOVD", sums, a.at("ret"))
	a.op("RET")
}
