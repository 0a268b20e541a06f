// Package optim holds the optimizers and learning-rate schedules that train the
// networks of package nn, with Keras's definitions, names and defaults.
//
// A zero option means its default. An optimizer keeps its state for each
// parameter by name; State and Restore carry it over an interruption.
package optim

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"lookalike/internal/parallel"
	"lookalike/nn"
	"lookalike/tensor"
)

// Clip bounds gradients before they are used. At most one may be set.
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

	// Restore takes over what State returned, to go on training params. A state
	// that another kind of optimizer has kept, or for other parameters, is an
	// error that says what does not fit, and changes nothing.
	Restore(kept map[string]*tensor.Tensor, params []*nn.Param) error
}

// state is what every optimizer remembers.
type state struct {
	begun bool // the options have been checked
	steps int
	slots map[slotKey]*tensor.Tensor
}

// begin panics in front of the first step if the options make no sense.
func (s *state) begin(o checker) {
	if !s.begun {
		must(o.Check())
		s.begun = true
	}
}

// slotKey is what a state's tensor is for. Its name is "purpose/parameter".
type slotKey struct{ purpose, parameter string }

func (k slotKey) String() string { return k.purpose + "/" + k.parameter }

// slot returns a parameter's tensor of the given purpose, zero at first. It
// panics where the optimizer has trained a parameter of that name and another
// shape: it cannot go on with another network.
func (s *state) slot(purpose string, p *nn.Param) []float32 {
	if s.slots == nil {
		s.slots = map[slotKey]*tensor.Tensor{}
	}
	key := slotKey{purpose, p.Name}
	t := s.slots[key]
	if t == nil {
		t = tensor.New(p.Value.Shape()...)
		s.slots[key] = t
	}
	if !slices.Equal(t.Shape(), p.Value.Shape()) {
		panic(fmt.Sprintf("optim: %s has shape %v, its parameter %v; another network needs a new optimizer", key, t.Shape(), p.Value.Shape()))
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
	for key, t := range s.slots {
		all[key.String()] = t
	}
	return all
}

// restore implements Stateful for an optimizer with slots of the given purposes.
func (s *state) restore(kept map[string]*tensor.Tensor, params []*nn.Param, purposes ...string) error {
	steps, err := stepsOf(kept[stepsKey])
	if err != nil {
		return err
	}
	slots, used := map[slotKey]*tensor.Tensor{}, map[string]bool{stepsKey: true}
	for _, p := range params {
		if !p.Trainable() && !p.Frozen() || steps == 0 {
			continue
		}
		for _, purpose := range purposes {
			key := slotKey{purpose, p.Name}
			t := kept[key.String()]
			used[key.String()] = true
			if t == nil && p.Frozen() {
				continue // since before the first step; it may be free again later
			}
			if t == nil {
				return fmt.Errorf("optim: the state has no %q; another optimizer or another network has kept it", key)
			}
			if !slices.Equal(t.Shape(), p.Value.Shape()) {
				return fmt.Errorf("optim: the state's %q has shape %v, the parameter %v", key, t.Shape(), p.Value.Shape())
			}
			slots[key] = t.Clone()
		}
	}
	for _, key := range slices.Sorted(maps.Keys(kept)) {
		if !used[key] {
			return fmt.Errorf("optim: the state has a %q, which no parameter needs; another optimizer or another network has kept it", key)
		}
	}
	s.steps, s.slots = steps, slots
	return nil
}

// stepsOf is how State writes the number of steps, read back.
func stepsOf(t *tensor.Tensor) (int, error) {
	if t == nil || t.Len() != 2 {
		return 0, fmt.Errorf("optim: the state has no %q of two values", stepsKey)
	}
	high, low := t.Data()[0], t.Data()[1]
	for _, v := range t.Data() {
		if !(v >= 0 && v < 1<<24) || v != float32(int(v)) {
			return 0, fmt.Errorf("optim: the state's %q are %v and %v, not two whole numbers below 2^24", stepsKey, high, low)
		}
	}
	return int(high)<<24 | int(low), nil
}

// block is how many values one goroutine updates at a time.
const block = 1 << 15

// rule is how an optimizer changes values w with gradients g, given what it remembers of
// them in up to two slots.
type rule interface {
	move(w, g, slot1, slot2 []float32)
}

// update changes every trainable parameter by a rule, in parallel, after clipping the
// gradients. Parameters that no batch has reached are left alone. The slots are for the
// given purposes; none for "".
func (s *state) update(op string, params []*nn.Param, clip Clip, r rule, purpose1, purpose2 string) {
	for i, p := range params {
		if p == nil || p.Value == nil {
			panic(fmt.Sprintf("optim.%s: parameter %d of %d is nil or has no value", op, i, len(params)))
		}
		if p.Grad != nil && p.Grad.Len() != p.Value.Len() {
			panic(fmt.Sprintf("optim.%s: %s has shape %v, its gradient %v", op, p.Name, p.Value.Shape(), p.Grad.Shape()))
		}
	}
	clip.apply(params)
	for _, p := range params {
		if !learns(p) {
			continue
		}
		c := change{rule: r, w: p.Value.Data(), g: p.Grad.Data()}
		if purpose1 != "" {
			c.slot1 = s.slot(purpose1, p)
		}
		if purpose2 != "" {
			c.slot2 = s.slot(purpose2, p)
		}
		changes.Spans(len(c.w), block, time.Duration(len(c.w)/2), c, change.part)
	}
}

// learns tells whether an optimizer is to change a parameter now.
func learns(p *nn.Param) bool { return p.Trainable() && p.Grad != nil }

// change is what happens to one parameter in a step.
type change struct {
	rule               rule
	w, g, slot1, slot2 []float32
}

var changes parallel.Loop[change]

func (c change) part(lo, hi int) {
	some := func(v []float32) []float32 { return v[min(lo, len(v)):min(hi, len(v))] } // none of no slot
	c.rule.move(c.w[lo:hi], c.g[lo:hi], some(c.slot1), some(c.slot2))
}

// apply scales the gradients that are too long.
func (c Clip) apply(params []*nn.Param) {
	if c.Norm == 0 && c.GlobalNorm == 0 {
		return
	}
	var total float64
	for _, p := range params {
		if !learns(p) {
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
			if learns(p) {
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
func rate(op string, schedule Schedule, constant, otherwise float64, step int) float32 {
	r := orDefault(constant, otherwise)
	if schedule != nil {
		r = schedule.Rate(step)
	}
	if !fits(r) {
		panic(fmt.Sprintf("optim.%s: the learning rate of step %d is %v; it must be a number from 0", op, step, r))
	}
	return float32(r)
}

// power is βᵗ as Keras computes it, of float32's β. That counts: float32's 0.999 is
// too large by 1.3e-5 of what 1-0.999 is, and Adam's first steps are shorter by half
// of that share.
func power(beta float64, t int) float32 {
	return float32(math.Pow(float64(float32(beta)), float64(float32(t))))
}
