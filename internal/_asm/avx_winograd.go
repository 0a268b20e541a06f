package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// avxValues are values on amd64: from is where value i lies.
type avxValues struct {
	*avx
	from func(i int) Op
}

func (d avxValues) load(i int, r vec) {
	if from := d.from(i); from != Op(d.regs[r]) {
		d.VMOVUPS(from, d.regs[r])
	}
}

func (d avxValues) value(i int, t vec) vec       { d.load(i, t); return t }
func (d avxValues) operand(i int, _ vec) operand { return d.from(i) }

// op is a register that a transform names, or what operand returned.
func (d avxValues) op(x operand) Op {
	if r, ok := x.(vec); ok {
		return d.regs[r]
	}
	return x.(Op)
}

func (d avxValues) move(from, to vec)          { d.VMOVAPS(d.regs[from], d.regs[to]) }
func (d avxValues) add(to, x vec, y operand)   { d.VADDPS(d.op(y), d.regs[x], d.regs[to]) }
func (d avxValues) sub(to, x vec, y operand)   { d.VSUBPS(d.op(y), d.regs[x], d.regs[to]) }
func (d avxValues) times(to, x vec, c float64) { d.VMULPS(d.constant(c), d.regs[x], d.regs[to]) }

func (d avxValues) addTimes(sum vec, c float64, x operand, t vec) {
	add := d.VFMADD231PS
	if c < 0 {
		add, c = d.VFNMADD231PS, -c
	}
	k, y := d.constant(c), d.op(x)
	if _, ok := k.(Mem); !ok {
		add(y, k, d.regs[sum])
		return
	}
	if m, ok := y.(Mem); ok {
		d.VMOVUPS(m, d.regs[t])
		y = d.regs[t]
	}
	add(k, y, d.regs[sum])
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
func (s *avx) toPoints(name, what string, t transform, from int, constants []float64, transform combine) {
	side := t.size + 2
	s.begin(fmt.Sprintf("%s%d", name, t.size), fmt.Sprintf(" transforms %s of n >= %d channels.", what, s.lanes),
		"func(n int, v *float32, vs int, x *float32, row, col int)")
	n, v, x, col := s.param("n"), s.param("v"), s.param("x"), s.stride("col")
	one, row := s.stride("vs"), s.stride("row")
	in := line{s.GP64(), row, s.times(3, row), s.times(5, row)}
	out := line{s.GP64(), one, s.times(3, one), s.times(5, one)}
	s.hold(constants...)
	spare := vec(2 * side)
	scratch := [2]vec{spare, spare + 1}
	s.channels(n, []reg.GPVirtual{v, x}, func() {
		for _, pair := range t.inputPairs {
			s.MOVQ(x, in.base)
			for j := range from {
				if j > 0 {
					s.ADDQ(col, in.base)
				}
				transform(avxValues{s, func(i int) Op { return in.at(i) }}, pair, [2]vec{vec(j), vec(side + j)}, scratch)
			}
			for k, i := range pair {
				// Where the row of matrices begins: i*side = 6i or 4i.
				s.MOVQ(v, out.base)
				s.advance(out, i*side)
				line := s.line(k, side)
				for _, columns := range t.inputPairs {
					to := [2]vec{spare + 2, spare + 3}
					if columns[0] == 0 { // the last ones: their first terms are not needed any more
						last := vec((k+1)*side - 1)
						to = [2]vec{last - 1, last}
					}
					transform(line, columns, to, scratch)
					s.VMOVUPS(s.regs[to[0]], out.at(columns[0]))
					s.VMOVUPS(s.regs[to[1]], out.at(columns[1]))
				}
			}
		}
	})
}

// line are the values of line k, in consecutive registers.
func (s *avx) line(k, side int) values {
	return avxValues{s, func(i int) Op { return s.regs[k*side+i] }}
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
	spare := vec(2 * side)
	scratch := [2]vec{spare, spare + 1}
	free, kept := s.regs[scratch[0]], s.regs[scratch[1]]
	s.channels(n, []reg.GPVirtual{y, m, bias}, func() {
		for turn, pair := range t.outputPairs {
			// Along the rows first: consecutive matrices.
			s.MOVQ(m, in.base)
			for i := range side {
				if i > 0 {
					s.advance(in, side)
				}
				t.output(avxValues{s, func(j int) Op { return in.at(j) }}, pair, [2]vec{vec(i), vec(side + i)}, scratch)
			}
			finish := func(r reg.VecPhysical) {
				s.VADDPS(Mem{Base: bias}, r, r)
				s.VBROADCASTSS(floor.Addr, free)
				s.VMAXPS(r, free, r)
			}
			var pooled [2][]reg.VecPhysical
			for k, j := range pair {
				s.MOVQ(y, out.base)
				if !pool {
					for range j {
						s.ADDQ(col, out.base)
					}
				}
				line, first := s.line(k, side), vec(k*side)
				var values [4]reg.VecPhysical
				for u, rows := range t.outputPairs {
					to := [2]vec{spare + 2, spare + 3}
					if u == len(t.outputPairs)-1 {
						to = [2]vec{first, first + vec(side-1)}
						if t.size == 2 {
							to = [2]vec{first + 1, first + 2}
						}
					}
					t.output(line, rows, to, scratch)
					for e, i := range rows {
						values[i] = s.regs[to[e]]
						if !pool {
							finish(values[i])
							s.VMOVUPS(values[i], out.at(i))
						}
					}
				}
				if !pool {
					continue
				}
				for i := 0; i < t.size; i += 2 {
					s.maxNaN(values[i], values[i+1], free)
					pooled[k] = append(pooled[k], values[i+1])
				}
			}
			if !pool {
				continue
			}
			if t.size == 2 {
				s.maxNaN(pooled[0][0], pooled[1][0], free)
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
						s.VMOVUPS(out.at(i), kept)
						s.maxNaN(kept, r, free)
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
