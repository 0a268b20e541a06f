package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// UnitNorm brings each vector of the last dimension to length 1, onto the
// hypersphere: Keras's UnitNormalization. A vector of zeros stays one, and has
// no gradient.
//
//	input   [batch, …, n]
//	output  [batch, …, n]
type UnitNorm struct {
	Name string
}

func (l *UnitNorm) Identity() (name, class string) { return l.Name, "UnitNormalization" }

func (l *UnitNorm) Params() []*Param { return nil }

func (l *UnitNorm) Build(in []int, _ *rand.Rand) ([]int, error) {
	if len(in) == 0 || tensor.Size(in) == 0 {
		return nil, fmt.Errorf("needs inputs of at least one value, got shape %v", in)
	}
	return in, nil
}

func (l *UnitNorm) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	y := p.New(x.Shape()...)
	rows, out := p.matrix(x), p.matrix(y)
	inverse := make([]float64, rows.Dim(0)) // of the lengths; 0 for a vector of zeros
	parallel.Spans(len(inverse), unitRows(rows), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			in, to := rows.Row(i), out.Row(i)
			inverse[i] = inverseLength(in)
			for j, v := range in {
				to[j] = float32(float64(v) * inverse[i])
			}
		}
	})
	if p.Training() {
		p.Record(x, y, func(dy *tensor.Tensor) *tensor.Tensor {
			// What points along y only changes the length, which is lost.
			grad := p.matrix(dy)
			parallel.Spans(len(inverse), unitRows(rows), func(lo, hi int) {
				for i := lo; i < hi; i++ {
					g, to := grad.Row(i), out.Row(i)
					along := 0.0
					for j, v := range to {
						along += float64(g[j]) * float64(v)
					}
					for j, v := range to {
						g[j] = float32((float64(g[j]) - along*float64(v)) * inverse[i])
					}
				}
			})
			return dy
		})
	}
	return y
}

// inverseLength is one divided by the length of a vector, 0 if that is 0.
func inverseLength(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return 0
	}
	return 1 / math.Sqrt(sum)
}

// unitRows is how many vectors one goroutine takes at a time.
func unitRows(rows *tensor.Tensor) int { return max(1, activationBlock/rows.Dim(1)) }

// UnitDense is a Dense without bias each of whose units has weights of length 1:
// the kernel's columns are brought to that before they are used. Of an input on
// the hypersphere (see UnitNorm) its outputs are the cosines of the angles to the
// units' weights, as [ArcFace] wants them.
//
//	input   [batch, n]
//	output  [batch, Units]
//	kernel  [n, Units]
type UnitDense struct {
	Name  string
	Units int

	kernel *Param
}

func (l *UnitDense) Identity() (name, class string) { return l.Name, "UnitDense" }

func (l *UnitDense) Params() []*Param { return params(l.kernel) }

func (l *UnitDense) Build(in []int, rng *rand.Rand) ([]int, error) {
	if len(in) != 1 || in[0] < 1 {
		return nil, fmt.Errorf("needs vectors of at least one value, got shape %v", in)
	}
	if l.Units < 1 {
		return nil, fmt.Errorf("needs a positive number of units, has %d", l.Units)
	}
	var err error
	if l.kernel, err = givenKernel(nil, GlorotUniform, rng, in[0], l.Units); err != nil {
		return nil, err
	}
	return []int{l.Units}, nil
}

func (l *UnitDense) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	kernel := l.kernel.Value
	n := kernel.Dim(0)
	inverse := columnProducts(kernel, kernel)
	for j, sum := range inverse {
		if inverse[j] = 0; sum > 0 {
			inverse[j] = 1 / math.Sqrt(sum)
		}
	}
	unit := p.lend(kernel.Len(), kernel.Shape()...)
	for i := range n {
		from, to := kernel.Row(i), unit.Row(i)
		for j, v := range from {
			to[j] = float32(float64(v) * inverse[j])
		}
	}
	y := p.New(x.Dim(0), l.Units)
	tensor.MatMul(y, x, unit, nil)
	if !p.Training() {
		p.Release(unit)
		return y
	}
	p.Record(x, y, func(dy *tensor.Tensor) *tensor.Tensor {
		d := p.lend(kernel.Len(), kernel.Shape()...)
		tensor.MatMulTransA(d, x, dy, false)
		along, grad := columnProducts(unit, d), l.kernel.grad()
		for i := range n {
			from, u, to := d.Row(i), unit.Row(i), grad.Row(i)
			for j, v := range from {
				to[j] += float32((float64(v) - along[j]*float64(u[j])) * inverse[j])
			}
		}
		p.Release(d)
		var dx *tensor.Tensor
		if p.wantsGrad(x) {
			dx = p.New(x.Shape()...)
			tensor.MatMulTransB(dx, dy, unit)
		}
		p.Release(unit)
		return dx
	})
	return y
}

// columnProducts adds up the products of two matrices' values, column by column.
func columnProducts(a, b *tensor.Tensor) []float64 {
	return columnSums(a.Dim(0), a.Dim(1), func(row int, sum []float64) {
		other := b.Row(row)
		for j, v := range a.Row(row) {
			sum[j] += float64(v) * float64(other[j])
		}
	})
}
