package main

// isa is an instruction set as those kernels see it that treat all values alike: they
// are said once, for AVX-512, AVX2 and NEON.
//
// A kernel has vector registers 0 to 15, without those of the last that it takes for
// masks, more where registers says so, and a dozen general registers. Operands are in the order
// of an assignment, the destination first, which may be one of the others.
type isa interface {
	registers() int
	width() int // values in a register
	begin(name, doc, signature string)
	end()                                // returns
	result(r vec)                        // returns the lowest value
	arg(name string) general             // a parameter of 64 bits
	broadcast(param string, r vec)       // a parameter of 32 bits to all lanes
	broadcastDouble(param string, r vec) // of 64 bits
	float(v float64, r vec)              // a constant
	bits(b uint32, r vec)

	// while emits body for steps of n as long as there is one, and takes it from n.
	while(label string, n general, step int, body func())
	// repeat emits body for n turns, n > 0.
	repeat(label string, n general, body func())
	// loop emits body for every whole register of n values, then for what is left:
	// its load and store are cut. Pointers advance after each.
	loop(n general, pointers []general, body func(load func(mem, vec), store func(vec, mem)))
	// overlapped emits body for whole registers of n values, at least one; i is the
	// first's place. The last register may overlap the one before, and repeats what
	// was done there: nothing is cut.
	overlapped(n general, body func(i general))

	advance(p general, bytes int)
	advanceBy(p, n general, size int)      // by n times size bytes, 1, 4 or 8
	behind(p, n general, size int) general // a register with that
	load(m mem, r vec)
	loadTwo(m mem, r vec) // to r and the next one
	spread(m mem, r vec)  // one value to all lanes
	store(r vec, m mem)
	loadBytes(m mem, r vec)         // widens each to 32 bits
	storeBytes(r vec, m mem, t vec) // the lowest byte of each 32; overwrites r and t

	zero(r vec)
	move(from, to vec)
	add(d, x, y vec)
	sub(d, x, y vec)
	mul(d, x, y vec)
	div(d, x, y vec)
	sqrt(d, x vec)
	abs(d, x, signs vec)   // signs has nothing but the sign bits, or is free on NEON
	addTo(sum, x, y vec)   // sum += x*y, rounded once
	subFrom(sum, x, y vec) // sum -= x*y
	// timesPlus returns a register with p*x + c, rounded once, and one that is free: p and t.
	timesPlus(p, x, c, t vec) (vec, vec)
	clampBelow(d, x, limit vec) // the greater one; a NaN of x stays
	clampAbove(d, x, limit vec) // the less one
	dropNegative(x, zero vec)   // makes zeros of what is below zero: not of -0, nor of NaN
	maxNaN(x, y, t vec)         // y = the greater of x and y, NaN if one of them is
	sum(r, t vec)               // the sum of all values, to the lowest lane

	addDoubles(d, x, y vec)
	subDoubles(d, x, y vec)
	mulDoubles(d, x, y vec)
	addToDoubles(sum, x, y vec)
	sumDoubles(r, t vec)
	widen(x, to vec)    // to doubles in to and the next register
	narrow(from, r vec) // and back; overwrites from

	round(d, x vec) // to integers, ties to even
	fromInteger(d, x vec)
	addIntegers(d, x, y vec)
	subIntegers(d, x, y vec)
	shiftLeft(d, x vec, by int)
	shiftRight(d, x vec, by int) // keeps the sign

	// Comparisons set a mask where they hold; none does for NaN.
	less(m mask, x, y vec)
	atMost(m mask, x, y vec)
	greater(m mask, x, y vec)
	equalIntegers(m mask, x, y vec)
	neitherGreaterNorNaN(m mask, x, y, t vec) // of x: not greater than y
	put(x, r vec, m mask)                     // r = x where m is set
	clear(r vec, m mask)                      // r = 0 there
	only(d, x vec, m mask)                    // x there, 0 elsewhere
}

// vec is a vector register, general a general one, mask the outcome of a comparison, 0 to 2.
type (
	vec     int
	general int
	mask    int
)

// mem is what a general register points at, or with an index that many items further.
type mem struct {
	base    general
	disp    int
	indexed bool
	index   general
	size    int // of an item
}

// lane is the size of a float32 in bytes.
const lane = 4

func at(p general) mem { return mem{base: p} }

// item is item i, of size bytes, behind p.
func item(p, i general, size int) mem { return mem{base: p, indexed: true, index: i, size: size} }

// elementwise are the kernels of package f32 that are said once.
func elementwise(s isa) {
	reduce(s, "dot", "returns the sum of a[i]*b[i] over n values.", func(x, y, sum vec) { s.addTo(sum, x, y) })
	reduce(s, "squaredDistance", "returns the sum of (a[i]-b[i])² over n values.", func(x, y, sum vec) {
		s.sub(x, x, y)
		s.addTo(sum, x, x)
	})
	axpy(s)
	vecMat(s)
	exp(s)
	elu(s)
	eluGrad(s)
	rectifiers(s)
	maxPool(s, false)
	maxPool(s, true)
	maxPoolGrad(s)
	maxInto(s, false)
	maxInto(s, true)
	adamax(s)
	adam(s)
	squaredError(s)
}
