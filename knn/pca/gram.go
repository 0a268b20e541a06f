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

	// gramPart is how many columns of a Gram matrix are packed together.
	gramPart = 256
)

// gram is the Gram matrix of the shorter side, [short, short], in float32.
type gram struct {
	size  int
	parts []gemm.Packed // of gramPart columns each
}

func (c *centred) gram() *gram {
	m := c.short
	g := &gram{size: m, parts: make([]gemm.Packed, (m+gramPart-1)/gramPart)}
	width := func(part int) int { return min(gramPart, m-part*gramPart) }
	// Only what is on the diagonal and above it is computed.
	type tile struct{ i, j int }
	var tiles []tile
	for j := range g.parts {
		for i := range j + 1 {
			tiles = append(tiles, tile{i, j})
		}
	}
	whole := make([]float32, m*m)
	c.eachBlock(gramValues, func(lo, hi int, block []float32, stride int) {
		from := func(part int) []float32 {
			if c.wide {
				return block[part*gramPart*stride:]
			}
			return block[part*gramPart:]
		}
		for j := range g.parts {
			g.parts[j].Pack(hi-lo, width(j), from(j), stride, c.wide)
		}
		parallel.For(len(tiles), func(n int) {
			i, j := tiles[n].i, tiles[n].j
			out := whole[i*gramPart*m+j*gramPart:]
			if c.wide {
				g.parts[j].Mul(width(i), from(i), stride, gemm.Epilogue{Accumulate: true}, out, m)
			} else {
				g.parts[j].MulTransA(width(i), from(i), stride, true, out, m)
			}
		})
	})
	parallel.Spans(m, gramPart, func(lo, hi int) {
		for i := range m {
			for j := lo; j < min(i, hi); j++ {
				whole[i*m+j] = whole[j*m+i]
			}
		}
	})
	for j := range g.parts {
		g.parts[j].Pack(m, width(j), whole[j*gramPart:], m, false)
	}
	return g
}

// apply multiplies the matrix with the rows of v, [b, short], and returns the
// results as rows.
func (g *gram) apply(v *tensor.Tensor) *tensor.Tensor {
	b := v.Dim(0)
	out := tensor.New(b, g.size)
	parallel.For(len(g.parts), func(j int) {
		g.parts[j].Mul(b, v.Data(), g.size, gemm.Epilogue{}, out.Data()[j*gramPart:], g.size)
	})
	return out
}
