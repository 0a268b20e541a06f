//go:build !purego

package winograd

import "lookalike/internal/f32"

func archTransforms() *transforms {
	switch f32.Tier() {
	case "amx", "avx512":
		return &transformsAVX512
	case "avx2":
		return &transformsAVX2
	}
	return nil
}
