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
	purpose := "momentum"
	if o.Momentum == 0 {
		purpose = ""
	}
	o.update("SGD", params, o.Clip, sgdRule{step, float32(o.Momentum), o.Nesterov}, purpose, "")
}

type sgdRule struct {
	step, momentum float32
	nesterov       bool
}

func (r sgdRule) move(w, g, v, _ []float32) {
	switch {
	case len(v) == 0: // without momentum
		for i := range w {
			w[i] -= float32(r.step * g[i])
		}
	case r.nesterov:
		for i := range w {
			v[i] = float32(r.momentum*v[i]) - float32(r.step*g[i])
			w[i] += float32(r.momentum*v[i]) - float32(r.step*g[i])
		}
	default:
		for i := range w {
			v[i] = float32(r.momentum*v[i]) - float32(r.step*g[i])
			w[i] += v[i]
		}
	}
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
