package optim

import (
	"lookalike/internal/f32"
	"lookalike/nn"
	"lookalike/tensor"
)

// Adamax is Adam with the infinity norm (Kingma and Ba, arXiv 1412.6980,
// section 7.1), as Keras defines it. With g the gradient at step t = 1, 2, …:
//
//	m = m + (1-β₁)·(g-m)
//	u = max(β₂·u, |g|)
//	w = w - rate·m / ((1-β₁ᵗ)·(u+ε))
type Adamax struct {
	LearningRate float64 // default 0.001
	Schedule     Schedule
	Beta1        float64 // default 0.9
	Beta2        float64 // default 0.999
	Epsilon      float64 // default 1e-7
	Clip         Clip

	state
}

// Check returns an error unless the options make sense.
func (o *Adamax) Check() error {
	if o == nil {
		return errNil("Adamax")
	}
	return check("Adamax", o.Schedule, o.Clip, number{"learning rate", o.LearningRate}, number{"epsilon", o.Epsilon}, share{"beta1", o.Beta1}, share{"beta2", o.Beta2})
}

func (o *Adamax) Step(params []*nn.Param) {
	if o == nil {
		must(errNil("Adamax"))
	}
	o.begin(o)
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	learning := rate("Adamax", o.Schedule, o.LearningRate, 0.001, o.steps)
	o.steps++
	o.update("Adamax", params, o.Clip, adamaxRule{float32(1 - beta1), float32(beta2), learning, 1 - power(beta1, o.steps), float32(orDefault(o.Epsilon, 1e-7))},
		"momentum", "norm")
}

type adamaxRule struct{ mix, decay, learning, rest, epsilon float32 }

func (r adamaxRule) move(w, g, momentum, norm []float32) {
	f32.Adamax(w, g, momentum, norm, r.mix, r.decay, r.learning, r.rest, r.epsilon)
}

// Restore implements Stateful.
func (o *Adamax) Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error {
	if o == nil {
		return errNil("Adamax")
	}
	return o.restore(kept, params, "momentum", "norm")
}
