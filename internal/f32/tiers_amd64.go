//go:build !purego

package f32

import "github.com/klauspost/cpuid/v2"

// archTiers returns the tiers that this processor and operating system support.
func archTiers() (tiers []*tier) {
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX2, cpuid.BMI2) {
		if hasAMX() {
			amx := *avx512
			amx.name, amx.parts = "amx", amxParts
			tiers = append(tiers, amx.sieveTiles())
		}
		tiers = append(tiers, avx512)
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		tiers = append(tiers, avx2)
	}
	return tiers
}

var avx512 = searches512().addTo(newTier("avx512", assembly{
	dot:             dotAVX512,
	squaredDistance: squaredDistanceAVX512,
	axpy:            axpyAVX512,
	axpy4:           axpy4AVX512,
	axpy8:           axpy8AVX512,
	exp:             expAVX512,
	elu:             eluAVX512,
	eluGrad:         eluGradAVX512,
	relu:            reluAVX512,
	reluGrad:        reluGradAVX512,
	leaky:           leakyAVX512,
	leakyGrad:       leakyGradAVX512,
	maxPool:         maxPoolAVX512,
	maxPoolChoice:   maxPoolChoiceAVX512,
	maxPoolGrad:     maxPoolGradAVX512,
	maxInto:         maxIntoAVX512,
	maxIntoChoice:   maxIntoChoiceAVX512,
	adamax:          adamaxAVX512,
	adam:            adamAVX512,
	squaredError:    squaredErrorAVX512,
}, Kernel{"avx512 14x32", 14, 32, packRowsAVX512, packNarrowAVX512, transpose8AVX, [][]tile{
	{tile1x1AVX512, tile1x2AVX512},
	{tile2x1AVX512, tile2x2AVX512},
	{tile3x1AVX512, tile3x2AVX512},
	{tile4x1AVX512, tile4x2AVX512},
	{tile5x1AVX512, tile5x2AVX512},
	{tile6x1AVX512, tile6x2AVX512},
	{tile7x1AVX512, tile7x2AVX512},
	{tile8x1AVX512, tile8x2AVX512},
	{tile9x1AVX512, tile9x2AVX512},
	{tile10x1AVX512, tile10x2AVX512},
	{tile11x1AVX512, tile11x2AVX512},
	{tile12x1AVX512, tile12x2AVX512},
	{tile13x1AVX512, tile13x2AVX512},
	{tile14x1AVX512, tile14x2AVX512},
}, []readingTile{
	readingTile1AVX512, readingTile2AVX512, readingTile3AVX512, readingTile4AVX512, readingTile5AVX512, readingTile6AVX512, readingTile7AVX512,
	readingTile8AVX512, readingTile9AVX512, readingTile10AVX512, readingTile11AVX512, readingTile12AVX512, readingTile13AVX512, readingTile14AVX512,
}, true, []aheadTiles{{6, []aheadTile{
	ahead6Tile1AVX512, ahead6Tile2AVX512, ahead6Tile3AVX512, ahead6Tile4AVX512, ahead6Tile5AVX512, ahead6Tile6AVX512, ahead6Tile7AVX512,
	ahead6Tile8AVX512, ahead6Tile9AVX512, ahead6Tile10AVX512, ahead6Tile11AVX512, ahead6Tile12AVX512, ahead6Tile13AVX512, ahead6Tile14AVX512,
}}}})).codes512()

var avx2 = rowAssembly{dot4AVX2, squaredDistance4AVX2, notAboveAVX2, nearLeastAVX2, codeBoundsAVX2, false}.addTo(newTier("avx2", assembly{
	dot:             dotAVX2,
	squaredDistance: squaredDistanceAVX2,
	axpy:            axpyAVX2,
	axpy4:           axpy4AVX2,
	axpy8:           axpy8AVX2,
	exp:             expAVX2,
	elu:             eluAVX2,
	eluGrad:         eluGradAVX2,
	relu:            reluAVX2,
	reluGrad:        reluGradAVX2,
	leaky:           leakyAVX2,
	leakyGrad:       leakyGradAVX2,
	maxPool:         maxPoolAVX2,
	maxPoolChoice:   maxPoolChoiceAVX2,
	maxPoolGrad:     maxPoolGradAVX2,
	maxInto:         maxIntoAVX2,
	maxIntoChoice:   maxIntoChoiceAVX2,
	adamax:          adamaxAVX2,
	adam:            adamAVX2,
	squaredError:    squaredErrorAVX2,
}, Kernel{"avx2 6x16", 6, 16, packRowsAVX2, packNarrowAVX2, transpose8AVX, [][]tile{
	{tile1x1AVX2, tile1x2AVX2},
	{tile2x1AVX2, tile2x2AVX2},
	{tile3x1AVX2, tile3x2AVX2},
	{tile4x1AVX2, tile4x2AVX2},
	{tile5x1AVX2, tile5x2AVX2},
	{tile6x1AVX2, tile6x2AVX2},
}, []readingTile{readingTile1AVX2, readingTile2AVX2, readingTile3AVX2, readingTile4AVX2, readingTile5AVX2, readingTile6AVX2}, false, []aheadTiles{
	{6, []aheadTile{ahead6Tile1AVX2, ahead6Tile2AVX2, ahead6Tile3AVX2, ahead6Tile4AVX2, ahead6Tile5AVX2, ahead6Tile6AVX2}},
	{10, []aheadTile{ahead10Tile1AVX2, ahead10Tile2AVX2, ahead10Tile3AVX2, ahead10Tile4AVX2, ahead10Tile5AVX2, ahead10Tile6AVX2}},
}}))

// searches512 uses VNNI where the processor has it, which is not part of the tier.
func searches512() rowAssembly {
	a := rowAssembly{dot4AVX512, squaredDistance4AVX512, notAboveAVX512, nearLeastAVX512, codeBoundsAVX2, false}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		a.codeBounds, a.unsigned = codeBoundsVNNI, true
	}
	return a
}
