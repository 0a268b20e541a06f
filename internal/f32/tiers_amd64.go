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

var avx512 = searches512().addTo(newTier("avx512", assembly{
	dot:             dotAVX512,
	squaredDistance: squaredDistanceAVX512,
	axpy:            axpyAVX512,
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
}, []packingTile{
	packingTile1AVX512, packingTile2AVX512, packingTile3AVX512, packingTile4AVX512, packingTile5AVX512, packingTile6AVX512, packingTile7AVX512,
	packingTile8AVX512, packingTile9AVX512, packingTile10AVX512, packingTile11AVX512, packingTile12AVX512, packingTile13AVX512, packingTile14AVX512,
}}))

var avx2 = rowAssembly{dot4AVX2, squaredDistance4AVX2, notAboveAVX2, codeBoundsAVX2, false}.addTo(newTier("avx2", assembly{
	dot:             dotAVX2,
	squaredDistance: squaredDistanceAVX2,
	axpy:            axpyAVX2,
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
}, []packingTile{packingTile1AVX2, packingTile2AVX2, packingTile3AVX2, packingTile4AVX2, packingTile5AVX2, packingTile6AVX2}}))

// searches512 uses VNNI where the processor has it, which is not part of the tier.
func searches512() rowAssembly {
	a := rowAssembly{dot4AVX512, squaredDistance4AVX512, notAboveAVX512, codeBoundsAVX2, false}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		a.codeBounds, a.unsigned = codeBoundsVNNI, true
	}
	return a
}

// assembly holds a tier's vector kernels, which take lengths and pointers.
type assembly struct {
	dot, squaredDistance func(n int, a, b *float32) float32
	axpy                 func(n int, y *float32, alpha float32, x *float32)
	axpy8                func(n int, y, a *float32, as int, b *float32, ldb int)
	exp                  func(n int, dst, src *float32)
	elu                  func(n int, dst, src *float32, alpha float32)
	eluGrad              func(n int, dx, dy, y *float32, alpha float32)
	relu                 func(n int, dst, src *float32)
	reluGrad             func(n int, dx, dy, y *float32)
	leaky                func(n int, dst, src *float32, alpha float32)
	leakyGrad            func(n int, dx, dy, y *float32, alpha float32)
	maxPool              func(pixels, channels int, y, top, bottom *float32)
	maxPoolChoice        func(pixels, channels int, y *float32, choice *uint8, top, bottom *float32)
	maxPoolGrad          func(pixels, channels int, top, bottom, y *float32, choice *uint8)
	maxInto              func(n int, y, x *float32)
	maxIntoChoice        func(n int, y *float32, choice *uint8, x *float32, place uint32)
	adamax               func(n int, w, g, m, u *float32, keep, mix, decay, step, epsilon float32)
	adam                 func(n int, w, g, m, v *float32, mix1, mix2, shrink, step, epsilon float32)
	squaredError         func(n int, grad, p, t *float32, scale float64) float64
}

// newTier wraps assembly in functions of slices.
func newTier(name string, a assembly, kernel Kernel) *tier {
	lanes := kernel.NR / len(kernel.tiles[0])
	return &tier{
		name: name,
		dot: func(x, y []float32) float32 {
			return a.dot(len(x), unsafe.SliceData(x), unsafe.SliceData(y))
		},
		squaredDistance: func(x, y []float32) float32 {
			return a.squaredDistance(len(x), unsafe.SliceData(x), unsafe.SliceData(y))
		},
		axpy: func(y []float32, alpha float32, x []float32) {
			a.axpy(len(y), unsafe.SliceData(y), alpha, unsafe.SliceData(x))
		},
		axpy8: func(y, x []float32, as int, b []float32, ldb int) {
			a.axpy8(len(y), unsafe.SliceData(y), unsafe.SliceData(x), as, unsafe.SliceData(b), ldb)
		},
		exp: func(dst, src []float32) {
			a.exp(len(src), unsafe.SliceData(dst), unsafe.SliceData(src))
		},
		elu: func(dst, src []float32, alpha float32) {
			a.elu(len(src), unsafe.SliceData(dst), unsafe.SliceData(src), alpha)
		},
		eluGrad: func(dx, dy, y []float32, alpha float32) {
			a.eluGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), alpha)
		},
		relu: func(dst, src []float32) {
			a.relu(len(src), unsafe.SliceData(dst), unsafe.SliceData(src))
		},
		reluGrad: func(dx, dy, y []float32) {
			a.reluGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y))
		},
		leaky: func(dst, src []float32, alpha float32) {
			a.leaky(len(src), unsafe.SliceData(dst), unsafe.SliceData(src), alpha)
		},
		leakyGrad: func(dx, dy, y []float32, alpha float32) {
			a.leakyGrad(len(y), unsafe.SliceData(dx), unsafe.SliceData(dy), unsafe.SliceData(y), alpha)
		},
		// Pixels of less than a register of channels are left to the portable pooling.
		maxPool: func(channels int, y []float32, choice []uint8, top, bottom []float32) {
			switch {
			case len(y) == 0:
			case channels < lanes:
				maxPoolGeneric(channels, y, choice, top, bottom)
			case choice == nil:
				a.maxPool(len(y)/channels, channels, unsafe.SliceData(y), unsafe.SliceData(top), unsafe.SliceData(bottom))
			default:
				a.maxPoolChoice(len(y)/channels, channels, unsafe.SliceData(y), unsafe.SliceData(choice), unsafe.SliceData(top), unsafe.SliceData(bottom))
			}
		},
		maxInto: func(y []float32, choice []uint8, x []float32, place uint8) {
			switch {
			case len(y) < lanes:
				maxIntoGeneric(y, choice, x, place)
			case choice == nil:
				a.maxInto(len(y), unsafe.SliceData(y), unsafe.SliceData(x))
			default:
				a.maxIntoChoice(len(y), unsafe.SliceData(y), unsafe.SliceData(choice), unsafe.SliceData(x), uint32(place))
			}
		},
		maxPoolGrad: func(channels int, top, bottom, y []float32, choice []uint8) {
			switch {
			case len(y) == 0:
			case channels < lanes:
				maxPoolGradGeneric(channels, top, bottom, y, choice)
			default:
				a.maxPoolGrad(len(y)/channels, channels, unsafe.SliceData(top), unsafe.SliceData(bottom), unsafe.SliceData(y), unsafe.SliceData(choice))
			}
		},
		adamax: func(w, g, m, u []float32, keep, mix, decay, step, epsilon float32) {
			a.adamax(len(w), unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(u), keep, mix, decay, step, epsilon)
		},
		adam: func(w, g, m, v []float32, mix1, mix2, shrink, step, epsilon float32) {
			a.adam(len(w), unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v), mix1, mix2, shrink, step, epsilon)
		},
		squaredError: func(grad, p, t []float32, scale float64) float64 {
			return a.squaredError(len(grad), unsafe.SliceData(grad), unsafe.SliceData(p), unsafe.SliceData(t), scale)
		},
		kernel: kernel,
	}
}
