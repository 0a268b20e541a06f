package f32

import "math"

// The portable tier: the fallback on every processor, and what the others are
// tested against.

var generic = &tier{
	name:             "generic",
	dot:              dotGeneric,
	squaredDistance:  squaredDistanceGeneric,
	axpy:             axpyGeneric,
	axpy4:            axpyRowsGeneric(4),
	axpy8:            axpyRowsGeneric(8),
	panel:            8,
	vecMat:           vecMatGeneric,
	exp:              expGeneric,
	elu:              eluGeneric,
	eluGrad:          eluGradGeneric,
	relu:             reluGeneric,
	reluGrad:         reluGradGeneric,
	leaky:            leakyGeneric,
	leakyGrad:        leakyGradGeneric,
	maxPool:          maxPoolGeneric,
	maxInto:          maxIntoGeneric,
	maxPoolGrad:      maxPoolGradGeneric,
	adamax:           adamaxGeneric,
	adam:             adamGeneric,
	squaredError:     squaredErrorGeneric,
	dot4:             oneByOne(dotGeneric),
	squaredDistance4: oneByOne(squaredDistanceGeneric),
	pickedDots:       fourPicked(oneByOne(dotGeneric)),
	pickedSquares:    fourPicked(oneByOne(squaredDistanceGeneric)),
	squaresInOrder:   squaresInOrderGeneric,
	notAbove:         notAboveGeneric,
	nearLeast:        nearLeastGeneric,
}

// dotGeneric keeps four sums: shorter chains of additions, and smaller rounding
// errors.
func dotGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func squaredDistanceGeneric(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

func axpyGeneric(y []float32, alpha float32, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += alpha * x[i]
	}
}

func axpyRowsGeneric(rows int) func(y, a []float32, as int, b []float32, ldb int) {
	return func(y, a []float32, as int, b []float32, ldb int) {
		for u := range rows {
			axpyGeneric(y, a[u*as], b[u*ldb:][:len(y)])
		}
	}
}

func vecMatGeneric(y, a []float32, k, as int, b []float32, ldb int) {
	for p := range k {
		axpyGeneric(y, a[p*as], b[p*ldb:][:len(y)])
	}
}

func expGeneric(dst, src []float32) {
	for i, x := range src {
		dst[i] = float32(math.Exp(float64(x)))
	}
}

func eluGeneric(dst, src []float32, alpha float32) {
	for i, x := range src {
		if x <= 0 {
			x = alpha * float32(math.Expm1(float64(x)))
		}
		dst[i] = x
	}
}

func eluGradGeneric(dx, dy, y []float32, alpha float32) {
	for i, v := range y {
		d := dy[i]
		if !(v > 0) {
			d *= v + alpha
		}
		dx[i] = d
	}
}

func reluGeneric(dst, src []float32) {
	for i, x := range src {
		if x < 0 {
			x = 0
		}
		dst[i] = x
	}
}

func reluGradGeneric(dx, dy, y []float32) {
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d = 0
		}
		dx[i] = d
	}
}

func leakyGeneric(dst, src []float32, alpha float32) {
	for i, x := range src {
		if x < 0 {
			x *= alpha
		}
		dst[i] = x
	}
}

func leakyGradGeneric(dx, dy, y []float32, alpha float32) {
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d *= alpha
		}
		dx[i] = d
	}
}

// window cuts out the four values of each channel of the window whose output begins
// at the given place.
func window(channels, at int, top, bottom []float32) (a, b, c, d []float32) {
	return top[2*at:][:channels], top[2*at+channels:][:channels], bottom[2*at:][:channels], bottom[2*at+channels:][:channels]
}

// beats tells whether x, which comes after v, is chosen in its place.
func beats(x, v float32) bool { return x > v || x != x }

func maxPoolGeneric(channels int, y []float32, choice []uint8, top, bottom []float32) {
	for at := 0; at < len(y); at += channels {
		a, b, c, d := window(channels, at, top, bottom)
		for i, v := range a {
			place := uint8(0)
			if beats(b[i], v) {
				v, place = b[i], 1
			}
			if beats(c[i], v) {
				v, place = c[i], 2
			}
			if beats(d[i], v) {
				v, place = d[i], 3
			}
			y[at+i] = v
			if choice != nil {
				choice[at+i] = place
			}
		}
	}
}

func maxIntoGeneric(y []float32, choice []uint8, x []float32, place uint8) {
	for i, v := range x {
		if beats(v, y[i]) {
			y[i] = v
			if choice != nil {
				choice[i] = place
			}
		}
	}
}

func maxPoolGradGeneric(channels int, top, bottom, y []float32, choice []uint8) {
	for at := 0; at < len(y); at += channels {
		a, b, c, d := window(channels, at, top, bottom)
		for i, grad := range y[at:][:channels] {
			var v [4]float32
			v[choice[at+i]&3] = grad
			a[i], b[i], c[i], d[i] = v[0], v[1], v[2], v[3]
		}
	}
}

// The conversions forbid the compiler to fuse multiplications and additions.

func adamaxGeneric(w, g, m, u []float32, mix, decay, rate, rest, epsilon float32) {
	g, m, u = g[:len(w)], m[:len(w)], u[:len(w)]
	for i := range w {
		m[i] += float32((g[i] - m[i]) * mix)
		u[i] = max(decay*u[i], math.Float32frombits(math.Float32bits(g[i])&^(1<<31)))
		w[i] -= float32(rate*m[i]) / float32(rest*(u[i]+epsilon))
	}
}

func adamGeneric(w, g, m, v []float32, mix1, mix2, decay, rate, step, epsilon float32) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		m[i] += float32((g[i] - m[i]) * mix1)
		v[i] += float32((float32(g[i]*g[i]) - v[i]) * mix2)
		w[i] -= float32(float32(w[i]*decay) * rate)
		w[i] -= float32(step*m[i]) / (float32(math.Sqrt(float64(v[i]))) + epsilon)
	}
}

func squaredErrorGeneric(grad, p, t []float32, scale float64) float64 {
	var sum float64
	p, t = p[:len(grad)], t[:len(grad)]
	for i := range grad {
		d := float64(p[i]) - float64(t[i])
		sum += d * d
		grad[i] = float32(scale * d)
	}
	return sum
}
