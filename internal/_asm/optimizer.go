package main

// coefficients broadcasts the parameters of the given names to registers 0 and so on.
func coefficients(s isa, names ...string) {
	for i, name := range names {
		s.broadcast(name, vec(i))
	}
}

// The updates of parameters round after every operation, as the portable ones do, so
// that training is the same on all tiers.

func adamax(s isa) {
	s.begin("adamax", "updates n values: m += (grad-m)*mix, u = max(decay*u, |grad|), w -= rate*m/(rest*(u+epsilon)).",
		"func(n int, w, grad, m, u *float32, mix, decay, rate, rest, epsilon float32)")
	n, w, g, m, u := s.arg("n"), s.arg("w"), s.arg("grad"), s.arg("m"), s.arg("u")
	const mix, decay, rate, rest, epsilon, signs, gv, mv, uv, t vec = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	coefficients(s, "mix", "decay", "rate", "rest", "epsilon")
	s.bits(1<<31, signs)
	s.loop(n, []general{w, g, m, u}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(g), gv)
		load(at(m), mv)
		s.sub(t, gv, mv)
		s.mul(t, t, mix)
		s.add(mv, mv, t)
		store(mv, at(m))
		load(at(u), uv)
		s.mul(uv, uv, decay)
		s.abs(gv, gv, signs)
		s.maxNaN(gv, uv, t)
		store(uv, at(u))
		s.add(uv, uv, epsilon)
		s.mul(uv, uv, rest)
		s.mul(mv, mv, rate)
		s.div(mv, mv, uv)
		load(at(w), t)
		s.sub(t, t, mv)
		store(t, at(w))
	})
	s.end()
}

func adam(s isa) {
	s.begin("adam", "updates n values: m += (grad-m)*mix1, v += (grad*grad-v)*mix2, w -= w*decay*rate, w -= step*m/(sqrt(v)+epsilon).",
		"func(n int, w, grad, m, v *float32, mix1, mix2, decay, rate, step, epsilon float32)")
	n, w, g, m, v := s.arg("n"), s.arg("w"), s.arg("grad"), s.arg("m"), s.arg("v")
	const mix1, mix2, decay, rate, step, epsilon, gv, mv, vv, t vec = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	coefficients(s, "mix1", "mix2", "decay", "rate", "step", "epsilon")
	s.loop(n, []general{w, g, m, v}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(g), gv)
		load(at(m), mv)
		s.sub(t, gv, mv)
		s.mul(t, t, mix1)
		s.add(mv, mv, t)
		store(mv, at(m))
		load(at(v), vv)
		s.mul(t, gv, gv)
		s.sub(t, t, vv)
		s.mul(t, t, mix2)
		s.add(vv, vv, t)
		store(vv, at(v))
		s.sqrt(vv, vv)
		s.add(vv, vv, epsilon)
		s.mul(mv, mv, step)
		s.div(mv, mv, vv)
		load(at(w), gv)
		s.mul(t, gv, decay)
		s.mul(t, t, rate)
		s.sub(gv, gv, t)
		s.sub(gv, gv, mv)
		store(gv, at(w))
	})
	s.end()
}

// squaredError emits the loss and its gradient in float64: each register of float32
// becomes two of float64.
func squaredError(s isa) {
	s.begin("squaredError", "writes scale*(p[i]-t[i]) to each of n values grad[i] and returns the sum of (p[i]-t[i])².",
		"func(n int, grad, p, t *float32, scale float64) float64")
	n, grad, p, t := s.arg("n"), s.arg("grad"), s.arg("p"), s.arg("t")
	const scale, sums, pv, tv, pd, td vec = 0, 1, 3, 4, 5, 7
	s.broadcastDouble("scale", scale)
	s.zero(sums)
	s.zero(sums + 1)
	s.loop(n, []general{grad, p, t}, func(load func(mem, vec), store func(vec, mem)) {
		load(at(p), pv)
		load(at(t), tv)
		s.widen(pv, pd)
		s.widen(tv, td)
		for i := range vec(2) {
			s.subDoubles(pd+i, pd+i, td+i)
			s.addToDoubles(sums+i, pd+i, pd+i)
			s.mulDoubles(pd+i, pd+i, scale)
		}
		s.narrow(pd, pv)
		store(pv, at(grad))
	})
	s.addDoubles(sums, sums, sums+1)
	s.sumDoubles(sums, sums+1)
	s.result(sums)
}
