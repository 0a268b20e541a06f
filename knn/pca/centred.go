package pca

import (
	"fmt"
	"slices"

	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// centred is the matrix of the vectors less their mean. It is never made whole:
// whoever needs it gets it in blocks across its longer side, each as wide as the
// shorter side.
type centred struct {
	x           *tensor.Tensor // [n, d]
	mean        []float32      // [d]
	variance    float64        // of all dimensions together
	short, long int            // min(n, d), max(n, d)
	wide        bool           // n < d
}

// centre finds the mean and the variance.
func centre(x *tensor.Tensor) (*centred, error) {
	n, d := x.Dim(0), x.Dim(1)
	for i := range n {
		if j := slices.IndexFunc(x.Row(i), func(v float32) bool { return v-v != 0 }); j >= 0 {
			return nil, fmt.Errorf("pca: vector of row %d has %v at place %d", i, x.Row(i)[j], j)
		}
	}
	c := &centred{x: x, mean: make([]float32, d), short: min(n, d), long: max(n, d), wide: n < d}
	variances := make([]float64, d)
	parallel.Spans(d, 64, func(lo, hi int) {
		sums := make([]float64, hi-lo)
		for i := range n {
			for j, v := range x.Row(i)[lo:hi] {
				sums[j] += float64(v)
			}
		}
		for j, s := range sums {
			c.mean[lo+j] = float32(s / float64(n))
		}
		for i := range n {
			for j, v := range x.Row(i)[lo:hi] {
				diff := float64(v) - sums[j]/float64(n)
				variances[lo+j] += float64(diff * diff)
			}
		}
	})
	for _, v := range variances {
		c.variance += v / float64(n-1)
	}
	return c, nil
}

// blockValues is how many values a block holds, more or less: 4 MB.
const blockValues = 1 << 20

// eachBlock calls f with blocks of about that many values in order: a part [lo, hi) of the longer
// side, stored as [hi-lo, short], or as [short, hi-lo] if the matrix is wide.
func (c *centred) eachBlock(values int, f func(lo, hi int, block []float32, stride int)) {
	size := min(max(values/c.short, 256), c.long)
	block := make([]float32, size*c.short)
	for lo := 0; lo < c.long; lo += size {
		hi := min(lo+size, c.long)
		stride := c.short
		if c.wide {
			stride = hi - lo
			parallel.For(c.short, func(i int) { subtract(block[i*stride:][:stride], c.x.Row(i)[lo:hi], c.mean[lo:hi]) })
		} else {
			parallel.For(hi-lo, func(i int) { subtract(block[i*stride:][:stride], c.x.Row(lo+i), c.mean) })
		}
		f(lo, hi, block, stride)
	}
}

// project multiplies the matrix with vectors of its shorter side, the rows of
// v [b, short], and gives the results for a part of the longer side at a time:
// y is [hi-lo, b]. It also gives the block, for more products.
func (c *centred) project(v *tensor.Tensor, f func(lo, hi int, y *tensor.Tensor, block []float32, stride int)) {
	b := v.Dim(0)
	var y []float32
	c.eachBlock(blockValues, func(lo, hi int, block []float32, stride int) {
		y = slices.Grow(y[:0], (hi-lo)*b)[:(hi-lo)*b]
		gemm.Mul(c.wide, true, hi-lo, b, c.short, block, stride, v.Data(), c.short, gemm.Epilogue{}, y, b)
		f(lo, hi, tensor.From(y, hi-lo, b), block, stride)
	})
}

// apply multiplies the Gram matrix of the shorter side, [short, short], with the
// rows of v [b, short] and returns the results as rows. It passes over the data
// once and never makes that matrix.
func (c *centred) apply(v *tensor.Tensor) *tensor.Tensor {
	b := v.Dim(0)
	sum := make([]float32, c.short*b)
	c.project(v, func(lo, hi int, y *tensor.Tensor, block []float32, stride int) {
		gemm.Mul(!c.wide, false, c.short, b, hi-lo, block, stride, y.Data(), b, gemm.Epilogue{Accumulate: true}, sum, b)
	})
	out := tensor.New(b, c.short)
	for i := range b {
		row := out.Row(i)
		for j := range row {
			row[j] = sum[j*b+i]
		}
	}
	return out
}
