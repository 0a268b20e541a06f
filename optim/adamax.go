package optim

import (
	"math"

	"lookalike/internal/f32"
	"lookalike/nn"
	"lookalike/tensor"
)

// Adamax is Adam with the infinity norm (Kingma and Ba, arXiv 1412.6980,
// section 7.1), as Keras defines it. With g the gradient at step t = 1, 2, …:
//
//	m = β₁·m + (1-β₁)·g
//	u = max(β₂·u, |g|)
//	w = w - rate/(1-β₁ᵗ) · m/(u+ε)
type Adamax struct {
	LearningRate float64 // default 0.001
	Schedule     Schedule
	Beta1        float64 // default 0.9
	Beta2        float64 // default 0.999
	Epsilon      float64 // default 1e-7
	Clip         Clip

	state
}

func (o *Adamax) Step(params []*nn.Param) {
	beta1, beta2 := orDefault(o.Beta1, 0.9), orDefault(o.Beta2, 0.999)
	learning := rate(o.Schedule, o.LearningRate, 0.001, o.steps)
	o.steps++
	step := float32(learning / (1 - math.Pow(beta1, float64(o.steps))))
	keep, mix, decay, epsilon := float32(beta1), float32(1-beta1), float32(beta2), float32(orDefault(o.Epsilon, 1e-7))
	each(params, o.Clip, func(p *nn.Param) func(lo, hi int) {
		w, g := p.Value.Data(), p.Grad.Data()
		m, u := o.slot("momentum", p), o.slot("norm", p)
		return func(lo, hi int) {
			f32.Adamax(w[lo:hi], g[lo:hi], m[lo:hi], u[lo:hi], keep, mix, decay, step, epsilon)
		}
	})
}

// Restore implements Stateful.
func (o *Adamax) Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error {
	return o.restore(kept, params, "momentum", "norm")
}
