package optim_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"lookalike/internal/kerastest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
	"lookalike/weights"
)

// kerasCase is a schedule or an optimizer as the fixture describes it, by
// Keras's option names.
type kerasCase struct {
	Name, Class string
	Config      json.RawMessage
}

// options are the union of all that the fixture's cases have.
type options struct {
	LearningRate   float64 `json:"learning_rate"`
	Schedule       string
	Beta1          float64 `json:"beta_1"`
	Beta2          float64 `json:"beta_2"`
	Epsilon        float64
	Amsgrad        bool
	WeightDecay    float64 `json:"weight_decay"`
	Momentum       float64
	Nesterov       bool
	Clipnorm       float64
	GlobalClipnorm float64 `json:"global_clipnorm"`

	InitialLearningRate float64  `json:"initial_learning_rate"`
	DecaySteps          int      `json:"decay_steps"`
	DecayRate           float64  `json:"decay_rate"`
	Staircase           bool     `json:"staircase"`
	Alpha               float64  `json:"alpha"`
	WarmupTarget        *float64 `json:"warmup_target"`
	WarmupSteps         int      `json:"warmup_steps"`
	Boundaries          []int
	Values              []float64
}

func (c kerasCase) options(t *testing.T) options {
	t.Helper()
	if c.Class == "constant" {
		var rate float64
		if err := json.Unmarshal(c.Config, &rate); err != nil {
			t.Fatal(err)
		}
		return options{LearningRate: rate}
	}
	var o options
	d := json.NewDecoder(bytes.NewReader(c.Config))
	d.DisallowUnknownFields() // an option that this test ignores would prove nothing
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	return o
}

// notImplemented are the fixture's cases that package optim has no word for.
var notImplemented = map[string]string{
	"exponential": "ExponentialDecay without staircase",
}

func (c kerasCase) schedule(t *testing.T) optim.Schedule {
	t.Helper()
	o := c.options(t)
	switch c.Class {
	case "constant":
		return optim.Constant(o.LearningRate)
	case "ExponentialDecay":
		if o.Staircase {
			return optim.StepDecay{Initial: o.InitialLearningRate, Factor: o.DecayRate, Every: o.DecaySteps}
		}
	case "PiecewiseConstantDecay":
		return optim.Piecewise{Boundaries: o.Boundaries, Values: o.Values}
	case "CosineDecay":
		if o.WarmupTarget == nil {
			return optim.Cosine{Initial: o.InitialLearningRate, Steps: o.DecaySteps, Alpha: o.Alpha}
		}
		return optim.Warmup{From: o.InitialLearningRate, Steps: o.WarmupSteps,
			After: optim.Cosine{Initial: *o.WarmupTarget, Steps: o.DecaySteps, Alpha: o.Alpha}}
	}
	t.Fatalf("fixture has a schedule %s that this test does not know", c.Class)
	return nil
}

func (c kerasCase) optimizer(t *testing.T, schedules map[string]kerasCase) optim.Stateful {
	t.Helper()
	o := c.options(t)
	var schedule optim.Schedule
	if o.Schedule != "" {
		schedule = schedules[o.Schedule].schedule(t)
	}
	clip := optim.Clip{Norm: o.Clipnorm, GlobalNorm: o.GlobalClipnorm}
	switch {
	case c.Class == "Adamax":
		return &optim.Adamax{LearningRate: o.LearningRate, Schedule: schedule, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Clip: clip}
	case c.Class == "Adam" && !o.Amsgrad:
		return &optim.Adam{LearningRate: o.LearningRate, Schedule: schedule, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Clip: clip}
	case c.Class == "AdamW" && !o.Amsgrad:
		return &optim.AdamW{LearningRate: o.LearningRate, Schedule: schedule, WeightDecay: o.WeightDecay, Beta1: o.Beta1, Beta2: o.Beta2, Epsilon: o.Epsilon, Clip: clip}
	case c.Class == "SGD":
		return &optim.SGD{LearningRate: o.LearningRate, Schedule: schedule, Momentum: o.Momentum, Nesterov: o.Nesterov, Clip: clip}
	}
	t.Fatalf("fixture has an optimizer %s %s that this test does not know", c.Class, c.Config)
	return nil
}

// trajectories is the fixture: ../testdata/keras/make_optimizers.py says what
// is in it.
type trajectories struct {
	*weights.File
	optimizers []kerasCase
	schedules  map[string]kerasCase
}

func open(t *testing.T) trajectories {
	t.Helper()
	file := kerastest.Open(t, "optimizers.safetensors")
	f := trajectories{File: file, schedules: map[string]kerasCase{}}
	var schedules []kerasCase
	for key, list := range map[string]*[]kerasCase{"optimizers": &f.optimizers, "schedules": &schedules} {
		if err := json.Unmarshal([]byte(file.Metadata()[key]), list); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.optimizers) < 20 || len(schedules) < 8 {
		t.Fatalf("only %d optimizers and %d schedules", len(f.optimizers), len(schedules))
	}
	for _, s := range schedules {
		f.schedules[s.Name] = s
	}
	return f
}

// params returns the two parameters as they are at first.
func (f trajectories) params(t *testing.T) []*nn.Param {
	t.Helper()
	var list []*nn.Param
	for _, name := range []string{"a", "b"} {
		v := kerastest.Tensor(t, f.File, name)
		list = append(list, &nn.Param{Name: name, Value: v, Grad: tensor.New(v.Shape()...)})
	}
	return list
}

// learn takes steps [from, to) with the fixture's gradients and calls after,
// which may be nil, behind each.
func (f trajectories) learn(t *testing.T, o nn.Optimizer, params []*nn.Param, from, to int, after func(step int)) {
	t.Helper()
	for step := from; step < to; step++ {
		for _, p := range params {
			copy(p.Grad.Data(), kerastest.Tensor(t, f.File, "gradient_"+p.Name).Row(step))
		}
		o.Step(params)
		if after != nil {
			after(step)
		}
	}
}

const steps = 12

// TestOptimizersEqualKeras holds every step against Keras's. A value may be off
// by a rounding a step of the largest that it has been so far: norms are summed in
// another order.
func TestOptimizersEqualKeras(t *testing.T) {
	f := open(t)
	const rounding = 1.0 / (1 << 23)
	for _, c := range f.optimizers {
		t.Run(c.Name, func(t *testing.T) {
			params, greatest := f.params(t), map[string][]float64{}
			for _, p := range params {
				for _, v := range p.Value.Data() {
					greatest[p.Name] = append(greatest[p.Name], math.Abs(float64(v)))
				}
			}
			f.learn(t, c.optimizer(t, f.schedules), params, 0, steps, func(step int) {
				for _, p := range params {
					want := kerastest.Tensor(t, f.File, c.Name+"/"+p.Name).Row(step)
					size := greatest[p.Name]
					for i, got := range p.Value.Data() {
						w := float64(want[i])
						size[i] = max(size[i], math.Abs(w))
						tolerance := float64(1+step) * rounding * size[i]
						if off := math.Abs(float64(got) - w); !(off <= tolerance) {
							t.Fatalf("step %d: %s[%d] = %v, Keras %v: off by %.3g, allowed %.3g", step, p.Name, i, got, w, off, tolerance)
						}
					}
				}
			})
		})
	}
}

// TestSchedulesEqualKeras: Keras computes rates in float32.
func TestSchedulesEqualKeras(t *testing.T) {
	f := open(t)
	for name, c := range f.schedules {
		t.Run(name, func(t *testing.T) {
			if why := notImplemented[name]; why != "" {
				t.Skip("not implemented: " + why)
			}
			s := c.schedule(t)
			want := kerastest.Tensor(t, f.File, name+"/learning_rate").Data()
			greatest := float64(slices.Max(want))
			for step, w := range want {
				if off := math.Abs(s.Rate(step) - float64(w)); !(off <= 4*greatest/(1<<23)) {
					t.Errorf("step %d: rate %v, Keras %v", step, s.Rate(step), w)
				}
			}
		})
	}
}

// TestLongStepDecaysEqualKeras: Keras raises the factor as float32 has it, which counts
// after hundreds of times. The rates are those of Keras's ExponentialDecay(initial, every,
// factor, staircase=True).
func TestLongStepDecaysEqualKeras(t *testing.T) {
	growing := optim.StepDecay{Initial: 0.00138702, Factor: 1.0109438, Every: 1}
	falling := optim.StepDecay{Initial: 0.1, Factor: 0.95, Every: 2}
	for _, c := range []struct {
		s    optim.StepDecay
		step int
		want float64
	}{
		{growing, 1, 0.0014021992683410645}, {growing, 60, 0.002665033796802163}, {growing, 300, 0.03632309287786484},
		{falling, 1, 0.10000000149011612}, {falling, 120, 0.004606976639479399}, {falling, 599, 2.1845215414373342e-08},
	} {
		if got := c.s.Rate(c.step); !(math.Abs(got/c.want-1) <= 3.0/(1<<23)) {
			t.Errorf("step %d of %+v: rate %v, Keras %v: %.3g of it off", c.step, c.s, got, c.want, math.Abs(got/c.want-1))
		}
	}
}

// TestLongRunsEqualKeras: after hundreds of steps the parameters are still
// Keras's, to the bit.
func TestLongRunsEqualKeras(t *testing.T) {
	f := kerastest.Open(t, "optimizer_runs.safetensors")
	var cases []kerasCase
	var every int
	for key, v := range map[string]any{"optimizers": &cases, "every": &every} {
		if err := json.Unmarshal([]byte(f.Metadata()[key]), v); err != nil {
			t.Fatal(err)
		}
	}
	gradient := kerastest.Tensor(t, f, "gradient")
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			o, path := c.optimizer(t, nil), kerastest.Tensor(t, f, c.Name)
			p := &nn.Param{Name: "w", Value: kerastest.Tensor(t, f, "start")}
			for step := range gradient.Dim(0) {
				p.Grad = tensor.From(slices.Clone(gradient.Row(step)), gradient.Dim(1))
				if o.Step([]*nn.Param{p}); (step+1)%every != 0 {
					continue
				}
				want := path.Row(step / every)
				for i, got := range p.Value.Data() {
					if got != want[i] {
						t.Fatalf("step %d: [%d] = %v, Keras %v: %.3g of it off", step+1, i, got, want[i], math.Abs(float64(got)/float64(want[i])-1))
					}
				}
			}
		})
	}
}
