//go:build !purego

package cpu

import (
	"slices"
	"testing"
)

// TestTiersComplete fails if the processor has a tier that the tests do not run.
func TestTiersComplete(t *testing.T) {
	if want := []string{"neon", "generic"}; !slices.Equal(Tiers(), want) {
		t.Errorf("tiers tested: %v, want %v", Tiers(), want)
	}
}
