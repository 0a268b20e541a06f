//go:build (amd64 || arm64) && !purego

package winograd

import (
	"testing"

	"lookalike/internal/f32"
)

// TestTier finds assembly for every tier that f32 has assembly for.
func TestTier(t *testing.T) {
	if (arch == nil) != (f32.Tier() == "generic") {
		t.Errorf("tier %s: assembly: %t", f32.Tier(), arch != nil)
	}
}
