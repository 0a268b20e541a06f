//go:build !purego

package f32

import "unsafe"

// rowAssembly holds a tier's kernels of search.
type rowAssembly struct {
	dot4, squaredDistance4 func(n int, q, x *float32, ld int, out *float32)
	notAbove               func(n int, mask *uint64, x *float32, limit float32)
	codeBounds             func(blocks, groups int, mask *uint64, dots *int32, codes *uint8, rows *float32, query, size *int8, start int32, keep, product, radius, limit float32)
	unsigned               bool // codeBounds takes codes as they are, 128 too large
}

// addTo puts the kernels into a tier.
func (a rowAssembly) addTo(t *tier) *tier {
	t.dot4 = func(out, q, x []float32, ld int) {
		a.dot4(len(q), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(out))
	}
	t.squaredDistance4 = func(out, q, x []float32, ld int) {
		a.squaredDistance4(len(q), unsafe.SliceData(q), unsafe.SliceData(x), ld, unsafe.SliceData(out))
	}
	t.notAbove = func(mask []uint64, x []float32, limit float32) {
		a.notAbove(len(x), unsafe.SliceData(mask), unsafe.SliceData(x), limit)
	}
	t.codeBounds = func(mask []uint64, dots []int32, codes []uint8, rows []float32, q CodeQuery, k [3]float32, limit float32) {
		var start int32
		if a.unsigned {
			start = -128 * q.sum
		}
		a.codeBounds(len(dots)/CodeRows, len(q.codes)/CodeGroup, unsafe.SliceData(mask), unsafe.SliceData(dots), unsafe.SliceData(codes), unsafe.SliceData(rows),
			unsafe.SliceData(q.codes), unsafe.SliceData(q.sizes), start, k[0], k[1], k[2], limit)
	}
	return t
}
