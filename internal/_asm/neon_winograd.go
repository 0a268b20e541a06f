package main

import "fmt"

// Winograd's transforms of one tile, for package winograd, four channels at a time:
// those of its amd64 assembly, in the order of operations too.

// Registers of the transforms: two for each line of a tile, side by side, which the
// first of two passes leaves; two for results, two for scratch; factors; and what a
// pool keeps.
const (
	lines, to, scratch, constants, bias, floor, pooled vec = 0, 12, 14, 16, 22, 23, 24
)

// neonValues are values on arm64, where all operands are registers.
type neonValues struct {
	*neon
	bring func(i int, r vec)
	at    func(i int, t vec) vec // is value
}

func (d neonValues) load(i int, r vec)            { d.bring(i, r) }
func (d neonValues) value(i int, t vec) vec       { return d.at(i, t) }
func (d neonValues) operand(i int, t vec) operand { return d.at(i, t) }

func (d neonValues) add(to, x vec, y operand)   { d.three("fadd.4s", to, x, y.(vec)) }
func (d neonValues) sub(to, x vec, y operand)   { d.three("fsub.4s", to, x, y.(vec)) }
func (d neonValues) times(to, x vec, c float64) { d.three("fmul.4s", to, x, d.constant(c)) }

func (d neonValues) addTimes(sum vec, c float64, x operand, _ vec) {
	if c < 0 {
		d.three("fmls.4s", sum, x.(vec), d.constant(-c))
	} else {
		d.three("fmla.4s", sum, x.(vec), d.constant(c))
	}
}

// inRegisters are values in every second register.
func (a *neon) inRegisters(first vec) values {
	at := func(i int) vec { return first + vec(2*i) }
	return neonValues{a, func(i int, r vec) { a.move(at(i), r) }, func(i int, _ vec) vec { return at(i) }}
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
	return neonValues{a, load, func(i int, r vec) vec { load(i, r); return r }}
}

// hold fills registers with constants.
func (a *neon) hold(values ...float64) {
	a.held = map[float64]vec{}
	for i, v := range values {
		a.held[v] = constants + vec(i)
		a.float(v, a.held[v])
	}
}

func (a *neon) constant(v float64) vec {
	r, ok := a.held[v]
	if !ok {
		panic(fmt.Sprintf("%g is not held", v))
	}
	return r
}

// asPair is a register and the next one.
func asPair(r vec) [2]vec { return [2]vec{r, r + 1} }

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

func (a *neon) winogradInput(t transform) {
	side := t.size + 2
	a.toPoints("input", fmt.Sprintf("%dx%d pixels", side, side), t, side, t.constants, t.input)
}

func (a *neon) winogradGradient(t transform) {
	a.toPoints("gradient", fmt.Sprintf("the gradient of %dx%d pixels", t.size, t.size), t, t.size, t.outConstants[:4], t.gradient)
}

// toPoints emits the transform of pixels x pixels to all points, line by line.
func (a *neon) toPoints(name, what string, t transform, pixels int, factors []float64, transform combine) {
	side := t.size + 2
	a.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf("transforms %s of n >= %d channels.", what, lanes),
		"func(n int, v *float32, vs int, x *float32, row int, col int)")
	n, v, x, col := a.param("n"), a.param("v"), a.param("x"), a.stride("col")
	rows, points := a.multiples(a.stride("row"), pixels-1), a.multiples(a.stride("vs"), side)
	from, at, address := a.register(), a.register(), a.register()
	a.hold(factors...)
	a.eachChannels(n, []general{v, x}, func() {
		for _, pair := range t.inputPairs {
			// Down the columns first.
			a.op("MOVD", x, from)
			for j := range pixels {
				if j > 0 {
					a.op("ADD", col, from)
				}
				transform(a.strided(from, rows, address), pair, asPair(lines+vec(2*j)), asPair(scratch))
			}
			for k, i := range pair {
				a.op("MOVD", v, at)
				for range i {
					a.op("ADD", points[side-1], at)
				}
				for _, columns := range t.inputPairs {
					transform(a.inRegisters(lines+vec(k)), columns, asPair(to), asPair(scratch))
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

func (a *neon) winogradOutput(t transform, pool bool) {
	name, doc, side := "output", "", t.size+2
	if pool {
		name, doc = "outputPool", ", the greatest of each 2x2"
	}
	a.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf("makes a tile of %dx%d pixels of n >= %d channels%s.", t.size, t.size, lanes, doc),
		"func(n int, y *float32, row int, col int, m *float32, ms int, bias *float32, floor float32)")
	n, y, m, biases, row, col := a.param("n"), a.param("y"), a.param("m"), a.param("bias"), a.stride("row"), a.stride("col")
	points := a.multiples(a.stride("ms"), side)
	from, at, address := a.register(), a.register(), a.register()
	a.hold(t.outConstants...)
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
		for _, pair := range t.outputPairs {
			// Along the rows first: consecutive points.
			a.op("MOVD", m, from)
			for i := range side {
				if i > 0 {
					a.op("ADD", points[side-1], from)
				}
				t.output(a.strided(from, points, address), pair, asPair(lines+vec(2*i)), asPair(scratch))
			}
			for k, j := range pair {
				for _, rows := range t.outputPairs {
					t.output(a.inRegisters(lines+vec(k)), rows, asPair(to), asPair(scratch))
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
	for _, t := range []transform{f2, f4} {
		a.winogradInput(t)
		a.winogradOutput(t, false)
		a.winogradOutput(t, true)
	}
	a.winogradGradient(f4)
}
