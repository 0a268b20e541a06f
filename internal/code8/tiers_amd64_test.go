//go:build !purego

package code8

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Sieves set the same bits with tiles as with registers, whichever way rounding goes.
func TestSieveTiers(t *testing.T) {
	var sieves []*tier
	for _, x := range available {
		if x.codeSieve != nil {
			sieves = append(sieves, x)
		}
	}
	if len(sieves) < 2 {
		t.Skip("there is only one")
	}
	r := rand.New(rand.NewPCG(1, 13))
	for range 200 {
		d, n := 1+r.IntN(300), 1+r.IntN(50)
		groups := (d + Group - 1) / Group
		codes := make([]uint8, SieveRows*groups*Group)
		for i := range codes {
			codes[i] = uint8(1 + r.IntN(255))
		}
		queries := make([][]int8, n)
		tests := make([]Test, n+16)
		for i := range queries {
			queries[i] = make([]int8, d)
			for j := range queries[i] {
				queries[i][j] = int8(r.IntN(255) - 127)
			}
			tests[i] = Test{float32(r.IntN(100)), 1, float32(r.IntN(3)), float32(r.IntN(2000) - 1000)}
		}
		rows := make([]float32, SieveRows*3)
		for i := range rows {
			rows[i] = float32(r.IntN(40))
		}
		var want []uint64
		for _, x := range sieves {
			use(t, x)
			q := new(Queries)
			q.Reset(n, d)
			for i, code := range queries {
				q.Set(i, code)
			}
			masks := make([]uint64, q.Places())
			Sieve(masks, 1, codes, rows, q, tests, nil)
			if want == nil {
				want = masks[:n]
			} else if !slices.Equal(masks[:n], want) {
				t.Fatalf("%d queries of %d codes: tier %s has other bits than %s", n, d, x.name, sieves[0].name)
			}
		}
	}
}
