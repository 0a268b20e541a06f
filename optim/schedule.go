package optim

import "math"

// Schedule gives the learning rate of each step, counted from 0.
type Schedule interface {
	Rate(step int) float64
}

// Constant is the same rate at every step.
type Constant float64

func (c Constant) Rate(int) float64 { return float64(c) }

// StepDecay multiplies the rate by Factor after every Every steps: Keras's
// ExponentialDecay with staircase.
type StepDecay struct {
	Initial float64
	Factor  float64
	Every   int
}

func (s StepDecay) Rate(step int) float64 {
	return s.Initial * math.Pow(s.Factor, float64(step/max(1, s.Every)))
}

// Piecewise has rate Values[i] up to and with step Boundaries[i], and the last
// value, one more, afterwards: Keras's PiecewiseConstantDecay.
type Piecewise struct {
	Boundaries []int
	Values     []float64
}

func (s Piecewise) Rate(step int) float64 {
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

func (s Warmup) Rate(step int) float64 {
	if step >= s.Steps {
		return s.After.Rate(step - s.Steps)
	}
	return s.From + (s.After.Rate(0)-s.From)*float64(step)/float64(s.Steps)
}
