package optim

import (
	"math"

	"lookalike/internal/f32"
	"lookalike/nn"
	"lookalike/tensor"
)

// Adam is the method of Kingma and Ba (arXiv 1412.6980) as Keras defines it.
// With g the gradient at step t = 1, 2, …:
//
//	m = m + (1-β₁)·(g-m)
//	v = v + (1-β₂)·(g²-v)
//	w = w - rate·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v+ε)
type Adam struct {
	LearningRate float64 // default 0.001
	Schedule     Schedule
	Beta1        float64 // default 0.9
	Beta2        float64 // default 0.999
	Epsilon      float64 // default 1e-7
	Clip         Clip

	state
}

// Check returns an error unless the options make sense.
func (o *Adam) Check() error {
	if o == nil {
		return errNil("Adam")
	}
	return check("Adam", o.Schedule, o.Clip, number{"learning rate", o.LearningRate}, number{"epsilon", o.Epsilon}, share{"beta1", o.Beta1}, share{"beta2", o.Beta2})
}

func (o *Adam) Step(params []*nn.Param) {
	if o == nil {
		must(errNil("Adam"))
	}
	o.begin(o)
	learning := rate("Adam", o.Schedule, o.LearningRate, 0.001, o.steps)
	adamStep("Adam", &o.state, params, learning, 0, o.Beta1, o.Beta2, o.Epsilon, o.Clip)
}

// Restore implements Stateful.
func (o *Adam) Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error {
	if o == nil {
		return errNil("Adam")
	}
	return o.restore(kept, params, "momentum", "velocity")
}

// AdamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv
// 1711.05101): before each step w shrinks by rate·WeightDecay·w.
type AdamW struct {
	LearningRate float64 // default 0.001
	Schedule     Schedule
	WeightDecay  float64 // default 0.004
	Beta1        float64 // default 0.9
	Beta2        float64 // default 0.999
	Epsilon      float64 // default 1e-7
	Clip         Clip

	state
}

// Check returns an error unless the options make sense.
func (o *AdamW) Check() error {
	if o == nil {
		return errNil("AdamW")
	}
	return check("AdamW", o.Schedule, o.Clip, number{"learning rate", o.LearningRate}, number{"weight decay", o.WeightDecay}, number{"epsilon", o.Epsilon}, share{"beta1", o.Beta1}, share{"beta2", o.Beta2})
}

func (o *AdamW) Step(params []*nn.Param) {
	if o == nil {
		must(errNil("AdamW"))
	}
	o.begin(o)
	learning := rate("AdamW", o.Schedule, o.LearningRate, 0.001, o.steps)
	adamStep("AdamW", &o.state, params, learning, orDefault(o.WeightDecay, 0.004), o.Beta1, o.Beta2, o.Epsilon, o.Clip)
}

// Restore implements Stateful.
func (o *AdamW) Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error {
	if o == nil {
		return errNil("AdamW")
	}
	return o.restore(kept, params, "momentum", "velocity")
}

// adamStep moves the parameters, after shrinking them by the share
// learning·decay.
func adamStep(op string, s *state, params []*nn.Param, learning float32, decay, beta1, beta2, epsilon float64, clip Clip) {
	s.steps++
	beta1, beta2 = orDefault(beta1, 0.9), orDefault(beta2, 0.999)
	step := learning * float32(math.Sqrt(float64(1-power(beta2, s.steps)))) / (1 - power(beta1, s.steps))
	s.update(op, params, clip, adamRule{float32(1 - beta1), float32(1 - beta2), float32(decay), learning, step, float32(orDefault(epsilon, 1e-7))},
		"momentum", "velocity")
}

type adamRule struct{ mix1, mix2, shrink, learning, step, floor float32 }

func (r adamRule) move(w, g, momentum, velocity []float32) {
	f32.Adam(w, g, momentum, velocity, r.mix1, r.mix2, r.shrink, r.learning, r.step, r.floor)
}
