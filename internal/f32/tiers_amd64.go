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

var avx512 = searches512().addTo(newTier("avx512", assemblyAVX512, kernelAVX512)).codes512()

var avx2 = rowAssembly{dot4AVX2, squaredDistance4AVX2, notAboveAVX2, nearLeastAVX2, codeBoundsAVX2, false}.addTo(newTier("avx2", assemblyAVX2, kernelAVX2))

// searches512 uses VNNI where the processor has it, which is not part of the tier.
func searches512() rowAssembly {
	a := rowAssembly{dot4AVX512, squaredDistance4AVX512, notAboveAVX512, nearLeastAVX512, codeBoundsAVX2, false}
	if cpuid.CPU.Supports(cpuid.AVX512VNNI) {
		a.codeBounds, a.unsigned = codeBoundsVNNI, true
	}
	return a
}
