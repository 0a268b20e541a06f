//go:build !purego

package winograd

import "lookalike/internal/cpu"

// archTransforms returns NEON's. Kernels are transformed once for many pictures, so the
// portable code is left to do that.
func archTransforms() *transforms {
	if cpu.Tier() != "neon" {
		return nil
	}
	return &transformsNEON
}
