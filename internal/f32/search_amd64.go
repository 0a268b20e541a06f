//go:build !purego

package f32

import "unsafe"

// rowAssembly holds a tier's kernels of search.
type rowAssembly struct {
	dot4, squaredDistance4 func(n int, q, x0, x1, x2, x3, next *float32, ld int, out *float32)
	notAbove               func(n int, mask *uint64, x *float32, limit float32)
	nearLeast              func(n int, x *float32, k int32) float32
}

// picked puts the kernels of AVX-512 for rows that lie anywhere into the tier.
func (t *tier) picked() *tier {
	t.pickedDots = func(out, q, x []float32, ld int, rows []int32) {
		pickedDotsAVX512(len(rows)/4, len(q), unsafe.SliceData(out), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(rows))
	}
	t.pickedSquares = func(out, q, x []float32, ld int, rows []int32) {
		pickedSquaresAVX512(len(rows)/4, len(q), unsafe.SliceData(out), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(rows))
	}
	return t
}

// addTo puts the kernels into a tier.
func (a rowAssembly) addTo(t *tier) *tier {
	t.dot4 = func(out *[4]float32, q []float32, rows *Rows, next []float32, ld int) {
		a.dot4(len(q), unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), unsafe.SliceData(next), ld, &out[0])
	}
	t.squaredDistance4 = func(out *[4]float32, q []float32, rows *Rows, next []float32, ld int) {
		a.squaredDistance4(len(q), unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), unsafe.SliceData(next), ld, &out[0])
	}
	t.squaresInOrder = func(sums *[4]float64, q []float32, factor float64, rows *Rows, factors *[4]float64) {
		whole := len(q) &^ 3
		if whole > 0 {
			squaresInOrderAVX2(whole, unsafe.SliceData(q), unsafe.SliceData(rows[0]), unsafe.SliceData(rows[1]), unsafe.SliceData(rows[2]), unsafe.SliceData(rows[3]), factor, &factors[0], &sums[0])
		}
		addSquaresInOrder(sums, q, factor, rows, factors, whole)
	}
	t.notAbove = func(mask []uint64, x []float32, limit float32) {
		a.notAbove(len(x), unsafe.SliceData(mask), unsafe.SliceData(x), limit)
	}
	t.nearLeast = func(x []float32, k int) float32 { return a.nearLeast(len(x), unsafe.SliceData(x), int32(k)) }
	t.pickedDots, t.pickedSquares = fourPicked(t.dot4), fourPicked(t.squaredDistance4)
	return t
}
