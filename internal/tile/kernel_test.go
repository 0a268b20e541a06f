package tile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/kerneltest"
)

// pack returns B [k, cols] as one panel.
func pack(b []float32, k, cols, nr int) []float32 {
	p := make([]float32, k*nr)
	for i := range k {
		copy(p[i*nr:], b[i*cols:(i+1)*cols])
	}
	return p
}

// checkTile computes one tile on x and compares every element with float64, and
// every value around the tile with what was there.
func checkTile(t *testing.T, x *Kernel, r *rand.Rand, rows, cols, k, ars, acs int, begin string) {
	t.Helper()
	checkTileFrom(t, x, r, rows, cols, k, ars, acs, begin, packed)
}

// How a tile finds B.
const (
	packed  = iota
	packs   // in place; the tile packs it
	inPlace // in place, where it stays
)

// checkTileFrom does it from a B that is found in the given way.
func checkTileFrom(t *testing.T, x *Kernel, r *rand.Rand, rows, cols, k, ars, acs int, begin string, way int) {
	t.Helper()
	size := 0
	if k > 0 {
		size = (rows-1)*ars + (k-1)*acs + 1
	}
	a := kerneltest.Edge(t, kerneltest.Random(r, size))
	b := kerneltest.Random(r, k*cols)
	panel := kerneltest.Edge(t, pack(b, k, cols, x.NR))
	ldc := cols + r.IntN(4)
	c := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldc+cols))
	start, lds := []float32(nil), 0
	switch begin {
	case "bias":
		start = kerneltest.Edge(t, kerneltest.Random(r, cols))
	case "C":
		start, lds = c, ldc
	case "zero":
		for i := range c {
			if i%ldc < cols {
				c[i] = float32(math.NaN())
			}
		}
	}
	before, first := slices.Clone(c), slices.Clone(start)
	if way != packed {
		ldb := cols + r.IntN(4)
		rowsOfB := kerneltest.Edge(t, make([]float32, max(0, (k-1)*ldb+cols)))
		for p := range k {
			copy(rowsOfB[p*ldb:], b[p*cols:][:cols])
		}
		var to []float32
		if way == packs && k > 0 { // a panel of no rows may be nil
			to = kerneltest.Edge(t, make([]float32, k*cols))
		}
		x.MulPack(rows, k, a, ars, acs, rowsOfB, ldb, to, Address(nil, 1<<40), start, lds, c, ldc)
		if way == packs && !slices.Equal(to, panel) {
			t.Fatalf("%s %dx%dx%d: B is not packed", x.Name, rows, cols, k)
		}
	} else {
		ahead := Address(panel, []int{0, k * x.NR, 1 << 40, -1 << 40}[r.IntN(4)]) // memory that is there, and memory that is not
		x.MulAhead(rows, cols, k, a, ars, acs, panel, ahead, r.IntN(3)*k, start, lds, c, ldc)
	}
	for i, got := range c {
		row, col := i/ldc, i%ldc
		if col >= cols {
			if got != before[i] {
				t.Fatalf("%s %dx%dx%d, ldc %d: wrote between rows, at %d", x.Name, rows, cols, k, ldc, i)
			}
			continue
		}
		want, magnitude := 0.0, 0.0
		if start != nil {
			want = float64(first[row*lds+col])
			magnitude = math.Abs(want)
		}
		for p := range k {
			v := float64(a[row*ars+p*acs]) * float64(b[p*cols+col])
			want += v
			magnitude += math.Abs(v)
		}
		if err := math.Abs(float64(got) - want); !(err <= float64(k+1)*kerneltest.Eps*magnitude) {
			t.Fatalf("%s %dx%dx%d, A strides %d, %d, from %s: C[%d, %d] = %g, want %g", x.Name, rows, cols, k, ars, acs, begin, row, col, got, want)
		}
	}
}

// readingWays returns the ways in which a kernel can read a B that is not packed.
func readingWays(x *Kernel) []int {
	if x.InPlace() {
		return []int{packs, inPlace}
	}
	return []int{packs}
}

// TestTiles runs every tile of every tier, with all ways to read A and to start.
func TestTiles(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 5))
		kernel := &x.kernel
		depths := []int{40, 300}
		for k := range 10 {
			depths = append(depths, k)
		}
		for rows := 1; rows <= kernel.MR; rows++ {
			t.Run(fmt.Sprintf("%d rows", rows), func(t *testing.T) {
				for cols := 1; cols <= kernel.NR; cols++ {
					for i, k := range depths {
						begin := []string{"zero", "bias", "C"}[(i+cols)%3]
						switch (rows + cols + i) % 4 {
						case 0:
							checkTile(t, kernel, r, rows, cols, k, k+r.IntN(3), 1, begin)
						case 1:
							checkTile(t, kernel, r, rows, cols, k, 1+k/2, 1, begin) // rows overlap
						case 2:
							checkTile(t, kernel, r, rows, cols, k, 1, kernel.MR, begin)
						case 3:
							checkTile(t, kernel, r, rows, cols, k, 1, rows+r.IntN(3), begin)
						}
					}
				}
				for i, k := range depths {
					begin := []string{"zero", "bias", "C"}[i%3]
					for _, way := range readingWays(kernel) {
						checkTileFrom(t, kernel, r, rows, kernel.NR, k, k+r.IntN(3), 1, begin, way)
						checkTileFrom(t, kernel, r, rows, kernel.NR, k, 1, rows, begin, way)
					}
				}
			})
		}
	})
}

// TestTurns: columns of A that lie in turns give the bits that they give side by side.
// The turns may overlap, as a picture's rows never do.
func TestTurns(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		r := rand.New(rand.NewPCG(1, 6))
		kernel := &x.kernel
		for rows := 1; rows <= kernel.MR; rows++ {
			for cols := 1; cols <= kernel.NR; cols++ {
				turns, k := 1+r.IntN(4), 1+(rows+cols)%13
				ars, turn := r.IntN(k+3), r.IntN(rows*k+5)
				a := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ars+(turns-1)*turn+k))
				side := make([]float32, rows*turns*k)
				for i := range side {
					row, p := i/(turns*k), i%(turns*k)
					side[i] = a[row*ars+p/k*turn+p%k]
				}
				panel := kerneltest.Edge(t, pack(kerneltest.Random(r, turns*k*cols), turns*k, cols, kernel.NR))
				start := kerneltest.Edge(t, kerneltest.Random(r, cols))
				ldc := cols + r.IntN(3)
				c := kerneltest.Edge(t, kerneltest.Random(r, (rows-1)*ldc+cols))
				want := slices.Clone(c)
				kernel.Mul(rows, cols, turns*k, side, turns*k, 1, panel, start, 0, want, ldc)
				kernel.MulTurns(rows, cols, turns, k, a, ars, turn, panel, start, 0, c, ldc)
				if !slices.Equal(c, want) {
					t.Fatalf("%s: %dx%d, %d turns of %d, strides %d, %d: other values than side by side", kernel.Name, rows, cols, turns, k, ars, turn)
				}
			}
		}
	})
}

// TestTileSpecials puts NaN and infinity against zeros: no term may be skipped.
func TestTileSpecials(t *testing.T) {
	eachTier(t, func(t *testing.T, x *tier) {
		kernel := &x.kernel
		for _, special := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
			for _, inA := range []bool{true, false} {
				a, b := make([]float32, kernel.MR*5), make([]float32, 5*kernel.NR)
				if inA {
					a[2*5+3] = special
				} else {
					b[3*kernel.NR+2] = special
				}
				c := make([]float32, kernel.MR*kernel.NR)
				kernel.Mul(kernel.MR, kernel.NR, 5, a, 5, 1, b, nil, 0, c, kernel.NR)
				for i, v := range c {
					row, col := i/kernel.NR, i%kernel.NR
					if hit := inA && row == 2 || !inA && col == 2; hit != (v != v) {
						t.Fatalf("%g in A: %t: C[%d, %d] = %g", special, inA, row, col, v)
					}
				}
			}
		}
	})
}

func FuzzTile(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5), uint8(7), true)
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols, k uint8, transposed bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		for _, x := range available {
			rows, cols := 1+int(rows)%x.kernel.MR, 1+int(cols)%x.kernel.NR
			ars, acs := int(k)+r.IntN(5), 1
			if transposed {
				ars, acs = 1, rows+r.IntN(5)
			}
			checkTile(t, &x.kernel, r, rows, cols, int(k), ars, acs, []string{"zero", "bias", "C"}[r.IntN(3)])
			for _, way := range readingWays(&x.kernel) {
				checkTileFrom(t, &x.kernel, r, rows, x.kernel.NR, int(k), ars, acs, []string{"zero", "bias", "C"}[r.IntN(3)], way)
			}
		}
	})
}
