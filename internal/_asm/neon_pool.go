package main

// pools emits max-pooling of 2x2 values, its gradient, and the step that pooling of
// other windows is made of.
func (a *assembler) pools() {
	a.maxPool(false)
	a.maxPool(true)
	a.maxPoolGrad()
	a.maxInto(false)
	a.maxInto(true)
}

// overlapped emits body for whole registers of n >= lanes values, i being the first's
// place. Where they do not end with one, the last register goes back and repeats
// what the one before did: there is nothing to cut.
func (a *assembler) overlapped(n, i, last general, body func()) {
	a.op("SUB", lanes, n, last)
	a.op("MOVD", "ZR", i)
	a.label("vector")
	body()
	a.op("ADD", lanes, i)
	a.op("CMP", last, i)
	a.line("\tBLE    vector")
	a.op("CMP", n, i)
	a.line("\tBEQ    done")
	a.op("MOVD", last, i)
	a.line("\tB      vector")
	a.label("done")
}

// indexed returns the address of value i behind p.
func (a *assembler) indexed(p, i, scratch general) mem {
	a.line("\tADD    %s<<2, %s, %s", i, p, scratch)
	return mem{base: scratch}
}

// keep sets the lanes of mask where b does not take a's place: it is neither
// greater nor NaN.
func (a *assembler) keep(b, was, mask, scratch vec) {
	a.three("fcmgt.4s", scratch, b, was)
	a.three("fcmeq.4s", mask, b, b)
	a.three("bic.16b", mask, mask, scratch)
}

// loadBytes widens four bytes to integers of 32 bits; storeBytes narrows them, and
// overwrites r.
func (a *assembler) loadBytes(p, i general, r vec) {
	a.line("\tFMOVS  (%s)(%s), %s", p, i, r)
	a.two("uxtl.8h.8b", r, r)
	a.two("uxtl.4s.4h", r, r)
}

func (a *assembler) storeBytes(r vec, p, i general) {
	a.two("xtn.4h.4s", r, r)
	a.two("xtn.8b.8h", r, r)
	a.line("\tFMOVS  %s, (%s)(%s)", r, p, i)
}

// windows are the pointers of a loop over a row of 2x2 windows and, inside, over
// their channels. Values of a window are numbered by row: 0 and 1, 2 and 3.
type neonWindows struct {
	pixels, channels, i, last, scratch general
	y, choice                          general    // one value a window
	x                                  [4]general // each of the window's values
	chooses                            bool
}

func (a *assembler) newWindows(choice bool) *neonWindows {
	w := &neonWindows{pixels: a.param("pixels"), channels: a.param("channels"), i: a.register(), last: a.register(), scratch: a.register(),
		y: a.param("y"), chooses: choice}
	if choice {
		w.choice = a.param("choice")
	}
	for row, name := range []string{"top", "bottom"} {
		w.x[2*row], w.x[2*row+1] = a.param(name), a.register()
		a.line("\tADD    %s<<2, %s, %s", w.channels, w.x[2*row], w.x[2*row+1])
	}
	return w
}

func (a *assembler) eachWindow(w *neonWindows, body func()) {
	a.label("pixel")
	a.overlapped(w.channels, w.i, w.last, body)
	a.line("\tADD    %s<<2, %s", w.channels, w.y)
	if w.chooses {
		a.op("ADD", w.channels, w.choice)
	}
	for _, p := range w.x {
		a.line("\tADD    %s<<3, %s", w.channels, p)
	}
	a.op("SUBS", 1, w.pixels)
	a.line("\tBNE    pixel")
	a.op("RET")
}

func (a *assembler) maxPool(choice bool) {
	if choice {
		a.begin("maxPoolChoice", "is maxPool that writes the place of each value in its window, too.",
			"pixels int, channels int, y *float32, choice *uint8, top *float32, bottom *float32")
	} else {
		a.begin("maxPool", "writes the greatest values of a row of 2x2 windows, each of at least one register of channels; of equals the first, of NaNs the last.",
			"pixels int, channels int, y *float32, top *float32, bottom *float32")
	}
	w := a.newWindows(choice)
	const x, place, masks, scratch, top, bottom vec = 0, 4, 8, 11, 12, 13
	if choice {
		for i := range vec(4) {
			a.bits(uint32(i), place+i)
		}
	}
	a.eachWindow(w, func() {
		for i, p := range w.x {
			a.load(a.indexed(p, w.i, w.scratch), x+vec(i))
		}
		for i, pair := range [][2]vec{{x, x + 1}, {x + 2, x + 3}, {x + 1, x + 3}} {
			a.keep(pair[1], pair[0], masks+vec(i), scratch)
			a.three("bit.16b", pair[1], pair[0], masks+vec(i))
		}
		a.store(x+3, a.indexed(w.y, w.i, w.scratch))
		if !choice {
			return
		}
		a.move(place+1, top)
		a.three("bit.16b", top, place, masks)
		a.move(place+3, bottom)
		a.three("bit.16b", bottom, place+2, masks+1)
		a.three("bit.16b", bottom, top, masks+2)
		a.storeBytes(bottom, w.choice, w.i)
	})
}

func (a *assembler) maxPoolGrad() {
	a.begin("maxPoolGrad", "writes y[i] to the value that choice[i] names in a row of 2x2 windows and zeros to the others.",
		"pixels int, channels int, top *float32, bottom *float32, y *float32, choice *uint8")
	w := a.newWindows(true)
	const place, grad, chosen, out vec = 0, 4, 5, 6
	for i := range vec(4) {
		a.bits(uint32(i), place+i)
	}
	a.eachWindow(w, func() {
		a.load(a.indexed(w.y, w.i, w.scratch), grad)
		a.loadBytes(w.choice, w.i, chosen)
		for i, p := range w.x {
			a.three("cmeq.4s", out, chosen, place+vec(i))
			a.three("and.16b", out, out, grad)
			a.store(out, a.indexed(p, w.i, w.scratch))
		}
	})
}

func (a *assembler) maxInto(choice bool) {
	if choice {
		a.begin("maxIntoChoice", "is maxInto that writes place to choice where it takes x.",
			"n int, y *float32, choice *uint8, x *float32, place uint32")
	} else {
		a.begin("maxInto", "writes x[i] over y[i] where it is greater or NaN, for n values of at least one register.",
			"n int, y *float32, x *float32")
	}
	const old, value, mask, scratch, place, oldPlace vec = 0, 1, 2, 3, 4, 5
	n, y, x, i, last, at, to := a.param("n"), a.param("y"), a.param("x"), a.register(), a.register(), a.register(), a.register()
	var places general
	if choice {
		places = a.param("choice")
		a.op("MOVWU", a.at("place"), at)
		a.line("\tVDUP   %s, V%d.S4", at, int(place))
	}
	a.overlapped(n, i, last, func() {
		at := a.indexed(y, i, at)
		a.load(at, old)
		a.load(a.indexed(x, i, to), value)
		a.keep(value, old, mask, scratch)
		a.three("bit.16b", value, old, mask)
		a.store(value, at)
		if choice {
			a.loadBytes(places, i, oldPlace)
			a.move(place, value)
			a.three("bit.16b", value, oldPlace, mask)
			a.storeBytes(value, places, i)
		}
	})
	a.op("RET")
}
