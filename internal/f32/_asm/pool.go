package main

import (
	. "github.com/mmcloughlin/avo/build"
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
	last := GP64()
	LEAQ(Mem{Base: n, Disp: -s.lanes}, last)
	XORQ(i, i)
	Label("vector")
	body()
	ADDQ(U8(s.lanes), i)
	CMPQ(i, last)
	JLE(LabelRef("vector"))
	CMPQ(i, n)
	JE(LabelRef("done"))
	MOVQ(last, i)
	JMP(LabelRef("vector"))
	Label("done")
}

// storeBytes stores the lowest byte of each 32-bit integer, all below 256; it
// overwrites r.
func (s *isa) storeBytes(r, scratch reg.VecPhysical, m Mem) {
	if s == avx512 {
		VPMOVDB(r, m)
		return
	}
	VEXTRACTI128(U8(1), r, scratch.AsX())
	VPACKUSDW(scratch.AsX(), r.AsX(), r.AsX())
	VPACKUSWB(r.AsX(), r.AsX(), r.AsX())
	VMOVQ(r.AsX(), m)
}

// windows are the pointers of a loop over a row of 2x2 windows and, inside, over
// their channels. Values of a window are numbered by row: 0 and 1, 2 and 3.
type windows struct {
	pixels, channels, i reg.GPVirtual
	y, choice           reg.GPVirtual    // one value a window
	x                   [4]reg.GPVirtual // each of the window's values
}

func newWindows(choice bool) *windows {
	w := &windows{pixels: param("pixels"), channels: param("channels"), i: GP64(), y: param("y")}
	if choice {
		w.choice = param("choice")
	}
	for row, name := range []string{"top", "bottom"} {
		w.x[2*row], w.x[2*row+1] = param(name), GP64()
		LEAQ(Mem{Base: w.x[2*row], Index: w.channels, Scale: lane}, w.x[2*row+1])
	}
	return w
}

func (w *windows) value(p reg.GPVirtual) Mem { return Mem{Base: p, Index: w.i, Scale: lane} }
func (w *windows) chosen() Mem               { return Mem{Base: w.choice, Index: w.i, Scale: 1} }

func (w *windows) loop(s *isa, body func()) {
	Label("pixel")
	s.overlapped(w.channels, w.i, body)
	LEAQ(Mem{Base: w.y, Index: w.channels, Scale: lane}, w.y)
	if w.choice != (reg.GPVirtual)(nil) {
		ADDQ(w.channels, w.choice)
	}
	for _, p := range w.x {
		LEAQ(Mem{Base: p, Index: w.channels, Scale: 2 * lane}, p)
	}
	DECQ(w.pixels)
	JNZ(LabelRef("pixel"))
	VZEROUPPER()
	RET()
}

func (s *isa) maxPool(choice bool) {
	if choice {
		s.begin("maxPoolChoice", " is maxPool that writes the place of each value in its window, too.",
			"func(pixels, channels int, y *float32, choice *uint8, top, bottom *float32)")
	} else {
		s.begin("maxPool", " writes the greatest values of a row of 2x2 windows, each of at least one register of channels; of equals the first, of NaNs the last.",
			"func(pixels, channels int, y, top, bottom *float32)")
	}
	w := newWindows(choice)
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
		VMOVAPS(place[1], top)
		s.merge(place[0], masks[0], top)
		VMOVAPS(place[3], bottom)
		s.merge(place[2], masks[1], bottom)
		s.merge(top, masks[2], bottom)
		s.storeBytes(bottom, top, w.chosen())
	})
}

func (s *isa) maxPoolGrad() {
	s.begin("maxPoolGrad", " writes y[i] to the value that choice[i] names in a row of 2x2 windows and zeros to the others.",
		"func(pixels, channels int, top, bottom, y *float32, choice *uint8)")
	w := newWindows(true)
	place, grad, chosen, mask := s.regs[:4], s.regs[4], s.regs[5], s.mask(0)
	for i := range place {
		s.bits(uint32(i), place[i])
	}
	w.loop(s, func() {
		s.load(w.value(w.y), grad)
		VPMOVZXBD(w.chosen(), chosen)
		for i, p := range w.x {
			out := s.regs[6+i]
			VPCMPEQD(place[i], chosen, mask)
			if s == avx512 {
				VMOVAPS_Z(grad, mask, out)
			} else {
				VANDPS(grad, mask, out)
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
	n, y, x, i := param("n"), param("y"), param("x"), GP64()
	old, value, scratch, mask := s.regs[0], s.regs[1], s.regs[2], s.mask(0)
	places, place, oldPlace := reg.GPVirtual(nil), s.regs[3], s.regs[4]
	if choice {
		places = param("choice")
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
			VPMOVZXBD(at, oldPlace)
			VMOVAPS(place, value)
			s.merge(oldPlace, mask, value)
			s.storeBytes(value, scratch, at)
		}
	})
	VZEROUPPER()
	RET()
}
