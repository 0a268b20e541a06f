package f32

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

// TestOptimizers holds every tier's updates against the portable ones, bit for
// bit, and those against float64.
func TestOptimizers(t *testing.T) {
	type update func(x *tier, w, g, m, u []float32)
	for name, c := range map[string]struct {
		run  update
		want func(w, g, m, u float64) (w1, m1, u1 float64)
	}{
		"adamax": {
			func(x *tier, w, g, m, u []float32) { x.adamax(w, g, m, u, 0.125, 0.75, 0.25, 0.875, 0.5) },
			func(w, g, m, u float64) (_, _, _ float64) {
				m, u = m+0.125*(g-m), max(0.75*u, math.Abs(g))
				return w - 0.25*m/(0.875*(u+0.5)), m, u
			},
		},
		"adam": {
			func(x *tier, w, g, m, u []float32) { x.adam(w, g, m, u, 0.125, 0.25, 0.0625, 0.5, 0.25, 0.5) },
			func(w, g, m, v float64) (_, _, _ float64) {
				m, v = m+0.125*(g-m), v+0.25*(g*g-v)
				return w - 0.0625*0.5*w - 0.25*m/(math.Sqrt(v)+0.5), m, v
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, x *tier) {
				r := rand.New(rand.NewPCG(1, 11))
				for _, n := range kerneltest.Lengths() {
					for _, g := range [][]float32{kerneltest.Random(r, n), hard(r, n, true)} {
						w, m, u := kerneltest.Random(r, n), kerneltest.Random(r, n), kerneltest.Random(r, n)
						for i := range u {
							u[i] *= u[i]
						}
						var got, want [3][]float32 // w, m, u
						for i, s := range [][]float32{w, m, u} {
							got[i], want[i] = kerneltest.Edge(t, s), slices.Clone(s)
						}
						c.run(x, got[0], kerneltest.Edge(t, g), got[1], got[2])
						c.run(generic, want[0], g, want[1], want[2])
						for k, slot := range []string{"w", "m", "u"} {
							for i := range n {
								what := fmt.Sprintf("%s of %d values: %s[%d] = %v", name, n, slot, i, got[k][i])
								if a, b := got[k][i], want[k][i]; math.Float32bits(a) != math.Float32bits(b) && !(a != a && b != b) {
									t.Fatalf("%s, portable %v", what, b)
								}
								var exact [3]float64
								exact[0], exact[1], exact[2] = c.want(float64(w[i]), float64(g[i]), float64(m[i]), float64(u[i]))
								if v, e := float64(got[k][i]), exact[k]; math.IsNaN(e) || math.IsInf(e, 0) {
									if v != e && !(v != v && e != e) {
										t.Fatalf("%s, want %v", what, e)
									}
								} else if size := math.Abs(float64(w[i])) + math.Abs(float64(g[i])) + math.Abs(float64(m[i])) + math.Abs(e); !(math.Abs(v-e) <= 8*kerneltest.Eps*size) {
									t.Fatalf("%s, want %v", what, e)
								}
							}
						}
					}
				}
			})
		})
	}
}

// TestSquaredError holds every tier's gradient against the definition, bit for
// bit, in place, and its sum within the rounding of float64.
func TestSquaredError(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 13))
		const scale = 1.0 / 3
		for _, n := range kerneltest.Lengths() {
			p, target := kerneltest.Random(r, n), kerneltest.Edge(t, kerneltest.Random(r, n))
			grad, all := guarded[float32](t, r, n, 7777)
			copy(grad, p)
			got, want := x.squaredError(grad, grad, target, scale), 0.0
			for i, v := range p {
				d := float64(v) - float64(target[i])
				want += d * d
				if w := float32(scale * d); grad[i] != w {
					t.Fatalf("of %d values: gradient [%d] is %v, want %v", n, i, grad[i], w)
				}
			}
			if !(math.Abs(got-want) <= float64(n)/(1<<52)*want) {
				t.Fatalf("of %d values: %v, want %v", n, got, want)
			}
			untouched(t, fmt.Sprintf("%d values", n), all, len(all)-n, n, 7777)
			if n > 0 {
				p[n-1] = float32(math.NaN())
				if v := x.squaredError(grad, p, target, scale); v == v || grad[n-1] == grad[n-1] {
					t.Fatalf("of %d values: NaN is lost", n)
				}
			}
		}
	})
}
