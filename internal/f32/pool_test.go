package f32

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

// hard returns n values that comparisons find hard: few different ones, zeros of
// both signs, infinities and, with nan, NaNs.
func hard(r *rand.Rand, n int, nan bool) []float32 {
	s := make([]float32, n)
	for i := range s {
		switch r.IntN(8) {
		case 0:
			s[i] = float32(math.Copysign(0, float64(r.IntN(2))-0.5))
		case 1:
			s[i] = float32(math.Inf(r.IntN(2)*2 - 1))
		case 2:
			if nan {
				s[i] = float32(math.NaN())
			}
		default:
			s[i] = float32(r.IntN(5) - 2)
		}
	}
	return s
}

// guarded returns n values of v that end at the end of a page, and, with them, as
// many in front of them as break their alignment.
func guarded[T float32 | uint8](t *testing.T, r *rand.Rand, n int, v T) (values, all []T) {
	all = kerneltest.Edge(t, slices.Repeat([]T{v}, 1+r.IntN(20)+n))
	return all[len(all)-n:], all
}

// untouched fails unless all values but the n from the given place on are v.
func untouched[T float32 | uint8](t *testing.T, what string, all []T, from, n int, v T) {
	t.Helper()
	for i, got := range all {
		if (i < from || i >= from+n) && got != v {
			t.Fatalf("%s: value %d is overwritten, the kernel's own are %d to %d", what, i, from, from+n)
		}
	}
}

// TestMaxPool holds every tier against the definition, bit for bit.
func TestMaxPool(t *testing.T) {
	const guard, guardByte = 7777, 77
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 9))
		for channels := 1; channels < 70; channels++ {
			for pixels := range 4 {
				n, odd := pixels*channels, r.IntN(2)*channels
				what := fmt.Sprintf("%d pixels of %d channels", pixels, channels)
				rows := [2][]float32{kerneltest.Edge(t, hard(r, 2*n+odd, pixels > 1)), kerneltest.Edge(t, hard(r, 2*n+odd, pixels > 1))}
				y, allY := guarded[float32](t, r, n, guard)
				silent, allSilent := guarded[float32](t, r, n, guard)
				choice, allChoice := guarded[uint8](t, r, n, guardByte)
				x.maxPool(channels, y, choice, rows[0], rows[1])
				x.maxPool(channels, silent, nil, rows[0], rows[1])
				for i := range n {
					at := 2*(i/channels)*channels + i%channels
					window := []float32{rows[0][at], rows[0][at+channels], rows[1][at], rows[1][at+channels]}
					place := 0
					for p, v := range window {
						if v > window[place] || v != v {
							place = p
						}
					}
					if want := math.Float32bits(window[place]); math.Float32bits(y[i]) != want || int(choice[i]) != place || math.Float32bits(silent[i]) != want {
						t.Fatalf("%s: [%d] of %v = %v at %d, without choice %v, want %v at %d", what, i, window, y[i], choice[i], silent[i], window[place], place)
					}
				}
				untouched(t, what, allY, len(allY)-n, n, guard)
				untouched(t, what, allSilent, len(allSilent)-n, n, guard)
				untouched(t, what, allChoice, len(allChoice)-n, n, guardByte)
			}
		}
	})
}

// TestMaxInto holds every tier against the definition, bit for bit.
func TestMaxInto(t *testing.T) {
	const place = 200
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 14))
		for _, n := range kerneltest.Lengths() {
			old, xs := hard(r, n, true), kerneltest.Edge(t, hard(r, n, true))
			y, allY := guarded[float32](t, r, n, 7777)
			silent, allSilent := guarded[float32](t, r, n, 7777)
			choice, allChoice := guarded[uint8](t, r, n, 77)
			copy(y, old)
			copy(silent, old)
			x.maxInto(y, choice, xs, place)
			x.maxInto(silent, nil, xs, place)
			for i, v := range xs {
				want, wantPlace := math.Float32bits(old[i]), uint8(77)
				if v > old[i] || v != v {
					want, wantPlace = math.Float32bits(v), place
				}
				if math.Float32bits(y[i]) != want || math.Float32bits(silent[i]) != want || choice[i] != wantPlace {
					t.Fatalf("%d values: [%d] of %v and %v = %v, without choice %v, place %d", n, i, old[i], v, y[i], silent[i], choice[i])
				}
			}
			what := fmt.Sprintf("%d values", n)
			untouched(t, what, allY, len(allY)-n, n, 7777)
			untouched(t, what, allSilent, len(allSilent)-n, n, 7777)
			untouched(t, what, allChoice, len(allChoice)-n, n, 77)
		}
	})
}

func TestMaxPoolGrad(t *testing.T) {
	const guard = 7777
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 10))
		for channels := 1; channels < 70; channels++ {
			for pixels := range 4 {
				n, odd := pixels*channels, r.IntN(2)*channels
				what := fmt.Sprintf("%d pixels of %d channels", pixels, channels)
				y, choice := kerneltest.Edge(t, hard(r, n, true)), make([]uint8, n)
				for i := range choice {
					choice[i] = uint8(r.IntN(4))
				}
				choice = kerneltest.Edge(t, choice)
				var rows, all [2][]float32
				for i := range rows {
					rows[i], all[i] = guarded[float32](t, r, 2*n+odd, guard)
				}
				x.maxPoolGrad(channels, rows[0], rows[1], y, choice)
				for i := range n {
					at := 2*(i/channels)*channels + i%channels
					for p, got := range []float32{rows[0][at], rows[0][at+channels], rows[1][at], rows[1][at+channels]} {
						want := uint32(0)
						if p == int(choice[i]) {
							want = math.Float32bits(y[i])
						}
						if math.Float32bits(got) != want {
							t.Fatalf("%s: [%d] at %d is %v, choice %d of %v", what, i, p, got, choice[i], y[i])
						}
					}
				}
				for i := range all {
					untouched(t, what, all[i], len(all[i])-len(rows[i]), 2*n, guard)
				}
			}
		}
	})
}

func FuzzMaxPool(f *testing.F) {
	f.Add(uint32(0x7fc00001), uint32(0xffc00002), uint32(0), uint32(1<<31))
	f.Add(uint32(0x7f800000), uint32(0x3f800000), uint32(0x3f800000), uint32(0xff800000))
	f.Fuzz(func(t *testing.T, a, b, c, d uint32) {
		const channels = 16
		row := func(x, y uint32) []float32 {
			return append(slices.Repeat([]float32{math.Float32frombits(x)}, channels), slices.Repeat([]float32{math.Float32frombits(y)}, channels)...)
		}
		top, bottom := row(a, b), row(c, d)
		var want, got [channels]float32
		var wantChoice, gotChoice [channels]uint8
		generic.maxPool(channels, want[:], wantChoice[:], top, bottom)
		for _, x := range available {
			x.maxPool(channels, got[:], gotChoice[:], top, bottom)
			for i := range got {
				if math.Float32bits(got[i]) != math.Float32bits(want[i]) || gotChoice[i] != wantChoice[i] {
					t.Errorf("%s: of %08x %08x %08x %08x %v at %d, portable %v at %d", x.name, a, b, c, d, got[i], gotChoice[i], want[i], wantChoice[i])
				}
			}
		}
	})
}
