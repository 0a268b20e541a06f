//go:build !purego

package f32

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
	t.nearLeast = nearLeastGeneric
	t.pickedDots, t.pickedSquares = fourPicked(t.dot4), fourPicked(t.squaredDistance4)
	t.squaresInOrder, t.notAbove = squaresInOrderGeneric, notAboveGeneric
	return t
}
