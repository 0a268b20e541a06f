// Package f32 holds the engine's innermost loops: single-precision kernels that
// run on the caller's goroutine. Each exists in several tiers (AVX-512, with AMX or
// without, and AVX2 with FMA on amd64, NEON on arm64, portable Go), of which package
// cpu chooses one.
//
// The assembly is written by the generator in internal/_asm. Lengths are checked here, in
// Go, before any of it is entered; no kernel reads or writes past a slice.
// Slices may start at any offset. Aliasing is allowed only where a function says
// so.
//
// Accuracy against float64, which the tests hold for every tier: a sum of n products
// or squared differences is off by at most n+3 times 2^-24 of the sum of its terms'
// magnitudes, whatever the order of summation; Exp by 2 units in the last place, ELU
// by 3. Rectifiers, pooling and packing are exact. Adam and Adamax round after every
// operation, so that all tiers give the same bits. SquaredError sums in float64.
package f32

import (
	"fmt"
	"unsafe"

	"lookalike/internal/cpu"
)

//go:generate go run -C ../_asm . -root ..

// tier is one implementation of every kernel. The functions may assume that
// their slices have equal lengths.
type tier struct {
	name            string
	dot             func(a, b []float32) float32
	squaredDistance func(a, b []float32) float32
	axpy            func(y []float32, alpha float32, x []float32)
	axpy4, axpy8    func(y, a []float32, as int, b []float32, ldb int)
	panel           int // columns of vecMat
	vecMat          func(y, a []float32, k, as int, b []float32, ldb int)
	exp             func(dst, src []float32)
	elu             func(dst, src []float32, alpha float32)
	eluGrad         func(dx, dy, y []float32, alpha float32)
	relu            func(dst, src []float32)
	reluGrad        func(dx, dy, y []float32)
	leaky           func(dst, src []float32, alpha float32)
	leakyGrad       func(dx, dy, y []float32, alpha float32)
	maxPool         func(channels int, y []float32, choice []uint8, top, bottom []float32)
	maxInto         func(y []float32, choice []uint8, x []float32, place uint8)
	maxPoolGrad     func(channels int, top, bottom, y []float32, choice []uint8)
	adamax          func(w, g, m, u []float32, mix, decay, rate, rest, epsilon float32)
	adam            func(w, g, m, v []float32, mix1, mix2, decay, rate, step, epsilon float32)
	squaredError    func(grad, p, t []float32, scale float64) float64

	dot4, squaredDistance4 rowsKernel
	pickedDots             pickedKernel
	pickedSquares          pickedKernel
	squaresInOrder         func(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64)
	notAbove               func(mask []uint64, x []float32, limit float32)
	nearLeast              func(x []float32, k int) float32
}

var active = tierOf(cpu.Tier())

// Dot returns the sum of a[i]*b[i].
func Dot(a, b []float32) float32 {
	sameLength("Dot", len(a), len(b))
	return active.dot(a, b)
}

// SquaredDistance returns the sum of (a[i]-b[i])².
func SquaredDistance(a, b []float32) float32 {
	sameLength("SquaredDistance", len(a), len(b))
	return active.squaredDistance(a, b)
}

// Bytes returns the memory of x: to be read into or written as it lies, or fetched.
func Bytes(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// Axpy adds alpha*x to y.
func Axpy(y []float32, alpha float32, x []float32) {
	sameLength("Axpy", len(y), len(x))
	active.axpy(y, alpha, x)
}

// AddVecMat adds a·B to y: a is k values, stride as apart, B is [k, len(y)] with
// row stride ldb. It reads B once, in order. Each sum is taken in ascending order
// from what y holds.
func AddVecMat(y []float32, k int, a []float32, as int, b []float32, ldb int) {
	addVecMat(y, k, a, as, b, ldb, true)
}

// ReadVecMat is AddVecMat for a B that comes from memory, with the same bits: it reads
// as many rows side by side as the processor reads fastest.
func ReadVecMat(y []float32, k int, a []float32, as int, b []float32, ldb int) {
	addVecMat(y, k, a, as, b, ldb, cpu.FetchesStrided())
}

// AddCachedVecMat is AddVecMat for a B that lies in the second-level cache, with the same
// bits: it reads some columns of all rows, then the next ones, and keeps sums in registers.
func AddCachedVecMat(y []float32, k int, a []float32, as int, b []float32, ldb int) {
	checkVecMat(y, k, a, as, b, ldb)
	for panel := active.panel; k > 0 && len(y) >= panel; {
		active.vecMat(y[:panel], a, k, as, b, ldb)
		y, b = y[panel:], b[panel:]
	}
	addVecMat(y, k, a, as, b, ldb, true)
}

func checkVecMat(y []float32, k int, a []float32, as int, b []float32, ldb int) {
	if k > 0 && len(y) > 0 && (as < 0 || ldb < 0 || (k-1)*as >= len(a) || (k-1)*ldb+len(y) > len(b)) {
		panic(fmt.Sprintf("f32.AddVecMat: [%d] with stride %d in %d values times [%d, %d] with stride %d in %d values", k, as, len(a), k, len(y), ldb, len(b)))
	}
}

// addVecMat adds a·B to y, eight rows of B side by side or four.
func addVecMat(y []float32, k int, a []float32, as int, b []float32, ldb int, byEights bool) {
	checkVecMat(y, k, a, as, b, ldb)
	if len(y) == 0 {
		return
	}
	for ; byEights && k >= 8; k -= 8 {
		active.axpy8(y, a, as, b, ldb)
		a, b = a[min(8*as, len(a)):], b[min(8*ldb, len(b)):]
	}
	for ; k >= 4; k -= 4 {
		active.axpy4(y, a, as, b, ldb)
		a, b = a[min(4*as, len(a)):], b[min(4*ldb, len(b)):]
	}
	for p := range k {
		active.axpy(y, a[p*as], b[p*ldb:][:len(y)])
	}
}

// Exp writes e to the power of src to dst, at most 2 units in the last place
// off; denormal results are right, overflow gives +Inf, NaN stays. dst may be src.
func Exp(dst, src []float32) {
	sameLength("Exp", len(dst), len(src))
	active.exp(dst, src)
}

// ELU writes src where it is positive, else alpha*(e^src - 1), to dst, at most 3
// units in the last place off, however small src is. It never falls while src
// rises, not by a bit. NaN stays. dst may be src.
// (Clevert, Unterthiner, Hochreiter, arXiv 1511.07289)
func ELU(dst, src []float32, alpha float32) {
	sameLength("ELU", len(dst), len(src))
	active.elu(dst, src, alpha)
}

// ELUGrad writes dy where y is positive, else dy*(y+alpha), to dx: the gradient
// of ELU by its input, from its output y. dx may be dy.
func ELUGrad(dx, dy, y []float32, alpha float32) {
	sameLength("ELUGrad", len(dx), len(dy))
	sameLength("ELUGrad", len(dx), len(y))
	active.eluGrad(dx, dy, y, alpha)
}

// ReLU writes src, zero in place of what is below it, to dst. NaN stays. dst may
// be src.
func ReLU(dst, src []float32) {
	sameLength("ReLU", len(dst), len(src))
	active.relu(dst, src)
}

// ReLUGrad writes dy, zero where y is at most zero, to dx: the gradient of ReLU by
// its input, from its output y. dx may be dy.
func ReLUGrad(dx, dy, y []float32) {
	sameLength("ReLUGrad", len(dx), len(dy))
	sameLength("ReLUGrad", len(dx), len(y))
	active.reluGrad(dx, dy, y)
}

// LeakyReLU writes src, times alpha where it is below zero, to dst. NaN stays. dst
// may be src.
func LeakyReLU(dst, src []float32, alpha float32) {
	sameLength("LeakyReLU", len(dst), len(src))
	active.leaky(dst, src, alpha)
}

// LeakyReLUGrad writes dy, times alpha where y is at most zero, to dx: the
// gradient of LeakyReLU by its input, from its output y. dx may be dy.
func LeakyReLUGrad(dx, dy, y []float32, alpha float32) {
	sameLength("LeakyReLUGrad", len(dx), len(dy))
	sameLength("LeakyReLUGrad", len(dx), len(y))
	active.leakyGrad(dx, dy, y, alpha)
}

// MaxPool2x2 writes the greatest values of 2x2 windows: y is one row of pixels of
// the given channels, top and bottom are the two rows that it is made of, each at
// least twice as long. Where choice is not nil it receives the place of
// each value in its window, rows first. Of equal values the first is taken, of
// NaNs, which are greater than all, the last.
func MaxPool2x2(channels int, y []float32, choice []uint8, top, bottom []float32) {
	checkPool("MaxPool2x2", channels, len(y), len(top), len(bottom))
	if choice != nil {
		sameLength("MaxPool2x2", len(y), len(choice))
	}
	active.maxPool(channels, y, choice, top, bottom)
}

// MaxInto writes x over y where it is greater or NaN, and place over choice there,
// unless that is nil.
func MaxInto(y []float32, choice []uint8, x []float32, place uint8) {
	sameLength("MaxInto", len(y), len(x))
	if choice != nil {
		sameLength("MaxInto", len(y), len(choice))
	}
	active.maxInto(y, choice, x, place)
}

// MaxPool2x2Grad writes each value of y to the place in its window, in the rows
// top and bottom, that choice, 0 to 3, names, and zeros to the other three.
func MaxPool2x2Grad(channels int, top, bottom, y []float32, choice []uint8) {
	checkPool("MaxPool2x2Grad", channels, len(y), len(top), len(bottom))
	sameLength("MaxPool2x2Grad", len(y), len(choice))
	active.maxPoolGrad(channels, top, bottom, y, choice)
}

func checkPool(op string, channels, y, top, bottom int) {
	if channels <= 0 || y%channels != 0 || top < 2*y || bottom < 2*y {
		panic(fmt.Sprintf("f32.%s: %d values of %d channels from rows of %d and %d", op, y, channels, top, bottom))
	}
}

// Adamax updates parameters w with gradients g in one pass, rounding after every
// operation:
//
//	m = m + mix·(g-m)
//	u = max(decay·u, |g|)
//	w = w - rate·m/(rest·(u+epsilon))
func Adamax(w, g, m, u []float32, mix, decay, rate, rest, epsilon float32) {
	sameLength("Adamax", len(w), len(g))
	sameLength("Adamax", len(w), len(m))
	sameLength("Adamax", len(w), len(u))
	active.adamax(w, g, m, u, mix, decay, rate, rest, epsilon)
}

// Adam updates parameters w with gradients g in one pass, rounding after every
// operation:
//
//	m = m + mix1·(g-m)
//	v = v + mix2·(g²-v)
//	w = w - w·decay·rate
//	w = w - step·m/(√v+epsilon)
func Adam(w, g, m, v []float32, mix1, mix2, decay, rate, step, epsilon float32) {
	sameLength("Adam", len(w), len(g))
	sameLength("Adam", len(w), len(m))
	sameLength("Adam", len(w), len(v))
	active.adam(w, g, m, v, mix1, mix2, decay, rate, step, epsilon)
}

// SquaredError returns the sum of (p[i]-t[i])² and writes scale*(p[i]-t[i]) to
// grad, in float64 throughout. grad may be p.
func SquaredError(grad, p, t []float32, scale float64) float64 {
	sameLength("SquaredError", len(grad), len(p))
	sameLength("SquaredError", len(grad), len(t))
	return active.squaredError(grad, p, t, scale)
}

func sameLength(op string, n, m int) {
	if n != m {
		panic(fmt.Sprintf("f32.%s: lengths %d and %d differ", op, n, m))
	}
}
