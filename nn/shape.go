package nn

import (
	"fmt"
	"math/rand/v2"

	"lookalike/tensor"
)

// Flatten turns each sample into a vector, row-major: [batch, …] into
// [batch, n]. For pictures that is rows, columns, channels.
type Flatten struct {
	Name string

	site
}

func (l *Flatten) Identity() (name, class string) { return l.Name, "Flatten" }

func (l *Flatten) Params() []*Param { return nil }

func (l *Flatten) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantSize("an input", in...); err != nil {
		return nil, err
	}
	l.fix(in)
	return []int{tensor.Size(in)}, nil
}

func (l *Flatten) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	return reshape(p, x, l, tensor.Size(l.in))
}

func (l *Flatten) take(t *taking, _ int64) { t.view, t.inPlace = true, true }

func (l *Flatten) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	return likeInput(p, s, dy)
}

// Reshape gives each sample another shape of the same size, without moving its
// values. One dimension of Target may be -1: what is left.
type Reshape struct {
	Name   string
	Target []int

	out []int
	site
}

func (l *Reshape) Identity() (name, class string) { return l.Name, "Reshape" }

func (l *Reshape) Params() []*Param { return nil }

func (l *Reshape) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantSize("an input", in...); err != nil {
		return nil, err
	}
	size, known, open := tensor.Size(in), 1, -1
	l.out = append([]int(nil), l.Target...)
	for i, d := range l.out {
		switch {
		case d > 0 && known > maxValues/d:
			return nil, fmt.Errorf("cannot reshape to %v: it holds more than %d values", l.Target, maxValues)
		case d > 0:
			known *= d
		case d == -1 && open < 0:
			open = i
		default:
			return nil, fmt.Errorf("cannot reshape to %v: dimensions are positive, at most one is -1", l.Target)
		}
	}
	if open >= 0 && size%known == 0 {
		l.out[open] = size / known
		known = size
	}
	if known != size {
		return nil, fmt.Errorf("cannot reshape %v, %d values, to %v", in, size, l.Target)
	}
	l.fix(in)
	return l.out, nil
}

func (l *Reshape) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	return reshape(p, x, l, l.out...)
}

func (l *Reshape) take(t *taking, _ int64) { t.view, t.inPlace = true, true }

func (l *Reshape) backward(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	return likeInput(p, s, dy)
}

// reshape gives every sample of x another shape and records the way back.
func reshape(p *Pass, x *tensor.Tensor, layer backwarder, sample ...int) *tensor.Tensor {
	var dims [8]int // most shapes fit
	y := p.view(x.Data(), append(append(dims[:0], x.Dim(0)), sample...)...)
	p.record(step{x: x, y: y, layer: layer})
	return y
}

// likeInput gives a gradient the shape of the step's input.
func likeInput(p *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	return p.view(dy.Data(), s.x.Shape()...)
}
