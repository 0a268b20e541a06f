package nn

import (
	"fmt"
	"math/rand/v2"

	"lookalike/tensor"
)

// Dense is a fully connected layer with bias, over the last dimension.
//
//	input   [batch, …, n]
//	output  [batch, …, Units]
//	kernel  [n, Units]
type Dense struct {
	Name        string
	Units       int
	Activation  Activation
	NoBias      bool
	Initializer Initializer
	Given       *tensor.Tensor `json:"-"` // the kernel, taken as it is and not copied; nil: Build makes one

	kernel, bias *Param
	activate     func(values []float32)
	site
}

func (l *Dense) Identity() (name, class string) { return l.Name, "Dense" }

func (l *Dense) Params() []*Param { return params(l.kernel, l.bias) }

// Plan implements [Planner].
func (l *Dense) Plan(in []int) (out []int, values int64, err error) {
	if err := wantValues(in); err != nil {
		return nil, 0, err
	}
	if l.Units < 1 {
		return nil, 0, fmt.Errorf("needs a positive number of units, has %d", l.Units)
	}
	last := len(in) - 1
	values, err = planned(l.NoBias, l.Units, in[last], l.Units)
	return append(append([]int(nil), in[:last]...), l.Units), values, err
}

func (l *Dense) Build(in []int, rng *rand.Rand) ([]int, error) {
	l.site = site{}
	out, _, err := l.Plan(in)
	if err != nil {
		return nil, err
	}
	if l.kernel, err = givenKernel(l.Given, l.Initializer, rng, in[len(in)-1], l.Units); err != nil {
		return nil, err
	}
	l.bias = newBias(l.NoBias, l.Units)
	l.activate = l.Activation.on(l.Units)
	l.fix(in)
	return out, nil
}

func (l *Dense) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	var dims [8]int // most shapes fit
	shape := append(dims[:0], x.Shape()...)
	shape[len(shape)-1] = l.Units
	y := p.New(shape...)
	if l.Activation.elementwise() {
		tensor.MatMulFused(p.matrix(y), p.matrix(x), l.kernel.Value, value(l.bias), l.activate)
	} else {
		tensor.MatMul(p.matrix(y), p.matrix(x), l.kernel.Value, value(l.bias))
		l.Activation.Apply(y)
	}
	p.record(step{x: x, y: y, layer: l})
	return y
}

func (l *Dense) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	l.Activation.Gradient(dy, s.y)
	addBiasGrad(l.bias, dy)
	if g := l.kernel.Gradient(); g != nil {
		tensor.MatMulTransA(g, p.matrix(s.x), p.matrix(dy), true)
	}
	if !p.WantsGrad(s.x) {
		return nil
	}
	dx := p.New(s.x.Shape()...)
	tensor.MatMulTransB(p.matrix(dx), p.matrix(dy), l.kernel.Value)
	return dx
}
