package tensor

import (
	"fmt"
	"testing"
)

func TestMatMulEqualsLoops(t *testing.T) {
	r := newRand(t, 4)
	for range 300 {
		m, k, n := 1+r.IntN(40), 1+r.IntN(60), 1+r.IntN(40)
		what := fmt.Sprintf("%dx%d times %dx%d", m, k, k, n)
		a, at, b, bt := random(r, m, k), New(k, m), random(r, k, n), New(n, k)
		bias, start := random(r, n), random(r, m, n)
		plain, biased, more := sums(m*n, nil), sums(m*n, bias), sums(m*n, start)
		for i := range m {
			for p := range k {
				at.data[p*m+i] = a.data[i*k+p]
				for j := range n {
					bt.data[j*k+p] = b.data[p*n+j]
					v := float64(a.data[i*k+p]) * float64(b.data[p*n+j])
					plain[i*n+j].add(v)
					biased[i*n+j].add(v)
					more[i*n+j].add(v)
				}
			}
		}
		got := dirty(m, n)
		MatMul(got, a, b, nil)
		checkSums(t, "MatMul "+what, got, plain)
		MatMul(got, a, b, bias)
		checkSums(t, "MatMul with bias "+what, got, biased)
		got = dirty(m, n)
		MatMulTransB(got, a, bt)
		checkSums(t, "MatMulTransB "+what, got, plain)
		got = dirty(m, n)
		MatMulTransA(got, at, b, false)
		checkSums(t, "MatMulTransA "+what, got, plain)
		MatMulTransA(start, at, b, true)
		checkSums(t, "MatMulTransA accumulating "+what, start, more)
	}
}

func TestMatMulIsTheSameOnAnyProcs(t *testing.T) {
	r := newRand(t, 5)
	for _, s := range [][3]int{{3, 700, 5000}, {300, 500, 70}, {1, 9000, 33}} { // wide, tall, long
		m, k, n := s[0], s[1], s[2]
		a, at, b, bt := random(r, m, k), random(r, k, m), random(r, k, n), random(r, n, k)
		sameOnAnyProcs(t, func() *Tensor { c := New(m, n); MatMul(c, a, b, nil); return c })
		sameOnAnyProcs(t, func() *Tensor { c := New(m, n); MatMulTransA(c, at, b, false); return c })
		sameOnAnyProcs(t, func() *Tensor { c := New(m, n); MatMulTransB(c, a, bt); return c })
	}
}

func TestSumRows(t *testing.T) {
	r := newRand(t, 6)
	for _, shape := range [][]int{{1, 1}, {7}, {3, 4, 5, 6}, {reduceRows, 3}, {2*reduceRows + 5, 1}, {3, 2500, 17}, {0, 4}} {
		x := random(r, shape...)
		n := shape[len(shape)-1]
		start := random(r, n)
		plain, more := sums(n, nil), sums(n, start)
		for i, v := range x.data {
			plain[i%n].add(float64(v))
			more[i%n].add(float64(v))
		}
		got := dirty(n)
		SumRows(got, x, false)
		checkSums(t, "SumRows "+x.String(), got, plain)
		got = start.Clone()
		SumRows(got, x, true)
		checkSums(t, "SumRows accumulating "+x.String(), got, more)
		sameOnAnyProcs(t, func() *Tensor { got := New(n); SumRows(got, x, false); return got })
	}
}
