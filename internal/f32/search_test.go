package f32

import (
	"math"
	"math/rand/v2"
	"testing"

	"lookalike/internal/kerneltest"
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
		for _, n := range kerneltest.Lengths() {
			for _, rows := range []int{0, 1, 4, 7, 8} {
				ld := n + r.IntN(3)
				q, m, out := kerneltest.Edge(t, kerneltest.Random(r, n)), kerneltest.Edge(t, kerneltest.Random(r, max(0, rows-1)*ld+n)), kerneltest.Edge(t, kerneltest.Random(r, rows))
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
						if err := math.Abs(float64(got) - want); !(err <= float64(n+3)*kerneltest.Eps*size) {
							t.Fatalf("%s of %d values, row %d of %d: %g, want %g", name, n, i, rows, got, want)
						}
					}
				}
			}
		}
	})
}

// Picked rows, in any order and some twice, have the sums that they have alone.
func TestRowsAt(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 13))
		for _, n := range kerneltest.Lengths() {
			for _, count := range []int{0, 4, 12} {
				const rows = 9
				ld := max(1, n+r.IntN(3))
				q, m := kerneltest.Edge(t, kerneltest.Random(r, n)), kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ld+n))
				at := kerneltest.Edge(t, make([]int32, count))
				for i := range at {
					at[i] = int32(r.IntN(rows))
				}
				dots, squares := kerneltest.Edge(t, kerneltest.Random(r, count)), kerneltest.Edge(t, kerneltest.Random(r, count))
				DotsAt(dots, q, m, ld, at)
				SquaredDistancesAt(squares, q, m, ld, at)
				for i, row := range at {
					var dot, square, size float64
					for j, v := range q {
						a, b := float64(v), float64(m[int(row)*ld+j])
						dot += a * b
						square += (a - b) * (a - b)
						size += math.Abs(a * b)
					}
					if off := float64(n+3) * kerneltest.Eps; !(math.Abs(float64(dots[i])-dot) <= off*size && math.Abs(float64(squares[i])-square) <= off*square) {
						t.Fatalf("%d values, row %d: product %g, want %g; squared distance %g, want %g", n, row, dots[i], dot, squares[i], square)
					}
				}
			}
		}
	})
}

func TestRowsAtRefuses(t *testing.T) {
	x := make([]float32, 20)
	for name, f := range map[string]func(){
		"a row too far":  func() { DotsAt(make([]float32, 4), x[:4], x, 4, []int32{0, 5, 1, 1}) },
		"a row below 0":  func() { SquaredDistancesAt(make([]float32, 4), x[:4], x, 4, []int32{0, -1, 1, 1}) },
		"three rows":     func() { DotsAt(make([]float32, 4), x[:4], x, 4, []int32{0, 1, 2}) },
		"too little out": func() { DotsAt(make([]float32, 3), x[:4], x, 4, []int32{0, 1, 2, 3}) },
		"too long":       func() { DotsAt(make([]float32, 4), make([]float32, 21), x, 4, []int32{0, 0, 0, 0}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestNearLeast(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 14))
		special := []float32{float32(math.NaN()), float32(math.Copysign(math.NaN(), -1)), float32(math.Inf(1)), float32(math.Inf(-1)), 0}
		for _, n := range []int{32, 33, 63, 64, 96, 256} {
			for kind := range 3 {
				for k := 1; k <= leastClasses; k += 1 + r.IntN(6) {
					v := kerneltest.Edge(t, kerneltest.Random(r, n))
					for i := range v {
						if kind == 1 { // many equal ones
							v[i] = float32(r.IntN(5))
						}
						if kind == 2 && r.IntN(3) == 0 {
							v[i] = special[r.IntN(len(special))]
						}
					}
					got, least := NearLeast(v, k), 0
					for _, w := range v {
						if w <= got {
							least++
						}
					}
					if least < k && !math.IsInf(float64(got), 1) {
						t.Fatalf("least %d of %v: %g, which only %d are not above", k, v, got, least)
					}
					if want := nearLeastGeneric(v[:n/leastClasses*leastClasses], k); kind < 2 && got != want {
						t.Fatalf("least %d of %v: %g, want %g", k, v, got, want)
					}
				}
			}
		}
	})
}

func TestFourRows(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		use(t, x)
		r := rand.New(rand.NewPCG(1, 6))
		for _, n := range kerneltest.Lengths() {
			q := kerneltest.Edge(t, kerneltest.Random(r, n))
			factor, factors := r.NormFloat64(), [4]float64{1, r.NormFloat64(), 0, r.NormFloat64()}
			var rows Rows
			for i := range rows {
				rows[i] = kerneltest.Edge(t, kerneltest.Random(r, n))
			}
			var dots, distances [4]float32
			DotRows(&dots, q, &rows, q)
			SquaredDistanceRows(&distances, q, &rows, nil)
			squares := [4]float64{1}
			SquaresInOrder(&squares, q, factor, &rows, &factors)
			for i, row := range rows {
				var dot, distance, size, square float64
				for j, v := range q {
					a, b := float64(v), float64(row[j])
					dot += a * b
					distance += (a - b) * (a - b)
					size += math.Abs(a * b)
					d := float64(a*factor) - float64(b*factors[i])
					square += float64(d * d)
				}
				if off := float64(n+3) * kerneltest.Eps; !(math.Abs(float64(dots[i])-dot) <= off*size && math.Abs(float64(distances[i])-distance) <= off*distance) {
					t.Fatalf("%d values, row %d: product %g, want %g; squared distance %g, want %g", n, i, dots[i], dot, distances[i], distance)
				}
				if squares[i] != square {
					t.Fatalf("%d values, row %d: squares in order %g, want %g", n, i, squares[i], square)
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
			v := kerneltest.Edge(t, kerneltest.Random(r, n))
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
