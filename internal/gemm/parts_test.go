package gemm

import (
	"math/rand/v2"
	"testing"

	"lookalike/internal/tile"
)

// TestMulParts multiplies by parts on every processor, in all layouts, with blocks,
// slabs and strips that are cut off.
func TestMulParts(t *testing.T) {
	defer func(p *tile.Parts) { parts = p }(parts)
	for _, p := range []*tile.Parts{parts, tile.PortableParts} {
		if parts = p; p == nil {
			continue
		}
		r := rand.New(rand.NewPCG(1, 9))
		shapes := [][3]int{{97, 33, partsDepth + 1}, {partsFrom, 32, partsDepth}, {partsRows + 1, 65, 300}, {100, partsCols + 40, 140}}
		if p == tile.PortableParts {
			shapes = shapes[:1] // which is slow
		}
		for i, s := range shapes {
			for layout := range 4 {
				checkMul(t, r, layout&1 != 0, layout&2 != 0, s[0], s[1], s[2], layout, (i+layout)%3)
			}
		}
	}
}

// TestPartsBits: the bits are the same however many goroutines share the work, which
// TestGOMAXPROCS holds for the tier in use.
func TestPartsBits(t *testing.T) {
	defer func(p *tile.Parts) { parts = p }(parts)
	parts = tile.PortableParts
	const m, n, k = 100, 40, 130
	r := rand.New(rand.NewPCG(1, 10))
	a, b := random(r, m*k), random(r, k*n)
	x := product{m: m, n: n, k: k, a: a, ars: k, acs: 1, b: b, ldb: n, c: make([]float32, m*n), ldc: n}
	y := x
	y.c = make([]float32, m*n)
	new(workspace).multiplyParts(x)
	for _, lo := range []int{0, 7, 80} {
		hi := map[int]int{0: 7, 7: 80, 80: m}[lo]
		new(workspace).multiplyParts(y.rows(lo, hi).columns(0, 32))
		new(workspace).multiplyParts(y.rows(lo, hi).columns(32, n))
	}
	for i, v := range x.c {
		if v != y.c[i] {
			t.Fatalf("C[%d, %d] is %g in one piece, %g in six", i/n, i%n, v, y.c[i])
		}
	}
}
