package optim

import (
	"lookalike/nn"
	"lookalike/tensor"
)

// SGD is gradient descent, with momentum if that is not zero:
//
//	v = Momentum·v - rate·g
//	w = w + v, with Nesterov w + Momentum·v - rate·g
type SGD struct {
	LearningRate float64 // default 0.01
	Schedule     Schedule
	Momentum     float64
	Nesterov     bool
	Clip         Clip

	state
}

// Check returns an error unless the options make sense.
func (o *SGD) Check() error {
	if o == nil {
		return errNil("SGD")
	}
	return check("SGD", o.Schedule, o.Clip, number{"learning rate", o.LearningRate}, share{"momentum", o.Momentum})
}

func (o *SGD) Step(params []*nn.Param) {
	if o == nil {
		must(errNil("SGD"))
	}
	o.begin(o)
	step := rate("SGD", o.Schedule, o.LearningRate, 0.01, o.steps)
	o.steps++
	momentum := float32(o.Momentum)
	each("SGD", params, o.Clip, func(p *nn.Param) func(lo, hi int) {
		w, g := p.Value.Data(), p.Grad.Data()
		if momentum == 0 {
			return func(lo, hi int) {
				for i := lo; i < hi; i++ {
					w[i] -= float32(step * g[i])
				}
			}
		}
		v := o.slot("momentum", p)
		return func(lo, hi int) {
			for i := lo; i < hi; i++ {
				v[i] = float32(momentum*v[i]) - float32(step*g[i])
				if o.Nesterov {
					w[i] += float32(momentum*v[i]) - float32(step*g[i])
				} else {
					w[i] += v[i]
				}
			}
		}
	})
}

// Restore implements Stateful.
func (o *SGD) Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error {
	if o == nil {
		return errNil("SGD")
	}
	if o.Momentum == 0 {
		return o.restore(kept, params)
	}
	return o.restore(kept, params, "momentum")
}
