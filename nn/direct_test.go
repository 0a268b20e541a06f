package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"lookalike/nn"
	"lookalike/tensor"
)

// fresh returns one layer of each kind, not built, and the shape of a sample that it
// takes.
func fresh() map[string]struct {
	layer nn.Layer
	in    []int
} {
	type one = struct {
		layer nn.Layer
		in    []int
	}
	picture := []int{8, 6, 3}
	return map[string]one{
		"Activation":             {&nn.Activate{Activation: nn.Softmax}, picture},
		"AveragePooling2D":       {&nn.AveragePool2D{}, picture},
		"BatchNormalization":     {&nn.BatchNorm{}, picture},
		"Conv2D":                 {&nn.Conv2D{Filters: 2, Kernel: 3}, picture},
		"Conv2DTranspose":        {&nn.Conv2DTranspose{Filters: 2, Kernel: 3}, picture},
		"Dense":                  {&nn.Dense{Units: 2}, []int{5}},
		"Dropout":                {&nn.Dropout{Rate: 0.5}, picture},
		"Flatten":                {&nn.Flatten{}, picture},
		"GlobalAveragePooling2D": {&nn.GlobalAveragePool2D{}, picture},
		"GlobalMaxPooling2D":     {&nn.GlobalMaxPool2D{}, picture},
		"MaxPooling2D":           {&nn.MaxPool2D{}, picture},
		"Reshape":                {&nn.Reshape{Target: []int{-1, 4}}, picture},
		"Sequential":             {nn.NewSequential("", &nn.Dense{Units: 2}), []int{5}},
		"UnitDense":              {&nn.UnitDense{Units: 2}, []int{5}},
		"UnitNormalization":      {&nn.UnitNorm{}, picture},
	}
}

// caught returns what f panics with, and whether that is an error of the runtime.
func caught(f func()) (message string, runtimeError bool) {
	defer func() {
		if r := recover(); r != nil {
			_, runtimeError = r.(runtime.Error)
			message = fmt.Sprint(r)
		}
	}()
	f()
	return "", false
}

// TestLayersCalledDirectly: a layer that is used without a network panics with its
// class where it cannot work, never with an error of the runtime; impossible shapes
// are errors of Build.
func TestLayersCalledDirectly(t *testing.T) {
	if len(fresh()) != 15 {
		t.Error("some layer is not tried")
	}
	shapes := [][]int{nil, {}, {0}, {1}, {5}, {-1}, {math.MaxInt}, {7, 5}, {4, -3}, {math.MaxInt, math.MaxInt}, {8, 6, 3}, {8, 6, 4}, {1, 1, 3}, {0, 6, 3}, {8, 6, 0},
		{math.MaxInt/2 + 1, 2, 3}, {-8, -6, 3}, {1 << 16, 1 << 16, 1 << 16}, {2, 2, 2, 2}}
	for what, f := range map[string]func() error{
		"Init":  func() error { return (*nn.Sequential)(nil).Init(1, 3) },
		"Plan":  func() error { _, _, err := nn.Plan(nil, []int{3}); return err },
		"Plan ": func() error { _, _, err := (*nn.Sequential)(nil).Plan([]int{3}); return err },
	} {
		if message, _ := caught(func() {
			if err := f(); err == nil || !strings.Contains(err.Error(), "nil") {
				t.Errorf("%s of nothing: %v", what, err)
			}
		}); message != "" {
			t.Errorf("%s of nothing: panic %q", what, message)
		}
	}
	for class := range fresh() {
		in, rng := fresh()[class].in, rand.New(rand.NewPCG(1, 1))
		batch := func(shape []int) *tensor.Tensor { return tensor.New(append([]int{2}, shape...)...) }
		// tries calls what may panic, but for a reason and with the layer's class.
		tries := func(what string, must bool, f func()) {
			message, runtimeError := caught(f)
			if runtimeError || must && message == "" || message != "" && !strings.Contains(message, "nn."+class) {
				t.Errorf("%s, %s: panic %q", class, what, message)
			}
		}
		tries("Forward before Build", false, func() { fresh()[class].layer.Forward(new(nn.Pass), batch(in)) })
		tries("Differentiate before Build", false, func() { nn.Differentiate(fresh()[class].layer, batch(in), batch(in)) })
		tries("Params before Build", false, func() {
			for _, p := range fresh()[class].layer.Params() {
				if p == nil {
					t.Errorf("%s has a nil parameter", class)
				}
			}
		})
		for _, shape := range shapes {
			layer := fresh()[class].layer
			var err error
			tries(fmt.Sprintf("Build of %v", shape), false, func() { _, err = layer.Build(shape, rng) })
			if err != nil {
				tries(fmt.Sprintf("Forward after Build of %v failed", shape), false, func() { layer.Forward(new(nn.Pass), batch(in)) })
			}
			tries(fmt.Sprintf("Plan of %v", shape), false, func() { nn.Plan(layer, shape) })
		}
		layer := fresh()[class].layer
		if _, err := layer.Build(in, rng); err != nil {
			t.Fatal(err)
		}
		for _, shape := range [][]int{nil, {0}, {4}, {6}, {7, 5}, {8, 6}, {8, 6, 4}, {4, 3, 3}, {8, 6, 3, 1}} {
			tries(fmt.Sprintf("Forward of %v", shape), true, func() { layer.Forward(new(nn.Pass), batch(shape)) })
		}
		tries("Forward of nothing", true, func() { layer.Forward(new(nn.Pass), nil) })
		tries("Forward without a pass", true, func() { layer.Forward(nil, batch(in)) })
		tries("Forward of no samples", false, func() {
			if y := layer.Forward(new(nn.Pass), tensor.New(append([]int{0}, in...)...)); y.Dim(0) != 0 {
				t.Errorf("%s makes %v of no samples", class, y)
			}
		})
		tries("Forward", false, func() {
			if y := layer.Forward(new(nn.Pass), batch(in)); y.Dim(0) != 2 {
				t.Errorf("%s makes %v of two samples", class, y)
			}
		})
	}
}
