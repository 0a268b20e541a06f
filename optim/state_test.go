package optim_test

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
	"lookalike/weights"
)

func bits(params []*nn.Param) []uint32 {
	var all []uint32
	for _, p := range params {
		for _, v := range p.Value.Data() {
			all = append(all, math.Float32bits(v))
		}
	}
	return all
}

// TestInterruption: training that goes on in a new process, with weights and
// state from files, reaches the same bits as training that never stopped.
func TestInterruption(t *testing.T) {
	f := open(t)
	for _, c := range f.optimizers {
		t.Run(c.Name, func(t *testing.T) {
			unbroken := f.params(t)
			f.learn(t, c.optimizer(t, f.schedules), unbroken, 0, steps, nil)
			for _, k := range []int{0, 1, 5, steps - 1} {
				params, o := f.params(t), c.optimizer(t, f.schedules)
				f.learn(t, o, params, 0, k, nil)
				path := filepath.Join(t.TempDir(), "state.safetensors")
				if err := weights.Save(path, o.State(), nil); err != nil {
					t.Fatal(err)
				}
				file, err := weights.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				state := map[string]*tensor.Tensor{}
				for _, name := range file.Names() {
					if state[name], err = file.Tensor(name); err != nil {
						t.Fatal(err)
					}
				}
				fresh := c.optimizer(t, f.schedules)
				if err := fresh.Restore(state, params); err != nil {
					t.Fatal(err)
				}
				for _, v := range state { // Restore must have copied
					clear(v.Data())
				}
				f.learn(t, fresh, params, k, steps, nil)
				if !slices.Equal(bits(params), bits(unbroken)) {
					t.Errorf("interrupted after %d steps: weights differ", k)
				}
			}
		})
	}
}

// TestRestoreRefuses: a state that does not fit is an error that says so, and
// the optimizer is what it was.
func TestRestoreRefuses(t *testing.T) {
	f := open(t)
	params := f.params(t)
	trained := func() *optim.Adamax {
		o := &optim.Adamax{}
		f.learn(t, o, params, 0, 3, nil)
		return o
	}
	kept := trained().State()
	adam := &optim.Adam{}
	f.learn(t, adam, params, 0, 3, nil)
	numbers := func(v ...float32) *tensor.Tensor { return tensor.From(v, len(v)) }
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		state  map[string]*tensor.Tensor // instead of kept
		change map[string]*tensor.Tensor // of kept; nil: taken out
		want   string
	}{
		"nothing":          {state: map[string]*tensor.Tensor{}, want: `no "steps"`},
		"nil":              {state: nil, change: map[string]*tensor.Tensor{"steps": nil}, want: `no "steps"`},
		"steps cut":        {change: map[string]*tensor.Tensor{"steps": numbers(1)}, want: `no "steps" of two`},
		"steps NaN":        {change: map[string]*tensor.Tensor{"steps": numbers(0, nan)}, want: "whole numbers"},
		"steps negative":   {change: map[string]*tensor.Tensor{"steps": numbers(-1, 0)}, want: "whole numbers"},
		"steps fractional": {change: map[string]*tensor.Tensor{"steps": numbers(0, 0.5)}, want: "whole numbers"},
		"steps infinite":   {change: map[string]*tensor.Tensor{"steps": numbers(float32(math.Inf(1)), 0)}, want: "whole numbers"},
		"slot missing":     {change: map[string]*tensor.Tensor{"norm/b": nil}, want: `no "norm/b"`},
		"slot too long":    {change: map[string]*tensor.Tensor{"norm/b": tensor.New(6)}, want: `"norm/b" has shape [6], the parameter [5]`},
		"slot turned":      {change: map[string]*tensor.Tensor{"momentum/a": tensor.New(4, 3)}, want: `"momentum/a" has shape [4 3], the parameter [3 4]`},
		"slot left over":   {change: map[string]*tensor.Tensor{"momentum/c": tensor.New(1)}, want: `has a "momentum/c"`},
		"of Adam":          {state: adam.State(), want: `no "norm/a"`},
	} {
		t.Run(name, func(t *testing.T) {
			state := c.state
			if state == nil {
				state = maps.Clone(kept)
			}
			for key, v := range c.change {
				if delete(state, key); v != nil {
					state[key] = v
				}
			}
			o := trained()
			before := fmt.Sprint(values(o.State()))
			err := o.Restore(state, params)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
			if after := fmt.Sprint(values(o.State())); after != before {
				t.Errorf("state changed from %s to %s", before, after)
			}
		})
	}
}

func values(state map[string]*tensor.Tensor) map[string][]float32 {
	all := map[string][]float32{}
	for name, v := range state {
		all[name] = v.Data()
	}
	return all
}

// TestManySteps: float32 holds no whole number above 2²⁴ exactly; the number of
// steps survives all the same.
func TestManySteps(t *testing.T) {
	const many = 5<<24 + 12345
	state := map[string]*tensor.Tensor{"steps": tensor.From([]float32{5, 12345}, 2)}
	step := 0
	o := &optim.SGD{Schedule: scheduleFunc(func(s int) float64 { step = s; return 0 })}
	if err := o.Restore(state, nil); err != nil {
		t.Fatal(err)
	}
	if got := values(o.State())["steps"]; !slices.Equal(got, []float32{5, 12345}) {
		t.Errorf("state keeps %v", got)
	}
	if o.Step(nil); step != many {
		t.Errorf("went on at step %d, want %d", step, many)
	}
}

type scheduleFunc func(step int) float64

func (f scheduleFunc) Rate(step int) float64 { return f(step) }

// TestAnotherNetworkPanics: an optimizer that has trained a parameter cannot go
// on with another of its name.
func TestAnotherNetworkPanics(t *testing.T) {
	o := &optim.Adamax{}
	param := func(n int) []*nn.Param {
		return []*nn.Param{{Name: "w", Value: tensor.New(n), Grad: tensor.New(n)}}
	}
	o.Step(param(3))
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "momentum/w has shape [3], its parameter [4]") {
			t.Errorf("panic %q", got)
		}
	}()
	o.Step(param(4))
}

// TestWithoutGradient: a parameter that no batch has reached stays as it is.
func TestWithoutGradient(t *testing.T) {
	for _, o := range []nn.Optimizer{&optim.SGD{Momentum: 0.9}, &optim.Adam{}, &optim.AdamW{Clip: optim.Clip{Norm: 1}}, &optim.Adamax{Clip: optim.Clip{GlobalNorm: 1}}} {
		p := &nn.Param{Name: "w", Value: tensor.From([]float32{1, 2}, 2)}
		if o.Step([]*nn.Param{p}); !slices.Equal(p.Value.Data(), []float32{1, 2}) {
			t.Errorf("%T: %v", o, p.Value.Data())
		}
	}
}

// TestStepIsTheSameOnAnyProcs takes more values than one goroutine updates, and
// clips by a norm of all.
func TestStepIsTheSameOnAnyProcs(t *testing.T) {
	const n = 1<<16 + 77
	learn := func(o nn.Optimizer) []uint32 {
		p := &nn.Param{Name: "w", Value: tensor.New(n), Grad: tensor.New(n)}
		for step := range 3 {
			for i := range n {
				p.Grad.Data()[i] = float32(math.Sin(float64(i*(step+1)))) * 3
			}
			o.Step([]*nn.Param{p})
		}
		return bits([]*nn.Param{p})
	}
	clip := optim.Clip{GlobalNorm: 10}
	for name, make := range map[string]func() nn.Optimizer{
		"SGD":    func() nn.Optimizer { return &optim.SGD{Momentum: 0.9, Clip: clip} },
		"Adam":   func() nn.Optimizer { return &optim.Adam{Clip: clip} },
		"AdamW":  func() nn.Optimizer { return &optim.AdamW{Clip: clip} },
		"Adamax": func() nn.Optimizer { return &optim.Adamax{Clip: clip} },
	} {
		t.Run(name, func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			want := learn(make())
			for _, procs := range []int{2, 5} {
				runtime.GOMAXPROCS(procs)
				if !slices.Equal(learn(make()), want) {
					t.Errorf("GOMAXPROCS %d and 1 differ", procs)
				}
			}
		})
	}
}

// TestFrozenState: what was frozen after some steps keeps its state, and what was so
// from the beginning needs none; free again, both learn as they would have.
func TestFrozenState(t *testing.T) {
	parameters := func() []*nn.Param {
		var list []*nn.Param
		for _, name := range []string{"a", "b", "c"} {
			p := nn.NewParam(name, tensor.From([]float32{1, 2}, 2))
			p.Grad = tensor.From([]float32{0.5, -0.25}, 2)
			list = append(list, p)
		}
		list[2].Freeze()
		return list
	}
	steps := func(o nn.Optimizer, params []*nn.Param, n int) {
		for range n {
			o.Step(params)
		}
	}
	for _, make := range []func() optim.Stateful{
		func() optim.Stateful { return &optim.SGD{Momentum: 0.9} }, func() optim.Stateful { return &optim.Adam{} },
		func() optim.Stateful { return &optim.AdamW{} }, func() optim.Stateful { return &optim.Adamax{} },
	} {
		one, unbroken := make(), parameters()
		two, params := make(), parameters()
		for _, run := range []struct {
			o      nn.Optimizer
			params []*nn.Param
		}{{one, unbroken}, {two, params}} {
			steps(run.o, run.params, 3)
			run.params[1].Freeze()
			steps(run.o, run.params, 2)
		}
		fresh := make()
		if err := fresh.Restore(two.State(), params); err != nil {
			t.Fatalf("%T: %v", fresh, err)
		}
		for _, list := range [][]*nn.Param{unbroken, params} {
			if v := list[2].Value.Data(); !slices.Equal(v, []float32{1, 2}) {
				t.Errorf("%T has changed what is frozen: %v", fresh, v)
			}
			list[1].Unfreeze()
			list[2].Unfreeze()
		}
		steps(one, unbroken, 3)
		steps(fresh, params, 3)
		if !slices.Equal(bits(params), bits(unbroken)) {
			t.Errorf("%T: after an interruption the parameters are others", fresh)
		}
	}
}
