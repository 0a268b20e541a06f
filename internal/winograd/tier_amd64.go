//go:build !purego

package winograd

import "lookalike/internal/cpu"

func archTransforms() *transforms {
	switch cpu.Tier() {
	case "amx", "avx512":
		return &transformsAVX512
	case "avx2":
		return &transformsAVX2
	}
	return nil
}
