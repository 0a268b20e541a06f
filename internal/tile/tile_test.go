package tile

import (
	"slices"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/internal/misusetest"
)

// available are the tiers that this processor has, best first.
var available = func() (list []*tier) {
	for _, name := range cpu.Tiers() {
		list = append(list, tierOf(name))
	}
	return list
}()

// eachTier runs f for every tier that this processor has.
func eachTier(t *testing.T, f func(t *testing.T, x *tier)) {
	for _, x := range available {
		t.Run(x.name, func(t *testing.T) { f(t, x) })
	}
}

// TestTiersFilled finds every tile in every tier.
func TestTiersFilled(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		if len(x.kernel.tiles) != x.kernel.MR {
			t.Errorf("%d sizes of tiles, want %d", len(x.kernel.tiles), x.kernel.MR)
		}
		for r, widths := range x.kernel.tiles {
			if len(widths) == 0 || slices.ContainsFunc(widths, func(f tile) bool { return f == nil }) {
				t.Errorf("a tile of %d rows is missing", r+1)
			}
		}
	})
}

func TestMisuse(t *testing.T) {
	misusetest.CheckPanics(t, map[string]func(){
		"tile.Kernel.Mul: ": func() {
			Gemm().Mul(1, 1, 2, make([]float32, 1), 1, 1, make([]float32, 100), nil, 0, make([]float32, 1), 1)
		},
	})
}
