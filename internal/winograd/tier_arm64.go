//go:build !purego

package winograd

import "lookalike/internal/f32"

// archTransforms returns NEON's. Kernels are transformed once for many pictures, so the
// portable code is left to do that.
func archTransforms() *transforms {
	if f32.Tier() != "neon" {
		return nil
	}
	return &transformsNEON
}
