package f32

import "fmt"

// Dots writes the products of q with len(out) rows of x, which are ld apart.
func Dots(out, q, x []float32, ld int) {
	checkRows("Dots", len(out), len(q), len(x), ld)
	rowByRow(out, q, x, ld, active.dot4, active.dot)
}

// SquaredDistances writes the sums of (q[i]-x[r*ld+i])² of len(out) rows r of x,
// which are ld apart.
func SquaredDistances(out, q, x []float32, ld int) {
	checkRows("SquaredDistances", len(out), len(q), len(x), ld)
	rowByRow(out, q, x, ld, active.squaredDistance4, active.squaredDistance)
}

func checkRows(op string, rows, d, x, ld int) {
	if rows > 0 && (ld < 0 || (rows-1)*ld+d > x) {
		panic(fmt.Sprintf("f32.%s: %d rows of %d, %d apart, in %d values", op, rows, d, ld, x))
	}
}

func rowByRow(out, q, x []float32, ld int, four func(out, q, x []float32, ld int), one func(a, b []float32) float32) {
	r := 0
	if len(q) > 0 {
		for ; r+4 <= len(out); r += 4 {
			four(out[r:], q, x[r*ld:], ld)
		}
	}
	for ; r < len(out); r++ {
		out[r] = one(q, x[r*ld:][:len(q)])
	}
}

// NotAbove sets bit i of mask, from the lowest of the first word, where x[i] is
// not greater than limit: NaN is not, and nothing is if limit is NaN. It clears all
// other bits of the words that x reaches.
func NotAbove(mask []uint64, x []float32, limit float32) {
	if len(mask)*64 < len(x) {
		panic(fmt.Sprintf("f32.NotAbove: %d words for %d values", len(mask), len(x)))
	}
	whole := len(x) &^ 63
	if whole > 0 {
		active.notAbove(mask, x[:whole], limit)
	}
	if whole == len(x) {
		return
	}
	var word uint64
	for i, v := range x[whole:] {
		if !(v > limit) {
			word |= 1 << i
		}
	}
	mask[whole/64] = word
}

func dot4Generic(out, q, x []float32, ld int) {
	for r := range 4 {
		out[r] = dotGeneric(q, x[r*ld:][:len(q)])
	}
}

func squaredDistance4Generic(out, q, x []float32, ld int) {
	for r := range 4 {
		out[r] = squaredDistanceGeneric(q, x[r*ld:][:len(q)])
	}
}

func notAboveGeneric(mask []uint64, x []float32, limit float32) {
	for i := 0; i < len(x); i += 64 {
		var word uint64
		for j, v := range x[i:][:64] {
			if !(v > limit) {
				word |= 1 << j
			}
		}
		mask[i/64] = word
	}
}
