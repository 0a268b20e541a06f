package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transform is Winograd's in one dimension, for an output tile of size values. Its
// values are taken in pairs that share most of their terms, so that the first of
// two passes leaves no more than two lines in registers.
type transform struct {
	size         int
	inputPairs   [][2]int // of gradient, too
	outputPairs  [][2]int
	constants    []float64 // of the input
	outConstants []float64 // of gradient, too

	// input leaves both values of a pair in the registers of to.
	input func(s *avx, pair [2]int, from func(i int) Op, to [2]reg.VecPhysical, t [2]reg.VecPhysical)
	// output likewise.
	output func(s *avx, pair [2]int, from func(i int) Op, to [2]reg.VecPhysical, t [2]reg.VecPhysical)

	// gradient likewise: the adjoint of output, from size values to size+2. May be nil.
	gradient func(s *avx, pair [2]int, from func(i int) Op, to [2]reg.VecPhysical, t [2]reg.VecPhysical)
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
	input: func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
		switch pair {
		case [2]int{1, 2}: // d2 + d1, d2 - d1
			s.loadOp(from(2), t[0])
			s.VADDPS(from(1), t[0], to[0])
			s.VSUBPS(from(1), t[0], to[1])
		case [2]int{0, 3}: // d2 - d0, d3 - d1
			s.loadOp(from(2), t[0])
			s.loadOp(from(3), t[1])
			s.VSUBPS(from(0), t[0], to[0])
			s.VSUBPS(from(1), t[1], to[1])
		}
	},
	output: func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
		// m0 + m1 + m2, m1 - m2 + m3
		s.loadOp(from(1), t[0])
		s.VADDPS(from(2), t[0], t[1])
		s.VSUBPS(from(2), t[0], t[0])
		s.VADDPS(from(0), t[1], to[0])
		s.VADDPS(from(3), t[0], to[1])
	},
}

var f4 = transform{
	size:         4,
	inputPairs:   [][2]int{{1, 2}, {3, 4}, {0, 5}},
	outputPairs:  [][2]int{{0, 2}, {1, 3}},
	constants:    []float64{wp, wq, pp, qq, pp + qq, pp * qq},
	outConstants: []float64{wp, wq, pp, qq, wp * pp, wq * qq},
	input: func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
		switch pair {
		case [2]int{1, 2}:
			s.evenOdd(-qq, wp, [4]int{4, 2, 3, 1}, from, to, t)
		case [2]int{3, 4}:
			s.evenOdd(-pp, wq, [4]int{4, 2, 3, 1}, from, to, t)
		case [2]int{0, 5}:
			// d4 - (p²+q²)*d2 + p²q²*d0, and the same one further
			for i := range 2 {
				s.loadOp(from(4+i), to[i])
				s.addTimes(-(pp + qq), from(2+i), to[i], t[0])
				s.addTimes(pp*qq, from(i), to[i], t[0])
			}
		}
	},
	output: func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
		switch pair {
		case [2]int{0, 2}:
			// m0 + s1 + s2, p²*s1 + q²*s2 for sums s1 = m1 + m2, s2 = m3 + m4
			s.loadOp(from(1), t[0])
			s.VADDPS(from(2), t[0], t[0])
			s.loadOp(from(3), t[1])
			s.VADDPS(from(4), t[1], t[1])
			s.VADDPS(t[0], t[1], to[0])
			s.VADDPS(from(0), to[0], to[0])
			s.VMULPS(s.constant(pp), t[0], to[1])
			s.addTimes(qq, t[1], to[1], t[0])
		case [2]int{1, 3}:
			// p*d1 + q*d2, p³*d1 + q³*d2 + m5 for differences
			s.loadOp(from(1), t[0])
			s.VSUBPS(from(2), t[0], t[0])
			s.loadOp(from(3), t[1])
			s.VSUBPS(from(4), t[1], t[1])
			s.VMULPS(s.constant(wp), t[0], to[0])
			s.addTimes(wq, t[1], to[0], to[0])
			s.loadOp(from(5), to[1])
			s.addTimes(wp*pp, t[0], to[1], to[1])
			s.addTimes(wq*qq, t[1], to[1], to[1])
		}
	},
	gradient: func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
		switch pair {
		case [2]int{1, 2}:
			s.evenOdd(pp, wp, [4]int{0, 2, 1, 3}, from, to, t)
		case [2]int{3, 4}:
			s.evenOdd(qq, wq, [4]int{0, 2, 1, 3}, from, to, t)
		case [2]int{0, 5}: // d0, d3
			s.loadOp(from(0), to[0])
			s.loadOp(from(3), to[1])
		}
	},
}

// evenOdd leaves e + b*o and e - b*o for e = d[at[0]] + c*d[at[1]], o = d[at[2]] +
// c*d[at[3]].
func (s *avx) evenOdd(c, b float64, at [4]int, from func(i int) Op, to, t [2]reg.VecPhysical) {
	even, odd := to[1], t[0]
	s.loadOp(from(at[0]), even)
	s.addTimes(c, from(at[1]), even, t[1])
	s.loadOp(from(at[2]), odd)
	s.addTimes(c, from(at[3]), odd, t[1])
	s.VMOVAPS(even, to[0])
	s.addTimes(b, odd, to[0], t[1])
	s.addTimes(-b, odd, even, t[1])
}

func (s *avx) loadOp(from Op, to reg.VecPhysical) {
	if from != Op(to) {
		s.VMOVUPS(from, to)
	}
}

// channels emits body for every whole register of n channels, n >= lanes, then
// for the last, which overlaps the one before. Pointers advance after each.
func (s *avx) channels(n reg.GPVirtual, pointers []reg.GPVirtual, body func()) {
	s.Label("loop")
	body()
	s.SUBQ(U8(s.lanes), n)
	s.JZ(LabelRef("end"))
	s.CMPQ(n, U8(s.lanes))
	s.JL(LabelRef("last"))
	for _, p := range pointers {
		s.ADDQ(U8(4*s.lanes), p)
	}
	s.JMP(LabelRef("loop"))
	s.Label("last")
	s.SHLQ(U8(2), n)
	for _, p := range pointers {
		s.ADDQ(n, p)
	}
	s.MOVQ(U32(s.lanes), n)
	s.JMP(LabelRef("loop"))
	s.Label("end")
	s.VZEROUPPER()
	s.RET()
}

// input emits the transform of a tile of the picture.
func (s *avx) input(t transform) {
	side := t.size + 2
	s.toPoints("input", fmt.Sprintf("%dx%d pixels", side, side), t, side, t.constants, t.input)
}

// gradient emits that of the gradient of a tile of the output.
func (s *avx) gradient(t transform) {
	s.toPoints("gradient", fmt.Sprintf("the gradient of %dx%d pixels", t.size, t.size), t, t.size, t.outConstants[:4], t.gradient)
}

// toPoints emits the transform of from x from pixels to all points, line by line:
// v[(i*side+j)*vs+c] is value (i, j) of channel c.
func (s *avx) toPoints(name, what string, t transform, from int, constants []float64,
	transform func(s *avx, pair [2]int, from func(i int) Op, to, t [2]reg.VecPhysical)) {
	side := t.size + 2
	s.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf(" transforms %s of n >= %d channels.", what, s.lanes),
		"func(n int, v *float32, vs int, x *float32, row, col int)")
	n, v, x, col := s.param("n"), s.param("v"), s.param("x"), s.stride("col")
	one, row := s.stride("vs"), s.stride("row")
	in := line{s.GP64(), row, s.times(3, row), s.times(5, row)}
	out := line{s.GP64(), one, s.times(3, one), s.times(5, one)}
	s.hold(constants...)
	lines, spare := s.regs[:2*side], s.regs[2*side:]
	scratch := [2]reg.VecPhysical{spare[0], spare[1]}
	s.channels(n, []reg.GPVirtual{v, x}, func() {
		for _, pair := range t.inputPairs {
			s.MOVQ(x, in.base)
			for j := range from {
				if j > 0 {
					s.ADDQ(col, in.base)
				}
				transform(s, pair, func(i int) Op { return in.at(i) }, [2]reg.VecPhysical{lines[j], lines[side+j]}, scratch)
			}
			for k, i := range pair {
				// Where the row of matrices begins: i*side = 6i or 4i.
				s.MOVQ(v, out.base)
				s.advance(out, i*side)
				d := lines[k*side:][:side]
				for _, columns := range t.inputPairs {
					to := [2]reg.VecPhysical{spare[2], spare[3]}
					if columns[0] == 0 { // the last ones: their first terms are not needed any more
						to = [2]reg.VecPhysical{d[side-2], d[side-1]}
					}
					transform(s, columns, func(i int) Op { return d[i] }, to, scratch)
					s.VMOVUPS(to[0], out.at(columns[0]))
					s.VMOVUPS(to[1], out.at(columns[1]))
				}
			}
		}
	})
}

// advance moves l's base by n of its strides, a multiple of 4 or 6.
func (s *avx) advance(l line, n int) {
	for ; n >= 12; n -= 12 {
		s.LEAQ(Mem{Base: l.base, Index: l.three, Scale: 4}, l.base)
	}
	switch n {
	case 4, 8:
		s.LEAQ(Mem{Base: l.base, Index: l.one, Scale: uint8(n)}, l.base)
	case 6:
		s.LEAQ(Mem{Base: l.base, Index: l.three, Scale: 2}, l.base)
	}
}

// output emits the way back: of a tile's products, m[(i*side+j)*ms+c], it makes
// size x size pixels, or with pool the greatest of each 2x2 of them, adds the bias,
// and raises what is less to floor.
func (s *avx) output(t transform, pool bool) {
	name, doc, side := "output", "", t.size+2
	if pool {
		name, doc = "outputPool", ", the greatest of each 2x2"
	}
	s.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf(" makes a tile of %dx%d pixels of n >= %d channels%s.", t.size, t.size, s.lanes, doc),
		"func(n int, y *float32, row, col int, m *float32, ms int, bias *float32, floor float32)")
	n, y, m, bias := s.param("n"), s.param("y"), s.param("m"), s.param("bias")
	floor, err := s.Param("floor").Resolve()
	if err != nil {
		panic(err)
	}
	one, row, col := s.stride("ms"), s.stride("row"), s.stride("col")
	in := line{s.GP64(), one, s.times(3, one), s.times(5, one)}
	out := line{base: s.GP64(), one: row}
	if !pool && t.size == 4 {
		out.three = s.times(3, row)
	}
	s.hold(t.outConstants...)
	lines, spare := s.regs[:2*side], s.regs[2*side:]
	scratch := [2]reg.VecPhysical{spare[0], spare[1]}
	s.channels(n, []reg.GPVirtual{y, m, bias}, func() {
		for turn, pair := range t.outputPairs {
			// Along the rows first: consecutive matrices.
			s.MOVQ(m, in.base)
			for i := range side {
				if i > 0 {
					s.advance(in, side)
				}
				t.output(s, pair, func(j int) Op { return in.at(j) }, [2]reg.VecPhysical{lines[i], lines[side+i]}, scratch)
			}
			finish := func(r reg.VecPhysical) {
				s.VADDPS(Mem{Base: bias}, r, r)
				s.VBROADCASTSS(floor.Addr, scratch[0])
				s.VMAXPS(r, scratch[0], r)
			}
			var pooled [2][]reg.VecPhysical
			for k, j := range pair {
				s.MOVQ(y, out.base)
				if !pool {
					for range j {
						s.ADDQ(col, out.base)
					}
				}
				d := lines[k*side:][:side]
				var values [4]reg.VecPhysical
				for u, rows := range t.outputPairs {
					to := [2]reg.VecPhysical{spare[2], spare[3]}
					if u == len(t.outputPairs)-1 {
						to = [2]reg.VecPhysical{d[0], d[side-1]}
						if t.size == 2 {
							to = [2]reg.VecPhysical{d[1], d[2]}
						}
					}
					t.output(s, rows, func(i int) Op { return d[i] }, to, scratch)
					for e, i := range rows {
						values[i] = to[e]
						if !pool {
							finish(to[e])
							s.VMOVUPS(to[e], out.at(i))
						}
					}
				}
				if !pool {
					continue
				}
				for i := 0; i < t.size; i += 2 {
					s.maxNaN(values[i], values[i+1], scratch[0])
					pooled[k] = append(pooled[k], values[i+1])
				}
			}
			if !pool {
				continue
			}
			if t.size == 2 {
				s.maxNaN(pooled[0][0], pooled[1][0], scratch[0])
				finish(pooled[1][0])
				s.VMOVUPS(pooled[1][0], Mem{Base: y})
				continue
			}
			// Columns 0 and 2 are the first of their windows, 1 and 3 the second.
			for k := range pair {
				s.MOVQ(y, out.base)
				if k > 0 {
					s.ADDQ(col, out.base)
				}
				for i, r := range pooled[k] {
					finish(r)
					if turn > 0 {
						s.VMOVUPS(out.at(i), scratch[1])
						s.maxNaN(scratch[1], r, scratch[0])
					}
					s.VMOVUPS(r, out.at(i))
				}
			}
		}
	})
}

// stride loads a stride, in bytes.
func (s *avx) stride(name string) reg.GPVirtual {
	r := s.param(name)
	s.SHLQ(U8(2), r)
	return r
}

// times returns n*r for an odd n that an address can hold.
func (s *avx) times(n int, r reg.GPVirtual) reg.GPVirtual {
	t := s.GP64()
	s.LEAQ(Mem{Base: r, Index: r, Scale: uint8(n - 1)}, t)
	return t
}

// line addresses up to six values that lie a stride apart.
type line struct{ base, one, three, five reg.GPVirtual }

func (l line) at(i int) Mem {
	switch i {
	case 1, 2, 4:
		return Mem{Base: l.base, Index: l.one, Scale: uint8(i)}
	case 3:
		return Mem{Base: l.base, Index: l.three, Scale: 1}
	case 5:
		return Mem{Base: l.base, Index: l.five, Scale: 1}
	}
	return Mem{Base: l.base}
}

// hold keeps constants in the last registers where there are enough.
func (s *avx) hold(values ...float64) {
	s.held = map[float64]reg.VecPhysical{}
	if s != avx512 {
		return
	}
	for i, v := range values {
		r := s.regs[len(s.regs)-1-i]
		s.VMOVUPS(s.vector(v), r)
		s.held[v] = r
	}
}

// constant returns a register full of v, or memory that is.
func (s *avx) constant(v float64) Op {
	if r, ok := s.held[v]; ok {
		return r
	}
	return s.vector(v)
}

func (s *avx) vector(v float64) Mem {
	bits := math.Float32bits(float32(v))
	if float64(float32(v)) != v {
		panic(fmt.Sprintf("%g is no float32", v))
	}
	m, ok := s.file.vectors[bits]
	if !ok {
		m = s.GLOBL(fmt.Sprintf("vector%08x", bits), attr.RODATA|attr.NOPTR)
		for i := range 16 {
			s.DATA(4*i, U32(bits))
		}
		s.file.vectors[bits] = m
	}
	return m
}

// addTimes adds c times x, a register or memory, to sum.
func (s *avx) addTimes(c float64, x Op, sum, scratch reg.VecPhysical) {
	if c < 0 {
		s.fused(s.VFNMADD231PS, -c, x, sum, scratch)
	} else {
		s.fused(s.VFMADD231PS, c, x, sum, scratch)
	}
}

func (s *avx) fused(f func(...Op), c float64, x Op, sum, scratch reg.VecPhysical) {
	k := s.constant(c)
	if _, ok := k.(Mem); !ok {
		f(x, k, sum)
		return
	}
	if m, ok := x.(Mem); ok {
		s.VMOVUPS(m, scratch)
		x = scratch
	}
	f(k, x, sum)
}

// maxNaN writes the greater of x and y to y; it is NaN if one of them is, which
// MAXPS takes for its second argument.
func (s *avx) maxNaN(x, y, scratch reg.VecPhysical) {
	s.VMAXPS(x, y, scratch)
	s.VMAXPS(y, x, y)
	if s == avx512 {
		s.VPORD(scratch, y, y)
	} else {
		s.VORPS(scratch, y, y)
	}
}
