package nn_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/nn"
	"lookalike/tensor"
)

// TestPredictWays: every way to predict gives the same bits.
func TestPredictWays(t *testing.T) {
	for _, n := range []int{0, 1, 31, 32, 33, 70} {
		net, x := small(t, 1), normal(rand.New(rand.NewPCG(7, uint64(n))), n, 16, 16, 3)
		want := net.Predict(x)
		dst := tensor.New(want.Shape()...)
		for i := range dst.Data() {
			dst.Data()[i] = float32(math.NaN())
		}
		net.PredictInto(dst, x)
		if !slices.Equal(floatBits(dst), floatBits(want)) {
			t.Errorf("PredictInto of %d samples differs from Predict", n)
		}
		got, err := net.PredictContext(t.Context(), x)
		if err != nil || !slices.Equal(floatBits(got), floatBits(want)) {
			t.Errorf("PredictContext of %d samples differs from Predict: %v", n, err)
		}
	}
}

func TestPredictIntoAllocates(t *testing.T) {
	net := nn.NewSequential("", &nn.Conv2D{Filters: 8, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Flatten{}, &nn.Dense{Units: 10, Activation: nn.Softmax})
	if err := net.Init(1, 28, 28, 1); err != nil {
		t.Fatal(err)
	}
	x, dst := tensor.New(40, 28, 28, 1), tensor.New(40, 10)
	for _, procs := range []int{1, 2} {
		benchtest.Allocations(t, "PredictInto", procs, 20, 0, func() { net.PredictInto(dst, x) })
	}
}

func TestPredictIntoRefuses(t *testing.T) {
	net := nn.NewSequential("", &nn.Dense{Units: 3})
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	memory := make([]float32, 40)
	for want, args := range map[string][2]*tensor.Tensor{
		"nn.PredictInto|dst has shape [4 2]|[4 3]": {tensor.New(4, 2), tensor.New(4, 3)},
		"nn.PredictInto|dst has shape [3 3]|[4 3]": {tensor.New(3, 3), tensor.New(4, 3)},
		"nn.PredictInto|dst has shape [12]|[4 3]":  {tensor.New(12), tensor.New(4, 3)},
		"nn.PredictInto|dst has shape []":          {nil, tensor.New(4, 3)},
		"nn.PredictInto|[4 2]|[n 3]":               {tensor.New(4, 3), tensor.New(4, 2)},
		"nn.PredictInto|share memory":              {tensor.From(memory[:12], 4, 3), tensor.From(memory[11:23], 4, 3)},
	} {
		func() {
			defer func() { says(t, fmt.Sprint(recover()), want) }()
			net.PredictInto(args[0], args[1])
		}()
	}
	net.PredictInto(tensor.From(memory[:12], 4, 3), tensor.From(memory[12:24], 4, 3)) // side by side

	for want, run := range map[string]func() (*tensor.Tensor, error){
		"predict: |[4 2]|[n 3]": func() (*tensor.Tensor, error) { return net.PredictContext(t.Context(), tensor.New(4, 2)) },
		"predict: |not been built": func() (*tensor.Tensor, error) {
			return nn.NewSequential("").PredictContext(t.Context(), tensor.New(4, 2))
		},
		"predict: |nil": func() (*tensor.Tensor, error) {
			return (*nn.Sequential)(nil).PredictContext(t.Context(), tensor.New(4, 2))
		},
	} {
		if y, err := run(); err == nil || y != nil {
			t.Errorf("%v, no error", y)
		} else {
			says(t, err.Error(), want)
		}
	}
}

// calling is a layer that calls f at every Forward and passes on its input.
type calling struct{ f func() }

func (calling) Identity() (name, class string)                        { return "", "Calling" }
func (calling) Build(in []int, _ *rand.Rand) ([]int, error)           { return in, nil }
func (calling) Params() []*nn.Param                                   { return nil }
func (c calling) Forward(_ *nn.Pass, x *tensor.Tensor) *tensor.Tensor { c.f(); return x }

// TestPredictContext: a prediction ends behind the layer during which its context was
// done, in networks within as well, and the buffers that it had are used again.
func TestPredictContext(t *testing.T) {
	var calls []string
	var cancel func()
	var at string
	call := func(name string) nn.Layer {
		return calling{func() {
			if calls = append(calls, name); name == at {
				cancel()
			}
		}}
	}
	net := nn.NewSequential("", call("a"), &nn.Dense{Units: 4, Activation: nn.Tanh}, nn.NewSequential("inner", call("b"), &nn.Dense{Units: 3}, call("c")), &nn.Dense{Units: 2}, call("d"))
	if err := net.Init(1, 3); err != nil {
		t.Fatal(err)
	}
	x := normal(rand.New(rand.NewPCG(1, 1)), 70, 3)
	want := net.Predict(x)
	for last, done := range map[string][]string{
		"":  {"a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "c", "d"},
		"a": {"a"}, "b": {"a", "b"}, "c": {"a", "b", "c"}, "d": {"a", "b", "c", "d"},
	} {
		calls, at = nil, last
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		y, err := net.PredictContext(ctx, x)
		if !slices.Equal(calls, done) || last != "" && (y != nil || !errors.Is(err, context.Canceled)) || last == "" && err != nil {
			t.Errorf("cancelled at %q: ran %v, want %v; %v, %v", last, calls, done, y, err)
		}
		cancel()
		calls = nil
		if _, err := net.PredictContext(ctx, x); !errors.Is(err, context.Canceled) || len(calls) > 0 {
			t.Errorf("a context that is done: ran %v, %v", calls, err)
		}
		at = ""
		if got := net.Predict(x); !slices.Equal(floatBits(got), floatBits(want)) {
			t.Errorf("cancelled at %q, then Predict gives other values", last)
		}
	}
}
