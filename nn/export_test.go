package nn

import (
	"context"
	"math/rand/v2"

	"lookalike/tensor"
)

// Infer returns a layer's outputs for a batch x.
func Infer(l Layer, x *tensor.Tensor) *tensor.Tensor {
	p := newPass(1)
	return l.Forward(p, x).Clone()
}

// Differentiate runs a layer as in training, with the same randomness at every
// call, and back from dy, the gradient of its outputs. It returns the outputs y
// and the gradient dx of x, and adds to the gradients of the layer's parameters.
// Both x and dy are left as they are.
func Differentiate(l Layer, x, dy *tensor.Tensor) (y, dx *tensor.Tensor) {
	p := newPass(1)
	p.training, p.rng = true, rand.New(rand.NewPCG(7, 7))
	y = l.Forward(p, x).Clone()
	return y, p.backward(dy.Clone()).Clone()
}

// Stepper returns what learns from the first batch of data, as Fit does it.
func Stepper(s *Sequential, data Dataset, cfg FitConfig) (func() error, error) {
	t, err := s.newTrainer(data, cfg)
	if err != nil {
		return nil, err
	}
	rows := make([]int, t.Batch)
	for i := range rows {
		rows[i] = i
	}
	b := &t.turns[0]
	return func() error {
		if err := data.Fill(context.Background(), rows, b); err != nil {
			return err
		}
		_, err := t.step(b)
		return err
	}, nil
}
