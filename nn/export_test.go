package nn

import (
	"context"

	"lookalike/tensor"
)

// Infer returns a layer's outputs for a batch x.
func Infer(l Layer, x *tensor.Tensor) *tensor.Tensor {
	p := newPass(1)
	return l.Forward(p, x).Clone()
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
	t.metrics = newMeasuring(t.Metrics)
	t.pass.idle = idleFronts(s, map[*Sequential]int{})
	return func() error {
		if err := data.Fill(context.Background(), rows, b); err != nil {
			return err
		}
		_, err := t.step(b)
		return err
	}, nil
}
