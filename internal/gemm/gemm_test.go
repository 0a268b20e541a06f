package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const eps = 1.0 / (1 << 24)

func random(r *rand.Rand, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(r.NormFloat64())
	}
	return s
}

// operand is a matrix stored with guard words after each row and behind the last.
type operand struct {
	data  []float32
	ld    int
	trans bool
}

func (o operand) at(i, j int) float64 {
	if o.trans {
		i, j = j, i
	}
	return float64(o.data[i*o.ld+j])
}

func newOperand(r *rand.Rand, rows, cols, pad int, trans bool) operand {
	if trans {
		rows, cols = cols, rows
	}
	return operand{random(r, max(0, rows*(cols+pad)-pad)), cols + pad, trans}
}

const guard = -12345

func checkMul(t *testing.T, r *rand.Rand, transA, transB bool, m, n, k, pad int, withBias, accumulate bool) {
	t.Helper()
	a := newOperand(r, m, k, pad, transA)
	b := newOperand(r, k, n, pad, transB)
	var bias []float32
	if withBias {
		bias = random(r, n)
	}
	ldc := n + pad
	c := make([]float32, max(0, m*ldc-pad))
	for i := range c {
		switch {
		case i%ldc >= n:
			c[i] = guard
		case accumulate:
			c[i] = float32(r.NormFloat64())
		default:
			c[i] = float32(math.NaN())
		}
	}
	old := append([]float32(nil), c...)
	Mul(transA, transB, m, n, k, a.data, a.ld, b.data, b.ld, bias, accumulate, c, ldc)
	for i := range c {
		row, col := i/ldc, i%ldc
		if col >= n {
			if c[i] != guard {
				t.Fatalf("%s: wrote %g between rows %d and %d", shape(transA, transB, m, n, k), c[i], row, row+1)
			}
			continue
		}
		var sum, size float64
		switch {
		case withBias:
			sum = float64(bias[col])
		case accumulate:
			sum = float64(old[i])
		}
		size = math.Abs(sum)
		for p := range k {
			v := a.at(row, p) * b.at(p, col)
			sum += v
			size += math.Abs(v)
		}
		if err := math.Abs(float64(c[i]) - sum); !(err <= float64(k+2)*eps*size) {
			t.Fatalf("%s: C[%d, %d] = %g, want %g, off by %g of %g", shape(transA, transB, m, n, k), row, col, c[i], sum, err, size)
		}
	}
}

func shape(transA, transB bool, m, n, k int) string {
	return fmt.Sprintf("transA %t, transB %t, %dx%dx%d", transA, transB, m, n, k)
}

func TestMul(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int{0, 1, 2, 3, 4, 5, 13, 14, 15, 31, 33, 64, 70}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range []int{0, 1, 2, 7, 33, kc, 2*kc + 5} {
				start := r.IntN(3)
				checkMul(t, r, r.IntN(2) == 0, r.IntN(2) == 0, m, n, k, r.IntN(4), start == 1, start == 2)
			}
		}
	}
}
