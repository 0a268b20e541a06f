package tile

import (
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

// TestPack packs matrices that end at the end of a page, from both orientations.
func TestPack(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 6))
		kernel := &x.kernel
		for _, n := range []int{1, 7, 8, 9, kernel.NR - 1, kernel.NR, kernel.NR + 1, 3*kernel.NR + 5} {
			for _, k := range []int{1, 2, 7, 8, 9, 17, 40} {
				for _, transB := range []bool{false, true} {
					rows, cols := k, n
					if transB {
						rows, cols = n, k
					}
					ldb := cols + r.IntN(3)
					b := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldb+cols))
					panels := (n + kernel.NR - 1) / kernel.NR
					stride := k*kernel.NR + 3
					dst := kerneltest.Edge(t, make([]float32, (panels-1)*stride+k*kernel.NR))
					kernel.Pack(dst, stride, k, n, b, ldb, transB)
					for j := range panels * kernel.NR {
						for p := range k {
							want := float32(0)
							if i, q := p, j; j < n {
								if transB {
									i, q = j, p
								}
								want = b[i*ldb+q]
							}
							if got := dst[j/kernel.NR*stride+p*kernel.NR+j%kernel.NR]; got != want {
								t.Fatalf("B [%d, %d], transposed %t: element (%d, %d) is %g, want %g", k, n, transB, p, j, got, want)
							}
						}
					}
				}
			}
		}
	})
}

// TestMulPacking packs a matrix while tiles of another are computed, of too few terms and
// of more than enough: the tiles are Mul's and the panels Pack's, to the bit.
func TestMulPacking(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 9))
		kernel := &x.kernel
		for rows := 1; rows <= kernel.MR; rows++ {
			for _, n := range []int{0, 3, kernel.NR, kernel.NR + 1, 5*kernel.NR + 2} {
				for _, depth := range []int{0, 1, 7, 40} {
					k := r.IntN(20 * (1 + depth/8))
					a, b := kerneltest.Edge(t, kerneltest.Random(r, rows*k)), kerneltest.Edge(t, kerneltest.Random(r, k*kernel.NR))
					ldb, stride := n+r.IntN(3), depth*kernel.NR+r.IntN(4)
					next := kerneltest.Edge(t, kerneltest.Random(r, max(0, (depth-1)*ldb+n)))
					panels := (n + kernel.NR - 1) / kernel.NR
					size := 0
					if depth > 0 && n > 0 {
						size = (panels-1)*stride + depth*kernel.NR
					}
					got := kerneltest.Edge(t, make([]float32, size))
					p := kernel.PackLater(r.IntN(15), got, stride, depth, n, next, ldb)
					ldc := kernel.NR + r.IntN(4)
					for i := range 9 {
						start, lds := []float32(nil), 0
						if i%3 > 0 {
							start, lds = kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldc+kernel.NR)), ldc
						}
						c := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldc+kernel.NR))
						want := slices.Clone(c)
						kernel.Mul(rows, kernel.NR, k, a, k, 1, b, start, lds, want, ldc)
						kernel.MulPacking(rows, k, a, k, 1, b, &p, start, lds, c, ldc)
						if !slices.Equal(c, want) {
							t.Fatalf("%s: %d rows, depth %d: %g, want %g", kernel.Name, rows, k, c, want)
						}
					}
					if before := panels * depth; kernel.PacksAhead() && n >= kernel.NR && depth == 40 && k >= p.tiles.steps && p.rest >= before {
						t.Fatalf("%s: nothing has been packed of [%d, %d]", kernel.Name, depth, n)
					}
					kernel.FinishPacking(&p)
					want := make([]float32, size)
					kernel.Pack(want, stride, depth, n, next, ldb, false)
					if !slices.Equal(got, want) {
						t.Fatalf("%s: [%d, %d] is packed wrong while %d rows of depth %d are computed", kernel.Name, depth, n, rows, k)
					}
				}
			}
		}
	})
}

func TestPackA(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 7))
		for width := 1; width <= x.kernel.MR; width++ {
			for cols := 1; cols <= width; cols++ {
				for _, k := range []int{0, 1, 2, 9, 30} {
					ld := r.IntN(2 * x.kernel.MR)
					src := kerneltest.Edge(t, kerneltest.Random(r, max(0, (k-1)*ld+cols)))
					dst := kerneltest.Edge(t, make([]float32, k*width+PackSlack))
					x.kernel.PackA(dst, width, k, cols, src, ld)
					for p := range k {
						for i := range cols {
							if got, want := dst[p*width+i], src[p*ld+i]; got != want {
								t.Fatalf("%d rows of %d with stride %d to stride %d: element (%d, %d) is %g, want %g", k, cols, ld, width, p, i, got, want)
							}
						}
					}
				}
			}
		}
	})
}
