package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

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

	site
}

func (l *UnitNorm) Identity() (name, class string) { return l.Name, "UnitNormalization" }

func (l *UnitNorm) Params() []*Param { return nil }

func (l *UnitNorm) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantValues(in); err != nil {
		return nil, err
	}
	l.fix(in)
	return in, nil
}

func (l *UnitNorm) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	y := p.New(x.Shape()...)
	u := units{x: x.Data(), y: y.Data(), n: lastDim(x), inverse: p.numbers(x.Len() / lastDim(x))}
	u.each(units.forward)
	p.record(step{x: x, y: y, layer: l, numbers: u.inverse})
	return y
}

func (l *UnitNorm) take(t *taking, _ int64) { t.inPlace = true }

func (l *UnitNorm) backward(_ *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	units{y: s.y.Data(), dy: dy.Data(), n: lastDim(s.y), inverse: s.numbers}.each(units.backward)
	return dy
}

// units are vectors x of n values, brought to length 1 in y.
type units struct {
	x, y, dy []float32
	n        int
	inverse  []float64 // of the lengths; 0 for a vector of zeros
}

var unitParts parallel.Loop[unitPart]

// unitPart is what happens to some vectors.
type unitPart struct {
	units
	f func(u units, i int)
}

// each calls f for every vector, in parallel.
func (u units) each(f func(u units, i int)) {
	unitParts.Spans(len(u.inverse), max(1, activationBlock/u.n), time.Duration(2*len(u.y)), unitPart{u, f}, unitPart.some)
}

func (u unitPart) some(lo, hi int) {
	for i := lo; i < hi; i++ {
		u.f(u.units, i)
	}
}

func (u units) forward(i int) {
	in, to := u.x[i*u.n:][:u.n], u.y[i*u.n:][:u.n]
	u.inverse[i] = inverseLength(in)
	for j, v := range in {
		to[j] = float32(float64(v) * u.inverse[i])
	}
}

// backward turns dy into dx. What points along y only changes the length, which is lost.
func (u units) backward(i int) {
	g, to := u.dy[i*u.n:][:u.n], u.y[i*u.n:][:u.n]
	along := 0.0
	for j, v := range to {
		along += float64(g[j]) * float64(v)
	}
	for j, v := range to {
		g[j] = float32((float64(g[j]) - along*float64(v)) * u.inverse[i])
	}
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
	site
}

func (l *UnitDense) Identity() (name, class string) { return l.Name, "UnitDense" }

func (l *UnitDense) Params() []*Param { return params(l.kernel) }

// Plan implements [Planner].
func (l *UnitDense) Plan(in []int) (out []int, values int64, err error) {
	if len(in) != 1 || in[0] < 1 {
		return nil, 0, fmt.Errorf("needs vectors of at least one value, got shape %v", in)
	}
	if l.Units < 1 {
		return nil, 0, fmt.Errorf("needs a positive number of units, has %d", l.Units)
	}
	values, err = planned(true, l.Units, in[0], l.Units)
	return []int{l.Units}, values, err
}

func (l *UnitDense) Build(in []int, rng *rand.Rand) ([]int, error) {
	l.site = site{}
	out, _, err := l.Plan(in)
	if err != nil {
		return nil, err
	}
	l.kernel = NewParam("kernel", GlorotUniform.New(rng, in[0], l.Units))
	l.fix(in)
	return out, nil
}

func (l *UnitDense) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	kernel := l.kernel.Value
	inverse := p.columnProducts(kernel, kernel)
	for j, sum := range inverse {
		if inverse[j] = 0; sum > 0 {
			inverse[j] = 1 / math.Sqrt(sum)
		}
	}
	unit := p.lend(kernel.Len(), kernel.Shape()...)
	for i := range kernel.Dim(0) {
		from, to := kernel.Row(i), unit.Row(i)
		for j, v := range from {
			to[j] = float32(float64(v) * inverse[j])
		}
	}
	y := p.New(x.Dim(0), l.Units)
	tensor.MatMul(y, x, unit, nil)
	if !p.Training() {
		p.Release(unit)
	}
	p.record(step{x: x, y: y, layer: l, numbers: inverse, tensor: unit})
	return y
}

func (l *UnitDense) take(t *taking, _ int64) {
	t.kept = int64(l.kernel.Value.Len()) // as units
	t.backward = t.kept
}

func (l *UnitDense) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	unit, inverse := s.tensor, s.numbers
	defer p.Release(unit)
	if grad := l.kernel.Gradient(); grad != nil {
		d := p.lend(unit.Len(), unit.Shape()...)
		tensor.MatMulTransA(d, s.x, dy, false)
		along := p.columnProducts(unit, d)
		for i := range d.Dim(0) {
			from, u, to := d.Row(i), unit.Row(i), grad.Row(i)
			for j, v := range from {
				to[j] += float32((float64(v) - along[j]*float64(u[j])) * inverse[j])
			}
		}
		p.Release(d)
	}
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.MatMulTransB(dx, dy, unit)
	return dx
}

// columnProducts adds up the products of two matrices' values, column by column.
func (p *Pass) columnProducts(a, b *tensor.Tensor) []float64 {
	return p.columnSums(columns{a: a.Data(), b: b.Data(), n: a.Dim(1)}, a.Dim(1), columns.products)
}
