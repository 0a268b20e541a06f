//go:build !purego

package f32

import "github.com/klauspost/cpuid/v2"

// tierOf returns the tier of a name.
func tierOf(name string) *tier {
	switch name {
	case "amx":
		return amx
	case "avx512":
		return avx512
	case "avx2":
		return avx2
	}
	return generic
}

var amx = avx512.withAMX()

func (t *tier) withAMX() *tier {
	amx := *t
	amx.name = "amx"
	return amx.sieveTiles()
}

var avx512 = searches512().addTo(newTier("avx512", assemblyAVX512)).codes512()

var avx2 = rowAssembly{dot4AVX2, squaredDistance4AVX2, notAboveAVX2, nearLeastAVX2, codeBoundsAVX2, false}.addTo(newTier("avx2", assemblyAVX2))

// searches512 uses VNNI where the processor has it, which is not part of the tier.
func searches512() rowAssembly {
	a := rowAssembly{dot4AVX512, squaredDistance4AVX512, notAboveAVX512, nearLeastAVX512, codeBoundsAVX2, false}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		a.codeBounds, a.unsigned = codeBoundsVNNI, true
	}
	return a
}
