//go:build !purego

package f32

import "unsafe"

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	if name == "neon" {
		return neon
	}
	return generic
}

var neon = searching(newTier("neon", assemblyNEON))

// searching gives t the kernels of search: four rows one by one, and for the rest
// the portable ones.
func searching(t *tier) *tier {
	t.dot4, t.squaredDistance4 = oneByOne(t.dot), oneByOne(t.squaredDistance)
	t.nearLeast, t.setBits = nearLeastGeneric, setBitsGeneric
	t.pickedDots, t.pickedSquares = fourPicked(t.dot4), fourPicked(t.squaredDistance4)
	t.squaresInOrder, t.notAbove = squaresInOrderGeneric, notAboveGeneric
	t.codeBounds = blockwise(func(dots []int32, codes []uint8, q CodeQuery) {
		codeDotsNEON(len(q.codes)/CodeGroup, unsafe.SliceData(codes), unsafe.SliceData(q.codes), unsafe.SliceData(dots))
	})
	t.codeRange, t.codeMake = codeRangeGeneric, codeMakeGeneric
	return t
}
