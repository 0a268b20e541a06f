//go:build !purego

package cpu

import (
	"slices"
	"testing"

	"github.com/klauspost/cpuid/v2"
)

// TestTiersComplete fails if the processor has a tier that the tests do not run.
func TestTiersComplete(t *testing.T) {
	for name, has := range map[string]bool{
		"amx":    hasAMX(),
		"avx512": cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX2, cpuid.BMI2),
		"avx2":   cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3),
	} {
		if has != slices.Contains(Tiers(), name) {
			t.Errorf("tier %s: processor has it: %t, tested: %t", name, has, !has)
		}
	}
}
