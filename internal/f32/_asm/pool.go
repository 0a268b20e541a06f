package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools emits max-pooling of 2x2 values and its gradient.
func (s *isa) pools() {
	s.maxPool(false)
	s.maxPool(true)
	s.maxPoolGrad()
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

// loop emits body for whole registers of channels. Where they do not end with
// one, the last register goes back and repeats what the one before did.
func (w *windows) loop(s *isa, body func()) {
	last := GP64()
	LEAQ(Mem{Base: w.channels, Disp: -s.lanes}, last)
	Label("pixel")
	XORQ(w.i, w.i)
	Label("vector")
	body()
	ADDQ(U8(s.lanes), w.i)
	CMPQ(w.i, last)
	JLE(LabelRef("vector"))
	CMPQ(w.i, w.channels)
	JE(LabelRef("next"))
	MOVQ(last, w.i)
	JMP(LabelRef("vector"))
	Label("next")
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
		if s == avx512 {
			VPMOVDB(bottom, w.chosen())
		} else {
			VEXTRACTI128(U8(1), bottom, top.AsX())
			VPACKUSDW(top.AsX(), bottom.AsX(), bottom.AsX())
			VPACKUSWB(bottom.AsX(), bottom.AsX(), bottom.AsX())
			VMOVQ(bottom.AsX(), w.chosen())
		}
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
