package f32

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

// FuzzVectors holds the vector kernels of every tier against the portable ones: to
// the bit where each value is rounded by itself, else within the rounding of sums.
func FuzzVectors(f *testing.F) {
	f.Add(uint64(1), uint16(0), float32(0.3))
	f.Add(uint64(2), uint16(1), float32(1))
	f.Add(uint64(3), uint16(67), float32(-2))
	f.Add(uint64(4), uint16(200), float32(0))
	f.Fuzz(func(t *testing.T, seed uint64, length uint16, alpha float32) {
		if !(math.Abs(float64(alpha)) <= 1<<20) {
			t.Skip("not a useful factor")
		}
		n := int(length) % 600
		for _, x := range available {
			for name, run := range map[string]func(x *tier, y, a, b, c []float32, bytes []uint8){
				"relu":      func(x *tier, y, a, _, _ []float32, _ []uint8) { x.relu(y, a) },
				"reluGrad":  func(x *tier, y, a, b, _ []float32, _ []uint8) { x.reluGrad(y, a, b) },
				"leaky":     func(x *tier, y, a, _, _ []float32, _ []uint8) { x.leaky(y, a, alpha) },
				"leakyGrad": func(x *tier, y, a, b, _ []float32, _ []uint8) { x.leakyGrad(y, a, b, alpha) },
				"eluGrad":   func(x *tier, y, a, b, _ []float32, _ []uint8) { x.eluGrad(y, a, b, alpha) },
				"maxInto":   func(x *tier, y, a, _, _ []float32, bytes []uint8) { x.maxInto(y, bytes, a, 3) },
				"adamax":    func(x *tier, y, a, b, c []float32, _ []uint8) { x.adamax(y, a, b, c, 0.1, 0.999, 1e-3, 0.5, 1e-7) },
				"adam":      func(x *tier, y, a, b, c []float32, _ []uint8) { x.adam(y, a, b, c, 0.1, 1e-3, 0.01, 1e-2, 1e-3, 1e-7) },
			} {
				results := func(x *tier) (all [][]float32, bytes []uint8) {
					r := rand.New(rand.NewPCG(seed, 1))
					for range 4 {
						all = append(all, kerneltest.Edge(t, hard(r, n, true)))
					}
					for i, v := range all[3] { // second moments are never below zero
						all[3][i] = float32(math.Abs(float64(v)))
					}
					bytes = kerneltest.Edge(t, make([]uint8, n))
					run(x, all[0], all[1], all[2], all[3], bytes)
					return all, bytes
				}
				got, gotBytes := results(x)
				want, wantBytes := results(generic)
				for i := range want {
					for j, w := range want[i] {
						if g := got[i][j]; math.Float32bits(g) != math.Float32bits(w) && (g == g || w == w) {
							t.Fatalf("%s, %s of %d values: vector %d has %g at %d, portable %g", x.name, name, n, i, g, j, w)
						}
					}
				}
				if !slices.Equal(gotBytes, wantBytes) {
					t.Fatalf("%s, %s of %d values: other choices than the portable kernel's", x.name, name, n)
				}
			}
			fuzzSums(t, x, seed, n, alpha)
		}
	})
}

// fuzzSums compares what is summed, and so rounded in an order of its own.
func fuzzSums(t *testing.T, x *tier, seed uint64, n int, alpha float32) {
	r := rand.New(rand.NewPCG(seed, 2))
	a, b := kerneltest.Edge(t, kerneltest.Random(r, n)), kerneltest.Edge(t, kerneltest.Random(r, n))
	size := 0.0
	for i := range a {
		size += math.Abs(float64(a[i]) * float64(b[i]))
	}
	near := func(what string, got, want, size float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 2*float64(n+3)*kerneltest.Eps*size) {
			t.Fatalf("%s, %s of %d values: %g, portable %g", x.name, what, n, got, want)
		}
	}
	near("dot", float64(x.dot(a, b)), float64(generic.dot(a, b)), size)
	square := float64(generic.squaredDistance(a, b))
	near("squaredDistance", float64(x.squaredDistance(a, b)), square, square)
	got, want := kerneltest.Edge(t, slices.Clone(b)), slices.Clone(b)
	x.axpy(got, alpha, a)
	generic.axpy(want, alpha, a)
	for i := range want {
		near("axpy", float64(got[i]), float64(want[i]), math.Abs(float64(b[i]))+math.Abs(float64(alpha)*float64(a[i])))
	}
	x.exp(got, a)
	generic.exp(want, a)
	for i := range want {
		if u := ulps(got[i], float64(want[i])); !(u <= 4) {
			t.Fatalf("%s: exp(%g) = %g, portable %g", x.name, a[i], got[i], want[i])
		}
	}
	near("squaredError", x.squaredError(got, a, b, 0.5), generic.squaredError(want, a, b, 0.5), square)
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s, squaredError of %d values: gradient %g at %d, portable %g", x.name, n, got[i], i, want[i])
		}
	}
}
