package f32

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// use makes x the active tier for the time of a test.
func use(t *testing.T, x *tier) {
	old := active
	active = x
	t.Cleanup(func() { active = old })
}

func TestRows(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 7))
		for _, n := range lengths() {
			for _, rows := range []int{0, 1, 4, 7, 8} {
				ld := n + r.IntN(3)
				q, m, out := edge(t, random(r, n)), edge(t, random(r, max(0, rows-1)*ld+n)), edge(t, random(r, rows))
				for name, f := range map[string]func(out, q, x []float32, ld int){"Dots": Dots, "SquaredDistances": SquaredDistances} {
					f(out, q, m, ld)
					for i, got := range out {
						want, size := 0.0, 0.0
						for j, v := range q {
							a, b := float64(v), float64(m[i*ld+j])
							term := a * b
							if name == "SquaredDistances" {
								term = (a - b) * (a - b)
							}
							want += term
							size += math.Abs(term)
						}
						if err := math.Abs(float64(got) - want); !(err <= float64(n+3)*eps*size) {
							t.Fatalf("%s of %d values, row %d of %d: %g, want %g", name, n, i, rows, got, want)
						}
					}
				}
			}
		}
	})
}

func TestNotAbove(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 8))
		inf, nan := float32(math.Inf(1)), float32(math.NaN())
		for n := range 300 {
			v := edge(t, random(r, n))
			for i := range v {
				if r.IntN(4) == 0 {
					v[i] = []float32{0.5, inf, -inf, nan, 0}[r.IntN(5)]
				}
			}
			for _, limit := range []float32{0.5, inf, -inf, nan, 0} {
				words := (n + 63) / 64
				mask := make([]uint64, words+1)
				for i := range mask {
					mask[i] = r.Uint64()
				}
				guard := mask[words]
				NotAbove(mask, v, limit)
				if mask[words] != guard {
					t.Fatalf("%d values: wrote past the mask", n)
				}
				for i := range words * 64 {
					want := i < n && !(v[i] > limit)
					if got := mask[i/64]>>(i%64)&1 == 1; got != want {
						t.Fatalf("%d values, limit %g: bit %d is %t", n, limit, i, got)
					}
				}
			}
		}
	})
}

// checkCodes compares a tier with the portable one: products exactly, bits wherever
// the value is not within rounding of the limit.
func checkCodes(t *testing.T, x *tier, r *rand.Rand, blocks, groups int, extreme bool) {
	t.Helper()
	use(t, x)
	code := func() int {
		if extreme {
			return 127 - 254*r.IntN(2)
		}
		return r.IntN(255) - 127
	}
	codes := make([]uint8, blocks*groups*CodeGroup*CodeRows)
	for i := range codes {
		codes[i] = uint8(code() + 128)
	}
	query := make([]int8, groups*CodeGroup)
	for i := range query {
		query[i] = int8(code())
	}
	codes = edge(t, codes)
	rows := edge(t, random(r, blocks*CodeRows*3))
	dots, mask := make([]int32, blocks*CodeRows), make([]uint64, (blocks+3)/4+1)
	guard := mask[len(mask)-1]
	wantDots, wantMask := slices.Clone(dots), slices.Clone(mask)
	k, limit := [3]float32{float32(r.NormFloat64()) * 1000, float32(r.NormFloat64()), 7}, float32(r.NormFloat64())*100
	q := NewCodeQuery(query)
	CodeBounds(mask, dots, codes, rows, q, k, limit)
	codeBoundsGeneric(wantMask, wantDots, codes, rows, q, k, limit)
	if !slices.Equal(dots, wantDots) {
		t.Fatalf("%d blocks of %d groups: products %v, want %v", blocks, groups, dots, wantDots)
	}
	if mask[len(mask)-1] != guard {
		t.Fatalf("%d blocks: wrote past the mask", blocks)
	}
	for i, dot := range dots {
		b, j := i/CodeRows, i%CodeRows
		c := rows[b*3*CodeRows:]
		p := [3]float64{float64(k[0]) * float64(c[j]), -float64(k[1]) * float64(dot) * float64(c[CodeRows+j]), -float64(k[2]) * float64(c[2*CodeRows+j])}
		v := p[0] + p[1] + p[2]
		if size := math.Abs(p[0]) + math.Abs(p[1]) + math.Abs(p[2]); math.Abs(v-float64(limit)) <= 8*eps*size {
			continue
		}
		if got, want := mask[i/64]>>(i%64)&1 == 1, !(v > float64(limit)); got != want {
			t.Fatalf("%d blocks of %d groups: row %d: %t, %g with limit %g", blocks, groups, i, got, v, limit)
		}
	}
	for i := len(dots); i < (len(mask)-1)*64; i++ {
		if mask[i/64]>>(i%64)&1 == 1 {
			t.Fatalf("%d blocks: bit %d is set", blocks, i)
		}
	}
}

func TestCodeBounds(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 9))
		for blocks := 1; blocks <= 9; blocks++ {
			for groups := 1; groups <= 13; groups++ {
				checkCodes(t, x, r, blocks, groups, groups%4 == 0)
			}
		}
		checkCodes(t, x, r, 1, 1<<14, true)
	})
}
