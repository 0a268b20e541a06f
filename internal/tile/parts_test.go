package tile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/internal/kerneltest"
)

// eachParts runs a test with the portable multiplication by parts and every tier's.
func eachParts(t *testing.T, test func(t *testing.T, p *Parts)) {
	t.Run("portable", func(t *testing.T) { test(t, PortableParts) })
	for _, x := range available {
		if x.parts != nil {
			t.Run(x.name, func(t *testing.T) { test(t, x.parts) })
		}
	}
}

// stored returns x [rows, cols], or its transpose, with the given stride, up to the
// end of a page.
func stored(t *testing.T, x []float32, rows, cols, ld int, trans bool) []float32 {
	if trans {
		turned := make([]float32, len(x))
		for i, v := range x {
			turned[i%cols*rows+i/cols] = v
		}
		x, rows, cols = turned, cols, rows
	}
	s := make([]float32, (rows-1)*ld+cols)
	for i := range s {
		s[i] = float32(math.NaN()) // between the rows
	}
	for r := range rows {
		copy(s[r*ld:], x[r*cols:][:cols])
	}
	return kerneltest.Edge(t, s)
}

// product splits both and multiplies group by group, into C that lies in a guarded
// slice. first is what C starts from.
func (p *Parts) product(t *testing.T, r *rand.Rand, m, n, k int, a, b []float32, transA, transB bool, begin string) (c, first []float32) {
	stride := func(rows, cols int, trans bool) int {
		if trans {
			cols = rows
		}
		return cols + r.IntN(3)
	}
	lda, ldb := stride(m, k, transA), stride(k, n, transB)
	sa, sb := make([]uint16, PartsSize(m, k)), make([]uint16, PartsSize(n, k))
	for i := range sa {
		sa[i] = 0x7fc0 // what is there before is NaN
	}
	for i := range sb {
		sb[i] = 0x7fc0
	}
	p.SplitA(sa, m, k, stored(t, a, m, k, lda, transA), lda, transA)
	p.SplitB(sb, k, n, stored(t, b, k, n, ldb, transB), ldb, transB)
	ldc := n + r.IntN(4)
	whole := kerneltest.Edge(t, kerneltest.Random(r, (m-1)*ldc+n))
	before := slices.Clone(whole)
	start, lds := []float32(nil), 0
	first = make([]float32, m*n)
	switch begin {
	case "bias":
		start = kerneltest.Edge(t, kerneltest.Random(r, n))
		for i := range first {
			first[i] = start[i%n]
		}
	case "C":
		start, lds = whole, ldc
		for i := range first {
			first[i] = whole[i/n*ldc+i%n]
		}
	}
	for i := 0; i < m; i += PartsGroup {
		rows := min(PartsGroup, m-i)
		from := start
		if lds > 0 {
			from = start[i*lds:]
		}
		p.Mul(rows, n, k, sa[i/PartsGroup*groupSize(k):], sb, from, lds, whole[i*ldc:][:(rows-1)*ldc+n], ldc)
	}
	c = make([]float32, m*n)
	for i, v := range whole {
		if i%ldc < n {
			c[i/ldc*n+i%ldc] = v
		} else if v != before[i] {
			t.Fatalf("%dx%dx%d: wrote between rows", m, n, k)
		}
	}
	return c, first
}

func TestParts(t *testing.T) {
	eachParts(t, func(t *testing.T, p *Parts) {
		r := rand.New(rand.NewPCG(2, 6))
		shapes := [][3]int{{1, 1, 1}, {16, 16, 32}, {32, 32, 32}, {33, 65, 64}, {49, 40, 300}, {100, 100, 100}}
		for range 60 {
			shapes = append(shapes, [3]int{1 + r.IntN(70), 1 + r.IntN(70), 1 + r.IntN(100)})
		}
		for i, s := range shapes {
			m, n, k := s[0], s[1], s[2]
			a, b := kerneltest.Random(r, m*k), kerneltest.Random(r, k*n)
			begin := []string{"zero", "bias", "C"}[i%3]
			c, first := p.product(t, r, m, n, k, a, b, i%2 == 1, i%4 > 1, begin)
			roundings := float64(min(k, 16) + 6*((k+31)/32) + 4)
			for row := range m {
				for col := range n {
					want := float64(first[row*n+col])
					magnitude := math.Abs(want)
					for q := range k {
						v := float64(a[row*k+q]) * float64(b[q*n+col])
						want += v
						magnitude += math.Abs(v)
					}
					if err := math.Abs(float64(c[row*n+col]) - want); !(err <= roundings*kerneltest.Eps*magnitude) {
						t.Fatalf("%dx%dx%d from %s: C[%d, %d] = %g, want %g, off by %.1f of %.0f roundings", m, n, k, begin, row, col, c[row*n+col], want, err/kerneltest.Eps/magnitude, roundings)
					}
				}
			}
		}
	})
}

// TestPartsAlone: a value has the same bits whatever is computed with it.
func TestPartsAlone(t *testing.T) {
	eachParts(t, func(t *testing.T, p *Parts) {
		r := rand.New(rand.NewPCG(2, 7))
		const m, n, k = 40, 50, 70
		a, b := kerneltest.Random(r, m*k), kerneltest.Random(r, k*n)
		all, _ := p.product(t, r, m, n, k, a, b, false, false, "zero")
		for row := range m {
			c, _ := p.product(t, r, 1, n, k, a[row*k:][:k], b, false, false, "zero")
			if !slices.Equal(c, all[row*n:][:n]) {
				t.Fatalf("row %d alone has other values", row)
			}
		}
	})
}

// TestPartsSpecials: a value that is not finite makes NaN of its row or column, and of
// nothing else.
func TestPartsSpecials(t *testing.T) {
	eachParts(t, func(t *testing.T, p *Parts) {
		r := rand.New(rand.NewPCG(2, 8))
		const m, n, k = 35, 37, 40
		for _, special := range []uint32{0x7fc00000, 0x7fffffff, 0xffffffff, 0x7f800001, 0x7f800000, 0xff800000} {
			for _, inA := range []bool{true, false} {
				a, b := kerneltest.Random(r, m*k), kerneltest.Random(r, k*n)
				at := r.IntN(m * k)
				if inA {
					a[at] = math.Float32frombits(special)
				} else {
					at = r.IntN(k * n)
					b[at] = math.Float32frombits(special)
				}
				c, _ := p.product(t, r, m, n, k, a, b, false, false, "zero")
				for i, v := range c {
					hit := inA && i/n == at/k || !inA && i%n == at%n
					if hit != (v != v) {
						t.Fatalf("%x in A %t: C[%d, %d] = %g", special, inA, i/n, i%n, v)
					}
				}
			}
		}
	})
}

// TestPartsOfValues: the parts of a value add up to it, from the smallest normal parts
// to the largest bfloat16.
func TestPartsOfValues(t *testing.T) {
	eachParts(t, func(t *testing.T, p *Parts) {
		r := rand.New(rand.NewPCG(2, 9))
		for range 1000 {
			x := make([]float32, 32)
			for i := range x {
				x[i] = math.Float32frombits(uint32(24+r.IntN(230))<<23 | r.Uint32()&(1<<31|1<<23-1))
			}
			dst := make([]uint16, PartsSize(1, 32))
			p.SplitA(dst, 1, 32, x, 32, false)
			for i, v := range x {
				sum := 0.0
				for part := range 3 {
					sum += float64(fromBfloat16(dst[part*partApart+i%16*2+i/16]))
				}
				if sum != float64(v) {
					t.Fatalf("%g: parts add up to %g", v, sum)
				}
			}
		}
	})
}

func BenchmarkParts(b *testing.B) {
	p := active.parts
	if p == nil {
		b.Skip("no multiplication by parts in this tier")
	}
	r := rand.New(rand.NewPCG(2, 10))
	for _, k := range benchtest.Some([]int{128, 64, 256, 512}, 1) {
		const cols = 128
		x, y := kerneltest.Random(r, k*PartsGroup), kerneltest.Random(r, k*cols)
		sx, sy := make([]uint16, PartsSize(PartsGroup, k)), make([]uint16, PartsSize(cols, k))
		c := make([]float32, PartsGroup*cols)
		p.SplitA(sx, PartsGroup, k, x, k, false)
		p.SplitB(sy, k, cols, y, cols, false)
		b.Run(fmt.Sprintf("op=multiply/rows=32/cols=%d/k=%d", cols, k), func(b *testing.B) {
			for b.Loop() {
				p.Mul(PartsGroup, cols, k, sx, sy, nil, 0, c, cols)
			}
			b.ReportMetric(2*PartsGroup*cols*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("op=splitA/rows=32/k=%d", k), func(b *testing.B) {
			for b.Loop() {
				p.SplitA(sx, PartsGroup, k, x, k, false)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(PartsGroup*k), "ns/value")
		})
		b.Run(fmt.Sprintf("op=splitB/cols=%d/k=%d", cols, k), func(b *testing.B) {
			for b.Loop() {
				p.SplitB(sy, k, cols, y, cols, false)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(cols*k), "ns/value")
		})
	}
}
