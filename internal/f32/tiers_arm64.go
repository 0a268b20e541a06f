//go:build !purego

package f32

import "unsafe"

// archTiers returns NEON, which is part of every arm64 processor that Go runs on.
func archTiers() []*tier { return []*tier{neon} }

var neon = searching(newTier("neon", assembly{
	dot:             dotNEON,
	squaredDistance: squaredDistanceNEON,
	axpy:            axpyNEON,
	axpy4:           axpy4NEON,
	axpy8:           axpy8NEON,
	exp:             expNEON,
	elu:             eluNEON,
	eluGrad:         eluGradNEON,
	relu:            reluNEON,
	reluGrad:        reluGradNEON,
	leaky:           leakyNEON,
	leakyGrad:       leakyGradNEON,
	maxPool:         maxPoolNEON,
	maxPoolChoice:   maxPoolChoiceNEON,
	maxPoolGrad:     maxPoolGradNEON,
	maxInto:         maxIntoNEON,
	maxIntoChoice:   maxIntoChoiceNEON,
	adamax:          adamaxNEON,
	adam:            adamNEON,
	squaredError:    squaredErrorNEON,
}, Kernel{"neon 6x16", 6, 16, packRowsNEON, packNarrowNEON, transpose8NEON, [][]tile{
	{tile1x1NEON, tile1x2NEON, tile1x3NEON, tile1x4NEON},
	{tile2x1NEON, tile2x2NEON, tile2x3NEON, tile2x4NEON},
	{tile3x1NEON, tile3x2NEON, tile3x3NEON, tile3x4NEON},
	{tile4x1NEON, tile4x2NEON, tile4x3NEON, tile4x4NEON},
	{tile5x1NEON, tile5x2NEON, tile5x3NEON, tile5x4NEON},
	{tile6x1NEON, tile6x2NEON, tile6x3NEON, tile6x4NEON},
}, nil, false, nil})) // no reading tiles: MulPack packs first

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
