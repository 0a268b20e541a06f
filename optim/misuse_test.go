package optim_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// TestMisuse: what makes no sense is an error of Check that names the optimizer,
// and a panic that says the same in the first step.
func TestMisuse(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	type optimizer interface {
		nn.Optimizer
		Check() error
	}
	for _, c := range []struct {
		o    optimizer
		want string
	}{
		{&optim.SGD{LearningRate: nan}, "optim.SGD: learning rate NaN"},
		{&optim.SGD{LearningRate: -1}, "optim.SGD: learning rate -1"},
		{&optim.SGD{LearningRate: inf}, "optim.SGD: learning rate +Inf"},
		{&optim.Adam{LearningRate: 1e39}, "optim.Adam: learning rate 1e+39"},
		{&optim.SGD{Momentum: 1}, "optim.SGD: momentum 1"},
		{&optim.SGD{Momentum: nan}, "optim.SGD: momentum NaN"},
		{&optim.Adam{Beta1: 1}, "optim.Adam: beta1 1"},
		{&optim.Adam{Beta1: 1 - 1e-12}, "optim.Adam: beta1"},
		{&optim.Adam{Beta2: -0.5}, "optim.Adam: beta2 -0.5"},
		{&optim.Adamax{Beta2: nan}, "optim.Adamax: beta2 NaN"},
		{&optim.Adamax{Epsilon: -1}, "optim.Adamax: epsilon -1"},
		{&optim.AdamW{WeightDecay: inf}, "optim.AdamW: weight decay +Inf"},
		{&optim.AdamW{Clip: optim.Clip{Norm: nan}}, "optim.AdamW: gradients|NaN"},
		{&optim.AdamW{Clip: optim.Clip{GlobalNorm: -1}}, "optim.AdamW: gradients|-1"},
		{&optim.SGD{Clip: optim.Clip{Norm: 1, GlobalNorm: 1}}, "optim.SGD: gradients|one of them"},
		{&optim.SGD{Schedule: (*optim.Warmup)(nil)}, "optim.SGD: the schedule is nil"},
		{&optim.SGD{Schedule: optim.Constant(nan)}, "optim.SGD: constant rate NaN"},
		{&optim.SGD{Schedule: optim.StepDecay{Initial: 1, Factor: 0.5}}, "optim.SGD: a step decay|0 steps"},
		{&optim.SGD{Schedule: optim.StepDecay{Initial: nan, Every: 1}}, "optim.SGD: a step decay from NaN"},
		{&optim.SGD{Schedule: optim.Piecewise{}}, "optim.SGD: piecewise"},
		{&optim.SGD{Schedule: optim.Piecewise{Boundaries: []int{3, 1}, Values: []float64{1, 1, 1}}}, "optim.SGD: piecewise|ascending"},
		{&optim.SGD{Schedule: optim.Piecewise{Values: []float64{-1}}}, "optim.SGD: piecewise rate -1"},
		{&optim.SGD{Schedule: optim.Cosine{Initial: 1, Alpha: 2, Steps: 1}}, "optim.SGD: a cosine|2"},
		{&optim.SGD{Schedule: optim.Cosine{Initial: 1}}, "optim.SGD: a cosine|0 steps"},
		{&optim.SGD{Schedule: optim.Warmup{Steps: 3}}, "optim.SGD: after the warm-up: the schedule is nil"},
		{&optim.SGD{Schedule: optim.Warmup{Steps: -3, After: optim.Constant(1)}}, "optim.SGD: a warm-up|-3 steps"},
	} {
		for how, got := range map[string]string{
			"Check": fmt.Sprint(c.o.Check()),
			"Step": func() (message string) {
				defer func() { message = fmt.Sprint(recover()) }()
				c.o.Step(nil)
				return ""
			}(),
		} {
			for _, part := range strings.Split(c.want, "|") {
				if !strings.Contains(got, part) {
					t.Errorf("%s of %T says %q, not %q", how, c.o, got, part)
				}
			}
		}
	}
	for _, o := range []optim.Stateful{(*optim.SGD)(nil), (*optim.Adam)(nil), (*optim.AdamW)(nil), (*optim.Adamax)(nil)} {
		for how, run := range map[string]func() error{
			"Step":    func() error { o.Step(nil); return nil },
			"Restore": func() error { return o.Restore(map[string]*tensor.Tensor{"steps": tensor.New(2)}, nil) },
		} {
			got := func() (message string) {
				defer func() {
					if r := recover(); r != nil {
						message = fmt.Sprint(r)
					}
				}()
				return fmt.Sprint(run())
			}()
			if want := strings.TrimPrefix(fmt.Sprintf("%T: the optimizer is nil", o), "*"); !strings.HasPrefix(got, want) {
				t.Errorf("%s of a nil %T says %q, want %q", how, o, got, want)
			}
		}
	}
	for want, s := range map[string]optim.Schedule{
		"optim.Piecewise: piecewise rates []": optim.Piecewise{},
		"optim.Warmup: a warm-up from -1":     optim.Warmup{From: -1},
		"optim.Warmup: after the warm-up":     optim.Warmup{},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			s.Rate(0)
		}()
	}
	for want, params := range map[string][]*nn.Param{
		"optim.SGD: parameter 0 of 1 is nil": {nil},
		"optim.SGD: parameter 0 of 1":        {{Name: "w"}},
		"optim.SGD: w has shape [2]":         {{Name: "w", Value: tensor.New(2), Grad: tensor.New(3)}},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			(&optim.SGD{}).Step(params)
		}()
	}
	func() {
		defer func() {
			if got := fmt.Sprint(recover()); !strings.Contains(got, "optim.SGD: the learning rate of step 0 is NaN") {
				t.Errorf("panic %q", got)
			}
		}()
		(&optim.SGD{Schedule: scheduleFunc(func(int) float64 { return nan })}).Step(nil)
	}()
}
