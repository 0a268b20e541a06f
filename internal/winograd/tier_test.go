//go:build (amd64 || arm64) && !purego

package winograd

import (
	"testing"

	"lookalike/internal/f32"
	"lookalike/internal/kerneltest"
)

// TestTier finds assembly for every tier that f32 has assembly for.
func TestTier(t *testing.T) {
	if (arch == nil) != (f32.Tier() == "generic") {
		t.Errorf("tier %s: assembly: %t", f32.Tier(), arch != nil)
	}
}

// TestGenerated compares the committed assembly with what the generators write.
func TestGenerated(t *testing.T) {
	for arch, source := range map[string]string{"amd64": "_asm", "arm64": "../f32/_asm/neon"} {
		t.Run(arch, func(t *testing.T) { kerneltest.Generated(t, "winograd", arch, source) })
	}
}
