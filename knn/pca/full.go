package pca

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"lookalike/tensor"
)

// full returns the first k right singular vectors of the matrix, [k, d], and the
// squares of the singular values.
func (c *centred) full(k int) (*tensor.Tensor, []float64, error) {
	gram := blas64.General{Rows: c.short, Cols: c.short, Stride: c.short, Data: make([]float64, c.short*c.short)}
	c.eachBlock64(func(lo, hi int, block blas64.General) {
		first, second := blas.Trans, blas.NoTrans
		if c.wide {
			first, second = second, first
		}
		blas64.Gemm(first, second, 1, block, block, 1, gram)
	})
	squares, vectors, err := eigen(gram.Data, c.short, k)
	if err != nil {
		return nil, nil, err
	}
	d := c.x.Dim(1)
	if c.wide { // from the left singular vectors to the right ones
		rows := make([]float64, k*d)
		left := blas64.General{Rows: k, Cols: c.short, Stride: c.short, Data: vectors}
		c.eachBlock64(func(lo, hi int, block blas64.General) {
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, left, block, 0, blas64.General{Rows: k, Cols: hi - lo, Stride: d, Data: rows[lo:]})
		})
		vectors = rows
	}
	normalize(vectors, k, squares)
	out := tensor.New(k, d)
	for i, v := range vectors {
		out.Data()[i] = float32(v)
	}
	return out, squares, nil
}

// eachBlock64 is eachBlock in float64.
func (c *centred) eachBlock64(f func(lo, hi int, block blas64.General)) {
	var wider []float64
	c.eachBlock(blockValues, func(lo, hi int, block []float32, stride int) {
		n := (hi - lo) * c.short
		wider = slices.Grow(wider[:0], n)[:n]
		for i, v := range block[:n] {
			wider[i] = float64(v)
		}
		f(lo, hi, blas64.General{Rows: n / stride, Cols: stride, Stride: stride, Data: wider})
	})
}

// normalize brings k rows, orthogonal but for rounding, to length 1. Where there
// is no variance left, a row is nothing but rounding: there another takes its
// place that is orthogonal to all before.
func normalize(rows []float64, k int, squares []float64) {
	d := len(rows) / k
	for i := range k {
		row := rows[i*d : (i+1)*d]
		length := math.Sqrt(dot(row, row))
		if squares[i] <= noVariance*squares[0] {
			length = replace(row, rows[:i*d])
		}
		for j := range row {
			row[j] /= length
		}
	}
}

// noVariance is what rounding leaves of a variance of zero, as a part of the
// greatest.
const noVariance = 1e-14

// replace makes row orthogonal to the rows before, which are orthonormal and
// fewer than there are dimensions, and returns its length. It tries the axes in
// turn: one of them at least keeps a length of 1/sqrt(d).
func replace(row, before []float64) (length float64) {
	d := len(row)
	for axis := 0; !(length >= 0.5/math.Sqrt(float64(d))); axis++ {
		clear(row)
		row[axis] = 1
		for range 2 { // the second time takes away what rounding left
			for other := range slices.Chunk(before, d) {
				add(row, -dot(row, other), other)
			}
		}
		length = math.Sqrt(dot(row, row))
	}
	return length
}

// dot returns the sum of products, in order.
func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// add adds s times b to a.
func add(a []float64, s float64, b []float64) {
	for i, v := range b {
		a[i] += float64(s * v)
	}
}
