package main

// windows are the pointers of a loop over a row of 2x2 windows and, inside, over
// their channels. Values of a window are numbered by row: 0 and 1, 2 and 3.
type windows struct {
	pixels, channels general
	y, choice        general    // one value a window
	x                [4]general // each of the window's values
	chooses          bool
}

func newWindows(s isa, choice bool) *windows {
	w := &windows{pixels: s.arg("pixels"), channels: s.arg("channels"), y: s.arg("y"), chooses: choice}
	if choice {
		w.choice = s.arg("choice")
	}
	for row, name := range []string{"top", "bottom"} {
		w.x[2*row] = s.arg(name)
		w.x[2*row+1] = s.behind(w.x[2*row], w.channels, lane)
	}
	return w
}

func (w *windows) each(s isa, body func(i general)) {
	s.repeat("pixel", w.pixels, func() {
		s.overlapped(w.channels, body)
		s.advanceBy(w.y, w.channels, lane)
		if w.chooses {
			s.advanceBy(w.choice, w.channels, 1)
		}
		for _, p := range w.x {
			s.advanceBy(p, w.channels, 2*lane)
		}
	})
	s.end()
}

func maxPool(s isa, choice bool) {
	if choice {
		s.begin("maxPoolChoice", "is maxPool that writes the place of each value in its window, too.",
			"func(pixels, channels int, y *float32, choice *uint8, top, bottom *float32)")
	} else {
		s.begin("maxPool", "writes the greatest values of a row of 2x2 windows, each of at least one register of channels; of equals the first, of NaNs the last.",
			"func(pixels, channels int, y, top, bottom *float32)")
	}
	w := newWindows(s, choice)
	const x, place, t, top, bottom vec = 0, 4, 8, 9, 10
	if choice {
		for i := range vec(4) {
			s.bits(uint32(i), place+i)
		}
	}
	w.each(s, func(i general) {
		for k, p := range w.x {
			s.load(item(p, i, lane), x+vec(k))
		}
		for m, pair := range [][2]vec{{x, x + 1}, {x + 2, x + 3}, {x + 1, x + 3}} {
			s.neitherGreaterNorNaN(mask(m), pair[1], pair[0], t)
			s.put(pair[0], pair[1], mask(m))
		}
		s.store(x+3, item(w.y, i, lane))
		if !choice {
			return
		}
		s.move(place+1, top)
		s.put(place, top, 0)
		s.move(place+3, bottom)
		s.put(place+2, bottom, 1)
		s.put(top, bottom, 2)
		s.storeBytes(bottom, item(w.choice, i, 1), top)
	})
}

func maxPoolGrad(s isa) {
	s.begin("maxPoolGrad", "writes y[i] to the value that choice[i] names in a row of 2x2 windows and zeros to the others.",
		"func(pixels, channels int, top, bottom, y *float32, choice *uint8)")
	w := newWindows(s, true)
	const place, grad, chosen, out vec = 0, 4, 5, 6
	for i := range vec(4) {
		s.bits(uint32(i), place+i)
	}
	w.each(s, func(i general) {
		s.load(item(w.y, i, lane), grad)
		s.loadBytes(item(w.choice, i, 1), chosen)
		for k, p := range w.x {
			s.equalIntegers(0, chosen, place+vec(k))
			s.only(out+vec(k), grad, 0)
			s.store(out+vec(k), item(p, i, lane))
		}
	})
}

// maxInto emits the step that pooling of other windows is made of.
func maxInto(s isa, choice bool) {
	if choice {
		s.begin("maxIntoChoice", "is maxInto that writes place to choice where it takes x.",
			"func(n int, y *float32, choice *uint8, x *float32, place uint32)")
	} else {
		s.begin("maxInto", "writes x[i] over y[i] where it is greater or NaN, for n values of at least one register.",
			"func(n int, y, x *float32)")
	}
	n, y, x := s.arg("n"), s.arg("y"), s.arg("x")
	const old, value, t, place, oldPlace vec = 0, 1, 2, 3, 4
	var places general
	if choice {
		places = s.arg("choice")
		s.broadcast("place", place)
	}
	s.overlapped(n, func(i general) {
		s.load(item(y, i, lane), old)
		s.load(item(x, i, lane), value)
		s.neitherGreaterNorNaN(0, value, old, t)
		s.put(old, value, 0)
		s.store(value, item(y, i, lane))
		if choice {
			s.loadBytes(item(places, i, 1), oldPlace)
			s.move(place, value)
			s.put(oldPlace, value, 0)
			s.storeBytes(value, item(places, i, 1), t)
		}
	})
	s.end()
}
