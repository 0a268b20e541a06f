package main

// rectifiers emits ReLU, leaky ReLU and their gradients. NaN is neither below zero
// nor at most zero.
func (a *assembler) rectifiers() {
	const x, y, mask, alpha vec = 0, 1, 2, 3
	zero := func() { a.three("bic.16b", x, x, mask) }
	scale := func() {
		a.three("fmul.4s", y, x, alpha)
		a.three("bit.16b", x, y, mask)
	}
	for _, k := range []struct {
		name, doc, signature string
		leaky, gradient      bool
	}{
		{"relu", "writes src[i] < 0 ? 0 : src[i] to each of n values dst[i].", "n int, dst *float32, src *float32", false, false},
		{"reluGrad", "writes y[i] <= 0 ? 0 : dy[i] to each of n values dx[i].", "n int, dx *float32, dy *float32, y *float32", false, true},
		{"leaky", "writes src[i] < 0 ? alpha*src[i] : src[i] to each of n values dst[i].", "n int, dst *float32, src *float32, alpha float32", true, false},
		{"leakyGrad", "writes y[i] <= 0 ? alpha*dy[i] : dy[i] to each of n values dx[i].", "n int, dx *float32, dy *float32, y *float32, alpha float32", true, true},
	} {
		a.begin(k.name, k.doc, k.signature)
		n, names := a.param("n"), []string{"dst", "src"}
		if k.gradient {
			names = []string{"dx", "dy", "y"}
		}
		var pointers []general
		for _, name := range names {
			pointers = append(pointers, a.param(name))
		}
		if k.leaky {
			a.broadcast("alpha", alpha)
		}
		a.loop(n, pointers, func(load func(mem, vec), store func(vec, mem)) {
			load(mem{base: pointers[1]}, x)
			if k.gradient {
				load(mem{base: pointers[2]}, y)
				a.two("fcmle.4s.0", mask, y)
			} else {
				a.two("fcmlt.4s.0", mask, x)
			}
			if k.leaky {
				scale()
			} else {
				zero()
			}
			store(x, mem{base: pointers[0]})
		})
		a.op("RET")
	}
}
