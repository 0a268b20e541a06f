package nn

import (
	"fmt"
	"math/rand/v2"

	"lookalike/tensor"
)

// Dropout sets a share Rate of its inputs to zero in training and scales the
// others by 1/(1-Rate), so that the expected sum stays (Srivastava et al.,
// 2014). Otherwise it does nothing.
type Dropout struct {
	Name string
	Rate float32 // in [0, 1)

	site
}

func (l *Dropout) Identity() (name, class string) { return l.Name, "Dropout" }

func (l *Dropout) Params() []*Param { return nil }

func (l *Dropout) Build(in []int, _ *rand.Rand) ([]int, error) {
	l.site = site{}
	if err := wantSize("an input", in...); err != nil {
		return nil, err
	}
	if !(l.Rate >= 0 && l.Rate < 1) {
		return nil, fmt.Errorf("rate %v is not in [0, 1)", l.Rate)
	}
	l.fix(in)
	return in, nil
}

func (l *Dropout) Forward(p *Pass, x *tensor.Tensor) *tensor.Tensor {
	l.check(l, p, x)
	if !p.Training() || l.Rate == 0 {
		return x
	}
	y, keep := p.New(x.Shape()...), p.mask(x.Shape()...)
	scale := 1 / (1 - l.Rate)
	for i, v := range x.Data() {
		if p.Rand().Float32() >= l.Rate {
			y.Data()[i], keep[i] = v*scale, 1
		} else {
			y.Data()[i], keep[i] = 0, 0
		}
	}
	p.record(step{x: x, y: y, layer: l, mask: keep})
	return y
}

func (l *Dropout) take(t *taking, _ int64) {
	t.inPlace = true
	if t.view = l.Rate == 0; !t.view {
		t.mask = t.in
	}
}

func (l *Dropout) backward(_ *Pass, s step, dy *tensor.Tensor) *tensor.Tensor {
	g, scale := dy.Data(), 1/(1-l.Rate)
	for i, k := range s.mask {
		if k != 0 {
			g[i] *= scale
		} else {
			g[i] = 0
		}
	}
	return dy
}
