package optim

import (
	"fmt"
	"math"
	"slices"
)

// Schedule gives the learning rate of each step, counted from 0.
type Schedule interface {
	Rate(step int) float64
}

// Constant is the same rate at every step.
type Constant float64

// Check returns an error unless the rate is a number from 0.
func (c Constant) Check() error { return number{"constant rate", float64(c)}.Check() }

func (c Constant) Rate(int) float64 { return float64(c) }

// StepDecay multiplies the rate by Factor, rounded to float32 as Keras does it, after
// every Every steps: Keras's ExponentialDecay with staircase.
type StepDecay struct {
	Initial float64
	Factor  float64
	Every   int
}

// Check returns an error unless the rates make sense.
func (s StepDecay) Check() error {
	if !fits(s.Initial) || !fits(s.Factor) || s.Every < 1 {
		return fmt.Errorf("a step decay from %v by %v after every %d steps: give numbers from 0, and 1 step or more", s.Initial, s.Factor, s.Every)
	}
	return nil
}

func (s StepDecay) Rate(step int) float64 {
	return s.Initial * math.Pow(float64(float32(s.Factor)), float64(step/max(1, s.Every)))
}

// Piecewise has rate Values[i] up to and with step Boundaries[i], and the last
// value, one more, afterwards: Keras's PiecewiseConstantDecay.
type Piecewise struct {
	Boundaries []int
	Values     []float64
}

// Check returns an error unless there is a rate for every step.
func (s Piecewise) Check() error {
	if len(s.Values) != len(s.Boundaries)+1 || !slices.IsSorted(s.Boundaries) {
		return fmt.Errorf("piecewise rates %v with boundaries %v: give one value more than boundaries, and those in ascending order", s.Values, s.Boundaries)
	}
	for _, v := range s.Values {
		if err := (number{"piecewise rate", v}).Check(); err != nil {
			return err
		}
	}
	return nil
}

func (s Piecewise) Rate(step int) float64 {
	if err := s.Check(); err != nil {
		panic("optim.Piecewise: " + err.Error())
	}
	for i, b := range s.Boundaries {
		if step <= b {
			return s.Values[i]
		}
	}
	return s.Values[len(s.Boundaries)]
}

// Cosine falls from Initial to Initial·Alpha along half a cosine over Steps
// steps (Loshchilov and Hutter, arXiv 1608.03983): Keras's CosineDecay.
type Cosine struct {
	Initial float64
	Steps   int
	Alpha   float64
}

// Check returns an error unless the rates make sense.
func (s Cosine) Check() error {
	if !fits(s.Initial) || !(s.Alpha >= 0 && s.Alpha <= 1) || s.Steps < 1 {
		return fmt.Errorf("a cosine from %v to the share %v in %d steps: give a number from 0, a share in [0, 1] and 1 step or more", s.Initial, s.Alpha, s.Steps)
	}
	return nil
}

func (s Cosine) Rate(step int) float64 {
	done := min(1, float64(step)/float64(max(1, s.Steps)))
	return s.Initial * ((1-s.Alpha)*0.5*(1+math.Cos(math.Pi*done)) + s.Alpha)
}

// Warmup rises evenly from From over Steps steps to where After begins, and
// then follows it.
type Warmup struct {
	From  float64
	Steps int
	After Schedule
}

// Check returns an error unless the rates make sense.
func (s Warmup) Check() error {
	if !fits(s.From) || s.Steps < 0 {
		return fmt.Errorf("a warm-up from %v in %d steps: give a number from 0, and 0 steps or more", s.From, s.Steps)
	}
	if err := checkSchedule(s.After); err != nil {
		return fmt.Errorf("after the warm-up: %w", err)
	}
	return nil
}

func (s Warmup) Rate(step int) float64 {
	if err := s.Check(); err != nil {
		panic("optim.Warmup: " + err.Error())
	}
	if step >= s.Steps {
		return s.After.Rate(step - s.Steps)
	}
	return s.From + (s.After.Rate(0)-s.From)*float64(step)/float64(s.Steps)
}
