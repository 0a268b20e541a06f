package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// TestFreeze: what is frozen stays to the bit, moving averages too, and has no
// gradient; the head learns what it learns alone on the outputs of the frozen base;
// free again, all learns.
func TestFreeze(t *testing.T) {
	head := func() nn.Layer {
		return nn.NewSequential("head", &nn.Dense{Units: 8, Activation: nn.Tanh}, &nn.Dense{Units: 2})
	}
	base := nn.NewSequential("base", &nn.Dense{Units: 6, Activation: nn.Tanh}, &nn.BatchNorm{}, &nn.UnitNorm{}, &nn.UnitDense{Units: 5})
	net := nn.NewSequential("net", base, head())
	if err := net.Init(3, 3); err != nil {
		t.Fatal(err)
	}
	data := vectors(40)
	fit(t, net, data, nn.FitConfig{Epochs: 2}) // moves the averages
	nn.Freeze(base)
	before, count := weightBits(base), len(base.Params())

	alone := nn.NewSequential("alone", head())
	if err := alone.Init(3, 5); err != nil {
		t.Fatal(err)
	}
	for i, p := range alone.Params() {
		copy(p.Value.Data(), net.Params()[count+i].Value.Data())
	}
	for _, p := range base.Params() {
		p.Grad = nil
	}
	cfg := nn.FitConfig{Epochs: 3, Batch: 7, Seed: 5}
	fit(t, net, data, cfg)
	fit(t, alone, nn.InMemory{X: base.Predict(data.X), Y: data.Y}, cfg)
	if !slices.Equal(weightBits(base), before) {
		t.Error("training has changed what is frozen")
	}
	for i, p := range base.Params() {
		if p.Trainable() || !p.Frozen() || p.Grad != nil {
			t.Errorf("parameter %d, %s: trainable %t, frozen %t, gradient %v", i, p.Name, p.Trainable(), p.Frozen(), p.Grad)
		}
	}
	for i, p := range alone.Params() {
		near(t, p.Name, net.Params()[count+i].Value, p.Value, 40)
	}
	if all := nn.NewSequential("", head()); all.Init(1, 3) != nil || len(all.Params()) != 4 || all.Params()[0].Frozen() {
		t.Error("a new network has frozen parameters")
	}

	nn.Unfreeze(net)
	fit(t, net, data, cfg)
	after := weightBits(base)
	at := 0
	for _, p := range base.Params() {
		if slices.Equal(after[at:at+p.Value.Len()], before[at:at+p.Value.Len()]) {
			t.Errorf("%s is free again and has not changed", p.Name)
		}
		at += p.Value.Len()
	}
}

// TestFrozenFront: training takes no step back through layers in front of the first
// that learns, and reaches the same weights whether or not they could learn.
func TestFrozenFront(t *testing.T) {
	build := func() (*nn.Sequential, *counting) {
		back := &counting{Layer: &nn.Conv2D{Filters: 4, Kernel: 3, Activation: nn.ReLU}}
		net := nn.NewSequential("", back, &nn.MaxPool2D{}, &nn.Dropout{Rate: 0.3},
			nn.NewSequential("inner", &nn.Conv2D{Filters: 3, Kernel: 3, Activation: nn.ELU}, &nn.MaxPool2D{}, &nn.Flatten{}, &nn.Dense{Units: 4}, &nn.Dense{Units: 2}))
		if err := net.Init(4, 16, 16, 3); err != nil {
			t.Fatal(err)
		}
		return net, back
	}
	rng := rand.New(rand.NewPCG(8, 8))
	data := nn.InMemory{X: normal(rng, 20, 16, 16, 3), Y: normal(rng, 20, 2)}
	net, back := build()
	inner := net.Layers[3].(*nn.Sequential)
	nn.Freeze(back, inner.Layers[0])
	fit(t, net, data, nn.FitConfig{Batch: 6, Epochs: 2, Seed: 1})
	if back.steps != 0 {
		t.Errorf("training went back %d times through a frozen front", back.steps)
	}
	other, back := build()
	held := &holding{Optimizer: &optim.Adamax{}, held: slices.Concat(back.Params(), other.Layers[3].(*nn.Sequential).Layers[0].Params())}
	fit(t, other, data, nn.FitConfig{Batch: 6, Epochs: 2, Seed: 1, Optimizer: held})
	if back.steps != 8 {
		t.Errorf("training went back %d times, want 8", back.steps)
	}
	if !slices.Equal(weightBits(net), weightBits(other)) {
		t.Error("with a frozen front the rest learns something else")
	}
}

// counting is a layer that counts how often training comes back to its output.
type counting struct {
	nn.Layer
	steps int
}

func (c *counting) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	y := c.Layer.Forward(p, x)
	if p.Training() {
		p.Record(y, y, func(dy *tensor.Tensor) *tensor.Tensor { c.steps++; return dy })
	}
	return y
}

// holding is an optimizer that puts some parameters back.
type holding struct {
	nn.Optimizer
	held []*nn.Param
}

func (o *holding) Step(params []*nn.Param) {
	var rest []*nn.Param
	for _, p := range params {
		if !slices.Contains(o.held, p) {
			rest = append(rest, p)
		}
	}
	o.Optimizer.Step(rest)
}

// TestFrozenBatchNorm: the layer normalizes by its moving averages in training, its
// gradients are those of that, and the averages stay; single parameters can be frozen.
func TestFrozenBatchNorm(t *testing.T) {
	for _, frozen := range [][]int{{0, 1, 2, 3}, {2, 3}, {2}, {3}, {0, 2, 3}, {0}, {1}} {
		t.Run(fmt.Sprint(frozen), func(t *testing.T) {
			l, rng := &nn.BatchNorm{}, rand.New(rand.NewPCG(2, 2))
			if _, err := l.Build([]int{4, 3}, nil); err != nil {
				t.Fatal(err)
			}
			params := l.Params()
			var values []array
			for i, p := range params {
				for j := range p.Value.Data() {
					p.Value.Data()[j] = float32(0.5 + rng.Float64())
				}
				if slices.Contains(frozen, i) {
					p.Freeze()
				}
				values = append(values, exact(p.Value))
			}
			fixed := params[2].Frozen() || params[3].Frozen()
			f := batchNorm(float64(float32(1e-3)))
			if fixed {
				f = func(x array, p []array) array {
					y, n := newArray(x.shape...), len(p[0].data)
					for i, v := range x.data {
						c := i % n
						y.data[i] = (v-p[2].data[c])/math.Sqrt(p[3].data[c]+float64(float32(1e-3)))*p[0].data[c] + p[1].data[c]
					}
					return y
				}
			}
			x := normal(rng, 5, 4, 3)
			input, dy := exact(x), normal(rng, 5, 4, 3)
			value := func() float64 {
				var s float64
				for i, v := range f(input, values).data {
					s += v * float64(dy.Data()[i])
				}
				return s
			}
			y, dx := nn.Differentiate(l, x, dy)
			near(t, "y", y, f(input, values).rounded(), 60)
			nearSlope(t, "dx", dx, slope(input, value), 60)
			for i, p := range params[:2] {
				if p.Frozen() {
					if p.Grad != nil {
						t.Errorf("%s is frozen and has a gradient", p.Name)
					}
					continue
				}
				nearSlope(t, p.Name, p.Grad, slope(values[i], value), 60)
			}
			for i, p := range params[2:] {
				if same := slices.Equal(exact(p.Value).data, values[2+i].data); same != fixed {
					t.Errorf("%s is as before: %t, want %t", p.Name, same, fixed)
				}
			}
		})
	}
}
