// Package optim holds the optimizers and learning-rate schedules that train the
// networks of package nn, with Keras's definitions, names and defaults.
//
// A zero option means its default. An optimizer keeps its state for each
// parameter by name; State and Restore carry it over an interruption.
package optim

import (
	"fmt"
	"math"

	"lookalike/internal/parallel"
	"lookalike/nn"
	"lookalike/tensor"
)

// Clip bounds gradients before they are used. At most one should be set.
type Clip struct {
	Norm       float64 // greatest Euclidean norm of each parameter's gradient
	GlobalNorm float64 // greatest Euclidean norm of all gradients together
}

// Stateful is an optimizer whose state can be kept, for training to go on from
// there.
type Stateful interface {
	nn.Optimizer

	// State returns the tensors to keep, by name. They are shared with the
	// optimizer.
	State() map[string]*tensor.Tensor

	// Restore takes over what State returned.
	Restore(map[string]*tensor.Tensor) error
}

// state is what every optimizer remembers.
type state struct {
	steps int
	slots map[string]*tensor.Tensor // "slot/parameter"
}

// slot returns a parameter's tensor of the given purpose, zero at first.
func (s *state) slot(purpose string, p *nn.Param) []float32 {
	if s.slots == nil {
		s.slots = map[string]*tensor.Tensor{}
	}
	key := purpose + "/" + p.Name
	t := s.slots[key]
	if t == nil || t.Len() != p.Value.Len() {
		t = tensor.New(p.Value.Shape()...)
		s.slots[key] = t
	}
	return t.Data()
}

// stepsKey names the number of steps among the tensors of a state. It is kept
// in two values of 24 bits, which float32 holds exactly.
const stepsKey = "steps"

// State implements Stateful.
func (s *state) State() map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{
		stepsKey: tensor.From([]float32{float32(s.steps >> 24), float32(s.steps & (1<<24 - 1))}, 2),
	}
	for name, t := range s.slots {
		all[name] = t
	}
	return all
}

// Restore implements Stateful.
func (s *state) Restore(kept map[string]*tensor.Tensor) error {
	n := kept[stepsKey]
	if n == nil || n.Len() != 2 {
		return fmt.Errorf("optim: the state has no %q of two values", stepsKey)
	}
	s.steps = int(n.Data()[0])<<24 | int(n.Data()[1])
	s.slots = map[string]*tensor.Tensor{}
	for name, t := range kept {
		if name != stepsKey {
			s.slots[name] = t.Clone()
		}
	}
	return nil
}

// block is how many values one goroutine updates at a time.
const block = 1 << 15

// each calls f for parts of every trainable parameter, in parallel, after
// clipping the gradients.
func each(params []*nn.Param, clip Clip, f func(p *nn.Param) func(lo, hi int)) {
	clip.apply(params)
	for _, p := range params {
		if p.Trainable() {
			parallel.Spans(p.Value.Len(), block, f(p))
		}
	}
}

// apply scales the gradients that are too long.
func (c Clip) apply(params []*nn.Param) {
	if c.Norm == 0 && c.GlobalNorm == 0 {
		return
	}
	var total float64
	for _, p := range params {
		if !p.Trainable() {
			continue
		}
		var sum float64
		for _, g := range p.Grad.Data() {
			sum += float64(g) * float64(g)
		}
		total += sum
		if norm := math.Sqrt(sum); c.Norm > 0 && norm > c.Norm {
			scale(p, c.Norm/norm)
		}
	}
	if norm := math.Sqrt(total); c.GlobalNorm > 0 && norm > c.GlobalNorm {
		for _, p := range params {
			if p.Trainable() {
				scale(p, c.GlobalNorm/norm)
			}
		}
	}
}

func scale(p *nn.Param, by float64) {
	for i, g := range p.Grad.Data() {
		p.Grad.Data()[i] = float32(float64(g) * by)
	}
}

// orDefault returns v, or the default where v was left at zero.
func orDefault(v, otherwise float64) float64 {
	if v == 0 {
		return otherwise
	}
	return v
}

// rate returns the learning rate of a step, counted from 0.
func rate(schedule Schedule, constant, otherwise float64, step int) float64 {
	if schedule != nil {
		return schedule.Rate(step)
	}
	return orDefault(constant, otherwise)
}
