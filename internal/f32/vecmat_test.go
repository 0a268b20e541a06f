package f32

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

func TestAxpyRows(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 8))
		for _, n := range kerneltest.Lengths() {
			for rows, add := range map[int]func(y, a []float32, as int, b []float32, ldb int){4: x.axpy4, 8: x.axpy8} {
				as, ldb := 1+r.IntN(3), n+r.IntN(3)
				a, b, y := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*as+1)), kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldb+n)), kerneltest.Edge(t, kerneltest.Random(r, n))
				before := slices.Clone(y)
				add(y, a, as, b, ldb)
				for i, old := range before {
					want, size := float64(old), math.Abs(float64(old))
					for u := range rows {
						v := float64(a[u*as]) * float64(b[u*ldb+i])
						want += v
						size += math.Abs(v)
					}
					if err := math.Abs(float64(y[i]) - want); !(err <= float64(rows+1)*kerneltest.Eps*size) {
						t.Fatalf("%d rows of %d values: y[%d] = %g, want %g", rows, n, i, y[i], want)
					}
				}
			}
		}
	})
}

// TestVecMat holds sums over panels of columns to those over rows, to the bit.
func TestVecMat(t *testing.T) {
	defer func(was *tier) { active = was }(active)
	eachTier(t, func(t *testing.T, x *tier) {
		active = x
		r := rand.New(rand.NewPCG(1, 9))
		p := x.panel
		for _, n := range []int{1, 7, p - 1, p, p + 1, 2 * p, 3*p + 5} {
			for _, k := range []int{0, 1, 2, 7, 8, 13, 40} {
				for range 3 {
					as, ldb := r.IntN(3), n+r.IntN(3)
					a, b := kerneltest.Edge(t, kerneltest.Random(r, max(0, k-1)*as+1)), kerneltest.Edge(t, kerneltest.Random(r, max(0, (k-1)*ldb+n)))
					y := kerneltest.Edge(t, kerneltest.Random(r, n))
					want := slices.Clone(y)
					AddVecMat(want, k, a, as, b, ldb)
					AddCachedVecMat(y, k, a, as, b, ldb)
					for i := range want {
						if math.Float32bits(y[i]) != math.Float32bits(want[i]) {
							t.Fatalf("%d rows of %d values, strides %d and %d: y[%d] = %g, want %g", k, n, as, ldb, i, y[i], want[i])
						}
					}
				}
			}
		}
	})
}
