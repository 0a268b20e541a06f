//go:build !purego

package cpu

import "github.com/klauspost/cpuid/v2"

// archTiers returns the tiers that this processor and operating system support, best first.
func archTiers() (tiers []string) {
	if cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX2, cpuid.BMI2) {
		if hasAMX() {
			tiers = append(tiers, "amx")
		}
		tiers = append(tiers, "avx512")
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		tiers = append(tiers, "avx2")
	}
	return tiers
}
