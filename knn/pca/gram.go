package pca

import (
	"lookalike/internal/gemm"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

const (
	// gramValues is how many values of the data are multiplied at a time: enough
	// for sums to stay in the processor for long.
	gramValues = 1 << 23

	// gramPart is how many rows of a Gram matrix are computed at a time.
	gramPart = 256
)

// gram is the Gram matrix of the shorter side, [short, short], in float32.
type gram struct {
	size   int
	values []float32
}

// gram computes what is on the diagonal and above it, and copies the rest.
func (c *centred) gram() *gram {
	m := c.short
	g := &gram{size: m, values: make([]float32, m*m)}
	c.eachBlock(gramValues, func(lo, hi int, block []float32, stride int) {
		for i := 0; i < m; i += gramPart {
			from := block[i:]
			if c.wide {
				from = block[i*stride:]
			}
			gemm.Mul(!c.wide, c.wide, min(gramPart, m-i), m-i, hi-lo, from, stride, from, stride, gemm.Epilogue{Accumulate: true}, g.values[i*m+i:], m)
		}
	})
	parallel.Spans(m, gramPart, func(lo, hi int) {
		for i := range m {
			for j := lo; j < min(i, hi); j++ {
				g.values[i*m+j] = g.values[j*m+i]
			}
		}
	})
	return g
}

// apply multiplies the matrix with the rows of v, [b, short], and returns the
// results as rows.
func (g *gram) apply(v *tensor.Tensor) *tensor.Tensor {
	b := v.Dim(0)
	out := tensor.New(b, g.size)
	gemm.Mul(false, false, b, g.size, g.size, v.Data(), g.size, g.values, g.size, gemm.Epilogue{}, out.Data(), g.size)
	return out
}
