package f32

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

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

func rowByRow(out, q, x []float32, ld int, four rowsKernel, one func(a, b []float32) float32) {
	r := 0
	if len(q) > 0 {
		rows := rowSets.Get().(*Rows)
		for ; r+4 <= len(out); r += 4 {
			for i := range rows {
				rows[i] = x[(r+i)*ld:]
			}
			four((*[4]float32)(out[r:]), q, rows, x[min(len(x)-1, (r+4)*ld):], ld)
		}
		*rows = Rows{}
		rowSets.Put(rows)
	}
	for ; r < len(out); r++ {
		out[r] = one(q, x[r*ld:][:len(q)])
	}
}

// Rows are four vectors that are compared with another one.
type Rows [4][]float32

var rowSets = sync.Pool{New: func() any { return new(Rows) }}

// rowsKernel compares q, which is not empty, with as many values of each of four rows. If
// it can, it fetches as many from where next begins and from the next three times ld values
// on; nothing need be there.
type rowsKernel func(out *[4]float32, q []float32, rows *Rows, next []float32, ld int)

func (rows *Rows) check(op string, d int) {
	for _, x := range rows {
		if len(x) < d {
			panic(fmt.Sprintf("f32.%s: a row of %d values for %d", op, len(x), d))
		}
	}
}

// DotRows writes the products of q with the rows' first len(q) values. Meanwhile it fetches
// as many from next, what q will be next time.
func DotRows(out *[4]float32, q []float32, rows *Rows, next []float32) {
	compareRows("DotRows", out, q, rows, next, active.dot4)
}

// SquaredDistanceRows is DotRows for the sums of squared differences.
func SquaredDistanceRows(out *[4]float32, q []float32, rows *Rows, next []float32) {
	compareRows("SquaredDistanceRows", out, q, rows, next, active.squaredDistance4)
}

func compareRows(op string, out *[4]float32, q []float32, rows *Rows, next []float32, kernel rowsKernel) {
	rows.check(op, len(q))
	*out = [4]float32{}
	if len(q) > 0 {
		kernel(out, q, rows, next, 0)
	}
}

// DotsAt writes the products of q with the rows of x, ld apart, that rows lists, a multiple of
// four of them.
func DotsAt(out, q, x []float32, ld int, rows []int32) {
	rowsAt("DotsAt", out, q, x, ld, rows, active.pickedDots)
}

// SquaredDistancesAt is DotsAt for the sums of squared differences.
func SquaredDistancesAt(out, q, x []float32, ld int, rows []int32) {
	rowsAt("SquaredDistancesAt", out, q, x, ld, rows, active.pickedSquares)
}

func rowsAt(op string, out, q, x []float32, ld int, rows []int32, kernel pickedKernel) {
	count := uint(0)
	if ld > 0 && len(q) <= len(x) {
		count = uint((len(x)-len(q))/ld + 1)
	}
	for _, r := range rows {
		if uint(r) >= count {
			panic(fmt.Sprintf("f32.%s: row %d of %d, %d apart, in %d values", op, r, len(q), ld, len(x)))
		}
	}
	switch {
	case len(rows)%4 != 0 || len(out) < len(rows):
		panic(fmt.Sprintf("f32.%s: %d rows to %d values", op, len(rows), len(out)))
	case len(rows) > 0 && len(q) == 0:
		clear(out[:len(rows)])
	case len(rows) > 0:
		kernel(out, q, x, ld, rows)
	}
}

// pickedKernel is a rowsKernel for rows that lie anywhere, a multiple of four and not none.
type pickedKernel func(out, q, x []float32, ld int, rows []int32)

// fourPicked makes a pickedKernel of what compares four rows.
func fourPicked(four rowsKernel) pickedKernel {
	return func(out, q, x []float32, ld int, rows []int32) {
		list := rowSets.Get().(*Rows)
		for i := 0; i < len(rows); i += len(list) {
			for r := range list {
				list[r] = x[int(rows[i+r])*ld:]
			}
			four((*[4]float32)(out[i:]), q, list, nil, 0)
		}
		*list = Rows{}
		rowSets.Put(list)
	}
}

// SquaresInOrder writes, for each row x and its factor f, the sum of
// (q[i]*factor - x[i]*f)² over the first len(q) values in float64, each operation rounded and the
// terms added in order: the same bits on every tier.
func SquaresInOrder(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64) {
	rows.check("SquaresInOrder", len(q))
	*sums = [4]float64{}
	active.squaresInOrder(sums, q, factor, rows, factors)
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

// leastClasses is the number of classes of NearLeast.
const leastClasses = 32

// NearLeast returns a value that is not less than k of those in x, and not much greater than
// the k-th least if k is small: the k-th least of the minima of 32 classes. There must be 32
// values, and k must be from 1 to 32. It is infinite where k classes have no values but NaN.
func NearLeast(x []float32, k int) float32 {
	if len(x) < leastClasses || k < 1 || k > leastClasses {
		panic(fmt.Sprintf("f32.NearLeast: least %d of %d values", k, len(x)))
	}
	return active.nearLeast(x[:len(x)/leastClasses*leastClasses], k)
}

// oneByOne makes a rowsKernel of what compares two vectors.
func oneByOne(f func(a, b []float32) float32) rowsKernel {
	return func(out *[4]float32, q []float32, rows *Rows, _ []float32, _ int) {
		for r, x := range rows {
			out[r] = f(q, x[:len(q)])
		}
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

func nearLeastGeneric(x []float32, k int) float32 {
	var least [leastClasses]float32
	for i := range least {
		least[i] = float32(math.Inf(1))
		for j := i; j < len(x); j += leastClasses {
			if x[j] < least[i] {
				least[i] = x[j]
			}
		}
	}
	slices.Sort(least[:])
	return least[k-1]
}

func squaresInOrderGeneric(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64) {
	addSquaresInOrder(sums, q, factor, rows, factors, 0)
}

// addSquaresInOrder adds those from value i on. Conversions of products forbid fused operations.
func addSquaresInOrder(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64, i int) {
	x0, x1, x2, x3 := rows[0][:len(q)], rows[1][:len(q)], rows[2][:len(q)], rows[3][:len(q)]
	for ; i < len(q); i++ {
		v := float64(float64(q[i]) * factor)
		d0, d1 := v-float64(float64(x0[i])*factors[0]), v-float64(float64(x1[i])*factors[1])
		d2, d3 := v-float64(float64(x2[i])*factors[2]), v-float64(float64(x3[i])*factors[3])
		sums[0] += float64(d0 * d0)
		sums[1] += float64(d1 * d1)
		sums[2] += float64(d2 * d2)
		sums[3] += float64(d3 * d3)
	}
}
