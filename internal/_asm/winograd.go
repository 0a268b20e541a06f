package main

// values are those of a line that a transform of Winograd's combines; they lie in
// registers or in memory.
type values interface {
	load(i int, r vec)            // brings value i to r
	value(i int, t vec) vec       // a register that holds it: t where it must be brought there
	operand(i int, t vec) operand // the same for an instruction's last operand, which on amd64 may be in memory

	move(from, to vec)
	add(d, x vec, y operand)
	sub(d, x vec, y operand)
	times(d, x vec, c float64)
	addTimes(sum vec, c float64, x operand, t vec) // sum += c*x, rounded once; t is overwritten where x is in memory
}

// operand is a vec, or what else an instruction set takes for one.
type operand any

// combine leaves both values of a pair in the registers of to.
type combine func(d values, pair [2]int, to, t [2]vec)

// transform is Winograd's in one dimension, for an output tile of size values. Its
// values are taken in pairs that share most of their terms, so that the first of
// two passes leaves no more than two lines in registers.
type transform struct {
	size         int
	inputPairs   [][2]int // of gradient, too
	outputPairs  [][2]int
	constants    []float64 // of the input
	outConstants []float64 // of gradient, too

	input, output combine
	gradient      combine // the adjoint of output, from size values to size+2; may be nil
}

// The points of F(4, 3): 0, ±wp, ±wq and infinity. Those chosen halve the rounding
// errors that the customary 1 and 2 have; their squares are exact.
const (
	wp, wq = 0.625, 1.5
	pp, qq = wp * wp, wq * wq
)

var f2 = transform{
	size:        2,
	inputPairs:  [][2]int{{1, 2}, {0, 3}},
	outputPairs: [][2]int{{0, 1}},
	input: func(d values, pair [2]int, to, t [2]vec) {
		switch pair {
		case [2]int{1, 2}: // d2 + d1, d2 - d1
			two, one := d.value(2, t[0]), d.operand(1, t[1])
			d.add(to[0], two, one)
			d.sub(to[1], two, one)
		case [2]int{0, 3}: // d2 - d0, d3 - d1
			two, three := d.value(2, t[0]), d.value(3, t[1])
			d.sub(to[0], two, d.operand(0, to[0]))
			d.sub(to[1], three, d.operand(1, to[1]))
		}
	},
	output: func(m values, pair [2]int, to, t [2]vec) {
		// m0 + (m1 + m2), (m1 - m2) + m3
		one, two := m.value(1, t[0]), m.operand(2, to[0])
		m.add(t[1], one, two)
		m.sub(t[0], one, two)
		m.add(to[0], t[1], m.operand(0, to[0]))
		m.add(to[1], t[0], m.operand(3, to[1]))
	},
}

var f4 = transform{
	size:         4,
	inputPairs:   [][2]int{{1, 2}, {3, 4}, {0, 5}},
	outputPairs:  [][2]int{{0, 2}, {1, 3}},
	constants:    []float64{wp, wq, pp, qq, pp + qq, pp * qq},
	outConstants: []float64{wp, wq, pp, qq, wp * pp, wq * qq},
	input: func(d values, pair [2]int, to, t [2]vec) {
		switch pair {
		case [2]int{1, 2}:
			evenOdd(d, -qq, wp, [4]int{4, 2, 3, 1}, to, t)
		case [2]int{3, 4}:
			evenOdd(d, -pp, wq, [4]int{4, 2, 3, 1}, to, t)
		case [2]int{0, 5}:
			// d4 - (p²+q²)*d2 + p²q²*d0, and the same one further
			for i, r := range to {
				d.load(4+i, r)
				d.addTimes(r, -(pp + qq), d.operand(2+i, t[0]), t[0])
				d.addTimes(r, pp*qq, d.operand(i, t[0]), t[0])
			}
		}
	},
	output: func(m values, pair [2]int, to, t [2]vec) {
		// Sums of m1 and m2, m3 and m4, or differences.
		put := m.add
		if pair[0] == 1 {
			put = m.sub
		}
		for i, r := range t {
			first := m.value(1+2*i, r)
			put(r, first, m.operand(2+2*i, to[0]))
		}
		switch pair {
		case [2]int{0, 2}: // m0 + (s1 + s2), p²*s1 + q²*s2
			m.add(to[0], t[1], t[0])
			m.add(to[0], to[0], m.operand(0, to[1]))
			m.times(to[1], t[0], pp)
			m.addTimes(to[1], qq, t[1], t[0])
		case [2]int{1, 3}: // p*d1 + q*d2, p³*d1 + q³*d2 + m5
			m.times(to[0], t[0], wp)
			m.addTimes(to[0], wq, t[1], to[0])
			m.load(5, to[1])
			m.addTimes(to[1], wp*pp, t[0], to[1])
			m.addTimes(to[1], wq*qq, t[1], to[1])
		}
	},
	gradient: func(d values, pair [2]int, to, t [2]vec) {
		switch pair {
		case [2]int{1, 2}:
			evenOdd(d, pp, wp, [4]int{0, 2, 1, 3}, to, t)
		case [2]int{3, 4}:
			evenOdd(d, qq, wq, [4]int{0, 2, 1, 3}, to, t)
		case [2]int{0, 5}: // d0, d3
			d.load(0, to[0])
			d.load(3, to[1])
		}
	},
}

// evenOdd leaves e + b*o and e - b*o for e = d[at[0]] + c*d[at[1]], o = d[at[2]] +
// c*d[at[3]].
func evenOdd(d values, c, b float64, at [4]int, to, t [2]vec) {
	even, odd := to[1], t[0]
	d.load(at[0], even)
	d.addTimes(even, c, d.operand(at[1], t[1]), t[1])
	d.load(at[2], odd)
	d.addTimes(odd, c, d.operand(at[3], t[1]), t[1])
	d.move(even, to[0])
	d.addTimes(to[0], b, odd, t[1])
	d.addTimes(even, -b, odd, t[1])
}
