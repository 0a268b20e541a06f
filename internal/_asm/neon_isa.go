package main

func (a *neon) registers() int { return 32 }
func (a *neon) width() int     { return lanes }
func (a *neon) end()           { a.op("RET") }

func (a *neon) result(r vec) {
	a.op(map[int]string{4: "FMOVS", 8: "FMOVD"}[a.resultSize], r, a.at("ret"))
	a.end()
}

func (a *neon) arg(name string) general { return a.param(name) }

func (a *neon) broadcastDouble(name string, r vec) {
	a.op("FMOVD", a.at(name), r)
	a.line("\tVDUP   V%d.D[0], V%d.D2", int(r), int(r))
}

func (a *neon) while(label string, n general, step int, body func()) {
	a.op("SUBS", step, n)
	a.line("\tBLT    %sDone", label)
	a.label(label)
	body()
	a.op("SUBS", step, n)
	a.line("\tBGE    %s", label)
	a.label(label + "Done")
	a.op("ADD", step, n)
}

func (a *neon) repeat(label string, n general, body func()) {
	a.label(label)
	body()
	a.op("SUBS", 1, n)
	a.line("\tBNE    %s", label)
}

func (a *neon) overlapped(n general, body func(i general)) {
	i, last := a.register(), a.register()
	a.op("SUB", lanes, n, last)
	a.op("MOVD", "ZR", i)
	a.label("vector")
	body(i)
	a.op("ADD", lanes, i)
	a.op("CMP", last, i)
	a.line("\tBLE    vector")
	a.op("CMP", n, i)
	a.line("\tBEQ    done")
	a.op("MOVD", last, i)
	a.line("\tB      vector")
	a.label("done")
}

// shifted is an item's number as an operand that counts bytes.
func shifted(n general, size int) string {
	return n.String() + map[int]string{1: "", 4: "<<2", 8: "<<3"}[size]
}

func (a *neon) advance(p general, bytes int)     { a.op("ADD", bytes, p) }
func (a *neon) advanceBy(p, n general, size int) { a.op("ADD", shifted(n, size), p) }

func (a *neon) behind(p, n general, size int) general {
	r := a.register()
	a.op("ADD", shifted(n, size), p, r)
	return r
}

// plain returns a mem that has no index, by way of temporary.
func (a *neon) plain(m mem) mem {
	if !m.indexed {
		return m
	}
	a.op("ADD", shifted(m.index, m.size), m.base, temporary)
	return mem{base: temporary, disp: m.disp}
}

func (a *neon) loadTwo(m mem, r vec) { a.line("\tFLDPQ  %s, (%s, %s)", m, r, r+1) }

func (a *neon) spread(m mem, r vec) {
	a.loadOne(m, r)
	a.spreadLowest(r)
}

func (a *neon) loadBytes(m mem, r vec) {
	a.line("\tFMOVS  (%s)(%s), %s", m.base, m.index, r)
	a.two("uxtl.8h.8b", r, r)
	a.two("uxtl.4s.4h", r, r)
}

func (a *neon) storeBytes(r vec, m mem, _ vec) {
	a.two("xtn.4h.4s", r, r)
	a.two("xtn.8b.8h", r, r)
	a.line("\tFMOVS  %s, (%s)(%s)", r, m.base, m.index)
}

func (a *neon) add(d, x, y vec)                { a.three("fadd.4s", d, x, y) }
func (a *neon) sub(d, x, y vec)                { a.three("fsub.4s", d, x, y) }
func (a *neon) mul(d, x, y vec)                { a.three("fmul.4s", d, x, y) }
func (a *neon) div(d, x, y vec)                { a.three("fdiv.4s", d, x, y) }
func (a *neon) sqrt(d, x vec)                  { a.two("fsqrt.4s", d, x) }
func (a *neon) abs(d, x, _ vec)                { a.two("fabs.4s", d, x) }
func (a *neon) addTo(sum, x, y vec)            { a.three("fmla.4s", sum, x, y) }
func (a *neon) subFrom(sum, x, y vec)          { a.three("fmls.4s", sum, x, y) }
func (a *neon) clampBelow(d, x, limit vec)     { a.three("fmax.4s", d, x, limit) }
func (a *neon) clampAbove(d, x, limit vec)     { a.three("fmin.4s", d, x, limit) }
func (a *neon) maxNaN(x, y, _ vec)             { a.three("fmax.4s", y, y, x) }
func (a *neon) addDoubles(d, x, y vec)         { a.three("fadd.2d", d, x, y) }
func (a *neon) subDoubles(d, x, y vec)         { a.three("fsub.2d", d, x, y) }
func (a *neon) mulDoubles(d, x, y vec)         { a.three("fmul.2d", d, x, y) }
func (a *neon) addToDoubles(sum, x, y vec)     { a.three("fmla.2d", sum, x, y) }
func (a *neon) sumDoubles(r, _ vec)            { a.three("faddp.2d", r, r, r) }
func (a *neon) round(d, x vec)                 { a.two("fcvtns.4s", d, x) }
func (a *neon) fromInteger(d, x vec)           { a.two("scvtf.4s", d, x) }
func (a *neon) addIntegers(d, x, y vec)        { a.three("add.4s", d, x, y) }
func (a *neon) subIntegers(d, x, y vec)        { a.three("sub.4s", d, x, y) }
func (a *neon) less(m mask, x, y vec)          { a.three("fcmgt.4s", a.mask(m), y, x) }
func (a *neon) atMost(m mask, x, y vec)        { a.three("fcmge.4s", a.mask(m), y, x) }
func (a *neon) greater(m mask, x, y vec)       { a.three("fcmgt.4s", a.mask(m), x, y) }
func (a *neon) equalIntegers(m mask, x, y vec) { a.three("cmeq.4s", a.mask(m), x, y) }
func (a *neon) put(x, r vec, m mask)           { a.three("bit.16b", r, x, a.mask(m)) }
func (a *neon) clear(r vec, m mask)            { a.three("bic.16b", r, r, a.mask(m)) }
func (a *neon) only(d, x vec, m mask)          { a.three("and.16b", d, x, a.mask(m)) }

// mask returns one of the last registers.
func (a *neon) mask(m mask) vec { return vec(31 - m) }

func (a *neon) timesPlus(p, x, c, t vec) (vec, vec) {
	a.move(c, t)
	a.addTo(t, p, x)
	return t, p
}

func (a *neon) dropNegative(x, zero vec) { // the greater of zeros would be the positive one
	a.less(0, x, zero)
	a.clear(x, 0)
}

func (a *neon) sum(r, _ vec) {
	for range 2 {
		a.three("faddp.4s", r, r, r)
	}
}

func (a *neon) widen(x, to vec) {
	a.two("fcvtl.2d.2s", to, x)
	a.two("fcvtl2.2d.4s", to+1, x)
}

func (a *neon) narrow(from, r vec) {
	a.two("fcvtn.2s.2d", r, from)
	a.two("fcvtn2.4s.2d", r, from+1)
}

func (a *neon) neitherGreaterNorNaN(m mask, x, y, t vec) {
	a.greater(m, x, y)
	a.three("fcmeq.4s", t, x, x)
	a.three("bic.16b", a.mask(m), t, a.mask(m))
}
