package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools emits max-pooling of 2x2 values, its gradient, and the step that pooling of
// other windows is made of.
func (s *isa) pools() {
	s.maxPool(false)
	s.maxPool(true)
	s.maxPoolGrad()
	s.maxInto(false)
	s.maxInto(true)
}

// overlapped emits body for whole registers of n >= lanes values, i being the
// first's place. Where they do not end with one, the last register goes back and
// repeats what the one before did: there is nothing to cut.
func (s *isa) overlapped(n, i reg.GPVirtual, body func()) {
	last := s.GP64()
	s.LEAQ(Mem{Base: n, Disp: -s.lanes}, last)
	s.XORQ(i, i)
	s.Label("vector")
	body()
	s.ADDQ(U8(s.lanes), i)
	s.CMPQ(i, last)
	s.JLE(LabelRef("vector"))
	s.CMPQ(i, n)
	s.JE(LabelRef("done"))
	s.MOVQ(last, i)
	s.JMP(LabelRef("vector"))
	s.Label("done")
}

// storeBytes stores the lowest byte of each 32-bit integer, all below 256; it
// overwrites r.
func (s *isa) storeBytes(r, scratch reg.VecPhysical, m Mem) {
	if s == avx512 {
		s.VPMOVDB(r, m)
		return
	}
	s.VEXTRACTI128(U8(1), r, scratch.AsX())
	s.VPACKUSDW(scratch.AsX(), r.AsX(), r.AsX())
	s.VPACKUSWB(r.AsX(), r.AsX(), r.AsX())
	s.VMOVQ(r.AsX(), m)
}

// windows are the pointers of a loop over a row of 2x2 windows and, inside, over
// their channels. Values of a window are numbered by row: 0 and 1, 2 and 3.
type windows struct {
	pixels, channels, i reg.GPVirtual
	y, choice           reg.GPVirtual    // one value a window
	x                   [4]reg.GPVirtual // each of the window's values
}

func (s *isa) newWindows(choice bool) *windows {
	w := &windows{pixels: s.param("pixels"), channels: s.param("channels"), i: s.GP64(), y: s.param("y")}
	if choice {
		w.choice = s.param("choice")
	}
	for row, name := range []string{"top", "bottom"} {
		w.x[2*row], w.x[2*row+1] = s.param(name), s.GP64()
		s.LEAQ(Mem{Base: w.x[2*row], Index: w.channels, Scale: lane}, w.x[2*row+1])
	}
	return w
}

func (w *windows) value(p reg.GPVirtual) Mem { return Mem{Base: p, Index: w.i, Scale: lane} }
func (w *windows) chosen() Mem               { return Mem{Base: w.choice, Index: w.i, Scale: 1} }

func (w *windows) loop(s *isa, body func()) {
	s.Label("pixel")
	s.overlapped(w.channels, w.i, body)
	s.LEAQ(Mem{Base: w.y, Index: w.channels, Scale: lane}, w.y)
	if w.choice != (reg.GPVirtual)(nil) {
		s.ADDQ(w.channels, w.choice)
	}
	for _, p := range w.x {
		s.LEAQ(Mem{Base: p, Index: w.channels, Scale: 2 * lane}, p)
	}
	s.DECQ(w.pixels)
	s.JNZ(LabelRef("pixel"))
	s.VZEROUPPER()
	s.RET()
}

func (s *isa) maxPool(choice bool) {
	if choice {
		s.begin("maxPoolChoice", " is maxPool that writes the place of each value in its window, too.",
			"func(pixels, channels int, y *float32, choice *uint8, top, bottom *float32)")
	} else {
		s.begin("maxPool", " writes the greatest values of a row of 2x2 windows, each of at least one register of channels; of equals the first, of NaNs the last.",
			"func(pixels, channels int, y, top, bottom *float32)")
	}
	w := s.newWindows(choice)
	x, place, scratch := s.regs[:4], s.regs[4:8], s.regs[8]
	top, bottom := s.regs[9], s.regs[10]
	masks := [3]reg.Register{s.mask(0), s.mask(1), s.mask(2)}
	if choice {
		for i := range place {
			s.bits(uint32(i), place[i])
		}
	}
	w.loop(s, func() {
		for i, p := range w.x {
			s.load(w.value(p), x[i])
		}
		for i, pair := range [][2]reg.VecPhysical{{x[0], x[1]}, {x[2], x[3]}, {x[1], x[3]}} {
			s.notGreater(pair[1], pair[0], masks[i], scratch)
			s.merge(pair[0], masks[i], pair[1])
		}
		s.store(x[3], w.value(w.y))
		if !choice {
			return
		}
		s.VMOVAPS(place[1], top)
		s.merge(place[0], masks[0], top)
		s.VMOVAPS(place[3], bottom)
		s.merge(place[2], masks[1], bottom)
		s.merge(top, masks[2], bottom)
		s.storeBytes(bottom, top, w.chosen())
	})
}

func (s *isa) maxPoolGrad() {
	s.begin("maxPoolGrad", " writes y[i] to the value that choice[i] names in a row of 2x2 windows and zeros to the others.",
		"func(pixels, channels int, top, bottom, y *float32, choice *uint8)")
	w := s.newWindows(true)
	place, grad, chosen, mask := s.regs[:4], s.regs[4], s.regs[5], s.mask(0)
	for i := range place {
		s.bits(uint32(i), place[i])
	}
	w.loop(s, func() {
		s.load(w.value(w.y), grad)
		s.VPMOVZXBD(w.chosen(), chosen)
		for i, p := range w.x {
			out := s.regs[6+i]
			s.VPCMPEQD(place[i], chosen, mask)
			if s == avx512 {
				s.VMOVAPS_Z(grad, mask, out)
			} else {
				s.VANDPS(grad, mask, out)
			}
			s.store(out, w.value(p))
		}
	})
}

func (s *isa) maxInto(choice bool) {
	if choice {
		s.begin("maxIntoChoice", " is maxInto that writes place to choice where it takes x.",
			"func(n int, y *float32, choice *uint8, x *float32, place uint32)")
	} else {
		s.begin("maxInto", " writes x[i] over y[i] where it is greater or NaN, for n values of at least one register.",
			"func(n int, y, x *float32)")
	}
	n, y, x, i := s.param("n"), s.param("y"), s.param("x"), s.GP64()
	old, value, scratch, mask := s.regs[0], s.regs[1], s.regs[2], s.mask(0)
	places, place, oldPlace := reg.GPVirtual(nil), s.regs[3], s.regs[4]
	if choice {
		places = s.param("choice")
		s.broadcast("place", place)
	}
	s.overlapped(n, i, func() {
		s.load(Mem{Base: y, Index: i, Scale: lane}, old)
		s.load(Mem{Base: x, Index: i, Scale: lane}, value)
		s.notGreater(value, old, mask, scratch)
		s.merge(old, mask, value)
		s.store(value, Mem{Base: y, Index: i, Scale: lane})
		if choice {
			at := Mem{Base: places, Index: i, Scale: 1}
			s.VPMOVZXBD(at, oldPlace)
			s.VMOVAPS(place, value)
			s.merge(oldPlace, mask, value)
			s.storeBytes(value, scratch, at)
		}
	})
	s.VZEROUPPER()
	s.RET()
}
