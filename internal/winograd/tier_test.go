//go:build (amd64 || arm64) && !purego

package winograd

import (
	"testing"

	"lookalike/internal/cpu"
)

// TestTier finds assembly for every tier that f32 has assembly for.
func TestTier(t *testing.T) {
	if (arch == nil) != (cpu.Tier() == "generic") {
		t.Errorf("tier %s: assembly: %t", cpu.Tier(), arch != nil)
	}
}
