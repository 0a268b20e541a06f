package main

import "fmt"

// Winograd's transforms of one tile, for package winograd, four channels at a time:
// those of its amd64 assembly (internal/winograd/_asm), in the order of operations too.

// Registers of the transforms: two for each line of a tile, side by side, which the
// first of two passes leaves; two for results, two for scratch; factors; and what a
// pool keeps.
const (
	lines, to, scratch, constants, bias, floor, pooled vec = 0, 12, 14, 16, 22, 23, 24
)

// values are some that lie in registers or in memory: load brings value i to r, and
// value returns a register that holds it, r if it must be loaded.
type values struct {
	load  func(i int, r vec)
	value func(i int, r vec) vec
}

// held are values in every second register.
func (a *neon) held(first vec) values {
	at := func(i int) vec { return first + vec(2*i) }
	return values{func(i int, r vec) { a.move(at(i), r) }, func(i int, _ vec) vec { return at(i) }}
}

// strided are values in memory, at base and those offsets from it, 0 for the first.
func (a *neon) strided(base general, offsets []general, address general) values {
	load := func(i int, r vec) {
		if i == 0 {
			a.load(mem{base: base}, r)
			return
		}
		a.op("ADD", offsets[i-1], base, address)
		a.load(mem{base: address}, r)
	}
	return values{load, func(i int, r vec) vec { load(i, r); return r }}
}

// multiples returns n registers with a stride and its multiples.
func (a *neon) multiples(stride general, n int) []general {
	list := []general{stride}
	for len(list) < n {
		r := a.register()
		a.op("ADD", stride, list[len(list)-1], r)
		list = append(list, r)
	}
	return list
}

// winogradTransform is one dimension of a transform. Values come in pairs that share
// most of their terms.
type winogradTransform struct {
	size        int
	inputPairs  [][2]int
	outputPairs [][2]int
	input       func(a *neon, pair int, d values, to, t vec)
	output      func(a *neon, pair int, m values, to, t vec)
}

var winogradTransforms = []winogradTransform{
	{2, [][2]int{{1, 2}, {0, 3}}, [][2]int{{0, 1}}, (*neon).input2, (*neon).output2},
	{4, [][2]int{{1, 2}, {3, 4}, {0, 5}}, [][2]int{{0, 2}, {1, 3}}, (*neon).input4, (*neon).output4},
}

func (a *neon) input2(pair int, d values, to, t vec) {
	if pair == 0 { // d2 + d1, d2 - d1
		one, two := d.value(1, t), d.value(2, t+1)
		a.three("fadd.4s", to, two, one)
		a.three("fsub.4s", to+1, two, one)
		return
	}
	for i := range 2 { // d2 - d0, d3 - d1
		a.three("fsub.4s", to+vec(i), d.value(2+i, t), d.value(i, t+1))
	}
}

func (a *neon) output2(_ int, m values, to, t vec) {
	// m0 + (m1 + m2), (m1 - m2) + m3
	one, two := m.value(1, t), m.value(2, t+1)
	sum, difference := to, to+1
	a.three("fadd.4s", sum, one, two)
	a.three("fsub.4s", difference, one, two)
	a.three("fadd.4s", to, sum, m.value(0, t))
	a.three("fadd.4s", to+1, difference, m.value(3, t))
}

// Constants of input4, then of output4 and gradient4.
var (
	inputConstants  = []float64{wp, wq, wp * wp, wq * wq, wp*wp + wq*wq, wp * wp * wq * wq}
	outputConstants = []float64{wp, wq, wp * wp, wq * wq, wp * wp * wp, wq * wq * wq}
)

func (a *neon) input4(pair int, d values, to, t vec) {
	if pair == 2 { // d4 - (p²+q²)*d2 + p²q²*d0, and the same one further
		for i := range 2 {
			to := to + vec(i)
			d.load(4+i, to)
			a.three("fmls.4s", to, d.value(2+i, t), constants+4)
			a.three("fmla.4s", to, d.value(i, t), constants+5)
		}
		return
	}
	// b and c² are of either point
	a.evenOdd("fmls.4s", constants+vec(pair), constants+2+vec(1-pair), [4]int{4, 2, 3, 1}, d, to, t)
}

// gradient4 is the adjoint of output4.
func (a *neon) gradient4(pair int, d values, to, t vec) {
	if pair == 2 { // d0, d3
		d.load(0, to)
		d.load(3, to+1)
		return
	}
	a.evenOdd("fmla.4s", constants+vec(pair), constants+2+vec(pair), [4]int{0, 2, 1, 3}, d, to, t)
}

// evenOdd leaves e + b*o and e - b*o for e = d[at[0]] ± c*d[at[1]], o = d[at[2]] ±
// c*d[at[3]], as add says.
func (a *neon) evenOdd(add string, b, c vec, at [4]int, d values, to, t vec) {
	even, odd := to+1, t
	d.load(at[0], even)
	a.three(add, even, d.value(at[1], t+1), c)
	d.load(at[2], odd)
	a.three(add, odd, d.value(at[3], t+1), c)
	a.move(even, to)
	a.three("fmla.4s", to, odd, b)
	a.three("fmls.4s", even, odd, b)
}

func (a *neon) output4(pair int, m values, to, t vec) {
	// Sums of m1 and m2, m3 and m4, or differences.
	combine := []string{"fadd.4s", "fsub.4s"}[pair]
	for i := range 2 {
		first := m.value(1+2*i, t+vec(i))
		a.three(combine, t+vec(i), first, m.value(2+2*i, to))
	}
	if pair == 0 { // m0 + (s1 + s2), p²*s1 + q²*s2
		zero := m.value(0, to+1)
		a.three("fadd.4s", to, t, t+1)
		a.three("fadd.4s", to, to, zero)
		a.three("fmul.4s", to+1, t, constants+2)
		a.three("fmla.4s", to+1, t+1, constants+3)
		return
	}
	// p*d1 + q*d2, p³*d1 + q³*d2 + m5
	a.three("fmul.4s", to, t, constants)
	a.three("fmla.4s", to, t+1, constants+1)
	m.load(5, to+1)
	a.three("fmla.4s", to+1, t, constants+4)
	a.three("fmla.4s", to+1, t+1, constants+5)
}

// eachChannels emits body for every register of n channels, n >= lanes; the last
// overlaps the one before. Pointers advance after each.
func (a *neon) eachChannels(n general, pointers []general, body func()) {
	a.label("loop")
	body()
	a.op("SUBS", lanes, n)
	a.line("\tBEQ    end")
	a.op("CMP", lanes, n)
	a.line("\tBLT    last")
	for _, p := range pointers {
		a.op("ADD", quad, p)
	}
	a.line("\tB      loop")
	a.label("last")
	for _, p := range pointers {
		a.line("\tADD    %s<<2, %s", n, p)
	}
	a.op("MOVD", lanes, n)
	a.line("\tB      loop")
	a.label("end")
	a.op("RET")
}

func (a *neon) winogradInput(t winogradTransform) {
	side := t.size + 2
	a.toPoints("input", fmt.Sprintf("%dx%d pixels", side, side), t, side, inputConstants, t.input)
}

func (a *neon) winogradGradient(t winogradTransform) {
	a.toPoints("gradient", fmt.Sprintf("the gradient of %dx%d pixels", t.size, t.size), t, t.size, outputConstants[:4], (*neon).gradient4)
}

// toPoints emits the transform of pixels x pixels to all points, line by line.
func (a *neon) toPoints(name, what string, t winogradTransform, pixels int, factors []float64, transform func(a *neon, pair int, d values, to, t vec)) {
	side := t.size + 2
	a.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf("transforms %s of n >= %d channels.", what, lanes),
		"func(n int, v *float32, vs int, x *float32, row int, col int)")
	n, v, x, col := a.param("n"), a.param("v"), a.param("x"), a.stride("col")
	rows, points := a.multiples(a.stride("row"), pixels-1), a.multiples(a.stride("vs"), side)
	from, at, address := a.register(), a.register(), a.register()
	for i, c := range factors {
		if t.size == 4 {
			a.float(c, constants+vec(i))
		}
	}
	a.eachChannels(n, []general{v, x}, func() {
		for p, pair := range t.inputPairs {
			// Down the columns first.
			a.op("MOVD", x, from)
			for j := range pixels {
				if j > 0 {
					a.op("ADD", col, from)
				}
				transform(a, p, a.strided(from, rows, address), lines+vec(2*j), scratch)
			}
			for k, i := range pair {
				a.op("MOVD", v, at)
				for range i {
					a.op("ADD", points[side-1], at)
				}
				for q, columns := range t.inputPairs {
					transform(a, q, a.held(lines+vec(k)), to, scratch)
					for e, j := range columns {
						if j == 0 {
							a.store(to+vec(e), mem{base: at})
							continue
						}
						a.op("ADD", points[j-1], at, address)
						a.store(to+vec(e), mem{base: address})
					}
				}
			}
		}
	})
}

func (a *neon) winogradOutput(t winogradTransform, pool bool) {
	name, doc, side := "output", "", t.size+2
	if pool {
		name, doc = "outputPool", ", the greatest of each 2x2"
	}
	a.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf("makes a tile of %dx%d pixels of n >= %d channels%s.", t.size, t.size, lanes, doc),
		"func(n int, y *float32, row int, col int, m *float32, ms int, bias *float32, floor float32)")
	n, y, m, biases, row, col := a.param("n"), a.param("y"), a.param("m"), a.param("bias"), a.stride("row"), a.stride("col")
	points := a.multiples(a.stride("ms"), side)
	from, at, address := a.register(), a.register(), a.register()
	for i, c := range outputConstants {
		if t.size == 4 {
			a.float(c, constants+vec(i))
		}
	}
	a.broadcast("floor", floor)
	// finish stores pixel (i, j) of what is kept.
	finish := func(r vec, i, j int) {
		a.three("fadd.4s", r, r, bias)
		a.three("fmax.4s", r, r, floor) // NaN stays
		a.op("MOVD", y, at)
		for range i {
			a.op("ADD", row, at)
		}
		for range j {
			a.op("ADD", col, at)
		}
		a.store(r, mem{base: at})
	}
	a.eachChannels(n, []general{y, m, biases}, func() {
		a.load(mem{base: biases}, bias)
		for p, pair := range t.outputPairs {
			// Along the rows first: consecutive points.
			a.op("MOVD", m, from)
			for i := range side {
				if i > 0 {
					a.op("ADD", points[side-1], from)
				}
				t.output(a, p, a.strided(from, points, address), lines+vec(2*i), scratch)
			}
			for k, j := range pair {
				for q, rows := range t.outputPairs {
					t.output(a, q, a.held(lines+vec(k)), to, scratch)
					for e, i := range rows {
						r, kept := to+vec(e), pooled+vec(i/2*2+j/2)
						switch {
						case !pool:
							finish(r, i, j)
						case i%2+j%2 == 0: // the first of its window
							a.move(r, kept)
						default:
							a.three("fmax.4s", kept, kept, r)
						}
					}
				}
			}
		}
		if pool {
			for window := range t.size * t.size / 4 {
				i, j := window/(t.size/2), window%(t.size/2)
				finish(pooled+vec(2*i+j), i, j)
			}
		}
	})
}

func (a *neon) winograd() {
	for _, t := range winogradTransforms {
		a.winogradInput(t)
		a.winogradOutput(t, false)
		a.winogradOutput(t, true)
	}
	a.winogradGradient(winogradTransforms[1])
}
