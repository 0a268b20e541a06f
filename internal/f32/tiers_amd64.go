//go:build !purego

package f32

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// archTiers returns the tiers that this processor and operating system support.
func archTiers() (tiers []*tier) {
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX2, cpuid.BMI2) {
		tiers = append(tiers, avx512)
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		tiers = append(tiers, avx2)
	}
	return tiers
}

var avx512 = newTier("avx512", dotAVX512, squaredDistanceAVX512, axpyAVX512, axpy8AVX512, expAVX512, eluAVX512, eluGradAVX512,
	Kernel{"avx512 14x32", 14, 32, packRowsAVX512, packNarrowAVX512, transpose8AVX, [][]tile{
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
	}})

var avx2 = newTier("avx2", dotAVX2, squaredDistanceAVX2, axpyAVX2, axpy8AVX2, expAVX2, eluAVX2, eluGradAVX2,
	Kernel{"avx2 6x16", 6, 16, packRowsAVX2, packNarrowAVX2, transpose8AVX, [][]tile{
		{tile1x1AVX2, tile1x2AVX2},
		{tile2x1AVX2, tile2x2AVX2},
		{tile3x1AVX2, tile3x2AVX2},
		{tile4x1AVX2, tile4x2AVX2},
		{tile5x1AVX2, tile5x2AVX2},
		{tile6x1AVX2, tile6x2AVX2},
	}})

// newTier wraps assembly, which takes lengths and pointers.
func newTier(name string,
	dot, squaredDistance func(n int, a, b *float32) float32,
	axpy func(n int, y *float32, alpha float32, x *float32),
	axpy8 func(n int, y, a *float32, as int, b *float32, ldb int),
	exp func(n int, dst, src *float32),
	elu func(n int, dst, src *float32, alpha float32),
	eluGrad func(n int, dx, dy, y *float32, alpha float32),
	kernel Kernel,
) *tier {
	return &tier{
		name: name,
		dot: func(a, b []float32) float32 {
			return dot(len(a), unsafe.SliceData(a), unsafe.SliceData(b))
		},
		squaredDistance: func(a, b []float32) float32 {
			return squaredDistance(len(a), unsafe.SliceData(a), unsafe.SliceData(b))
		},
		axpy: func(y []float32, alpha float32, x []float32) {
			axpy(len(y), unsafe.SliceData(y), alpha, unsafe.SliceData(x))
		},
		axpy8: func(y, a []float32, as int, b []float32, ldb int) {
			axpy8(len(y), unsafe.SliceData(y), unsafe.SliceData(a), as, unsafe.SliceData(b), ldb)
		},
		exp: func(dst, src []float32) {
			exp(len(src), unsafe.SliceData(dst), unsafe.SliceData(src))
		},
		elu: func(dst, src []float32, alpha float32) {
			elu(len(src), unsafe.SliceData(dst), unsafe.SliceData(src), alpha)
		},
		eluGrad: func(dx, dy, y []float32, alpha float32) {
			eluGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), alpha)
		},
		kernel: kernel,
	}
}
