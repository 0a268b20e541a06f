package nn_test

import (
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// Predict allocates what it returns, two pieces, and nothing for the way there: neither
// with layers that are too short to be split nor with those that are.
func TestPredictAllocates(t *testing.T) {
	const most = 2
	for name, c := range map[string]struct {
		in     []int
		layers []nn.Layer
	}{
		"dense": {[]int{100}, []nn.Layer{&nn.Dense{Units: 80, Activation: nn.ELU}, &nn.Dense{Units: 10, Activation: nn.Softmax}}},
		"direct": {[]int{28, 28, 1}, []nn.Layer{
			&nn.Conv2D{Filters: 8, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Conv2D{Filters: 8, Kernel: 5, Activation: nn.Tanh},
			&nn.AveragePool2D{}, &nn.Flatten{}, &nn.Dense{Units: 10},
		}},
		"winograd": {[]int{56, 56, 16}, []nn.Layer{
			&nn.Conv2D{Filters: 64, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{},
			&nn.Conv2D{Filters: 128, Kernel: 3, Padding: nn.Same, Activation: nn.ReLU}, &nn.Conv2D{Filters: 64, Kernel: 3, Activation: nn.ReLU},
			&nn.GlobalAveragePool2D{}, &nn.Dense{Units: 10, Activation: nn.Softmax},
		}},
		"normalised": {[]int{28, 28, 3}, []nn.Layer{
			&nn.Conv2D{Filters: 8, Kernel: 3}, &nn.BatchNorm{}, &nn.Activate{Activation: nn.ReLU}, &nn.Dropout{Rate: 0.1},
			&nn.GlobalMaxPool2D{}, &nn.UnitNorm{}, &nn.UnitDense{Units: 10},
		}},
		"split": {[]int{1024}, []nn.Layer{&nn.Dense{Units: 2048}, &nn.Dense{Units: 2048}, &nn.Reshape{Target: []int{32, 64}}}},
	} {
		net := nn.NewSequential(name, c.layers...)
		if err := net.Init(1, c.in...); err != nil {
			t.Fatal(err)
		}
		x := tensor.New(append([]int{1}, c.in...)...)
		for _, procs := range []int{1, 2} {
			benchtest.Allocations(t, name, procs, 20, most, func() { net.Predict(x) })
		}
	}
}

// keeping is a layer that releases nothing of what it is lent.
type keeping struct{ nn.Layer }

func (k keeping) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	p.New(x.Shape()...)
	y := p.New(x.Shape()...)
	copy(y.Data(), x.Data())
	return k.Layer.Forward(p, y)
}

// What a layer does not give back the next run has all the same, in prediction and in
// training.
func TestBuffersComeBack(t *testing.T) {
	net := nn.NewSequential("", keeping{&nn.Dense{Units: 64}}, keeping{&nn.Dense{Units: 64}})
	if err := net.Init(1, 64); err != nil {
		t.Fatal(err)
	}
	x := tensor.New(8, 64)
	step, err := nn.Stepper(net, nn.InMemory{X: x, Y: x}, nn.FitConfig{Batch: 8, Optimizer: &optim.SGD{}})
	if err != nil {
		t.Fatal(err)
	}
	benchtest.Allocations(t, "prediction", 1, 20, 2, func() { net.Predict(x) })
	benchtest.Allocations(t, "training", 1, 20, 3, func() {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	})
}

// A step of training, from the samples to the optimizer, allocates next to nothing: an
// interface of what the optimizer is to do, the parts of a loss, and shapes.
func TestStepAllocates(t *testing.T) {
	const most = 3
	pictures := []nn.Layer{
		&nn.Conv2D{Filters: 8, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Dropout{Rate: 0.1},
		&nn.Conv2D{Filters: 16, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{Size: 3, Stride: 2}, &nn.AveragePool2D{},
		&nn.Conv2DTranspose{Filters: 16, Kernel: 3, Stride: 2, Padding: nn.Same}, &nn.Activate{Activation: nn.Tanh}, &nn.BatchNorm{},
		&nn.Conv2D{Filters: 32, Kernel: 3, Padding: nn.Same}, &nn.GlobalAveragePool2D{},
		&nn.Reshape{Target: []int{2, 16}}, &nn.Flatten{}, &nn.Dense{Units: 10, Activation: nn.Softmax},
	}
	cosines := []nn.Layer{
		&nn.Conv2D{Filters: 32, Kernel: 3, Stride: 2, NoBias: true}, &nn.BatchNorm{}, &nn.GlobalMaxPool2D{},
		&nn.Dense{Units: 16}, &nn.UnitNorm{}, &nn.UnitDense{Units: 10},
	}
	steps := optim.StepDecay{Initial: 0.01, Factor: 0.5, Every: 10}
	for _, c := range []struct {
		name      string
		layers    []nn.Layer
		loss      nn.Loss
		optimizer nn.Optimizer
	}{
		{"Adam", pictures, nn.CategoricalCrossentropy, &optim.Adam{}},
		{"AdamW with warm-up", pictures, nn.MSE, &optim.AdamW{Schedule: optim.Warmup{Steps: 20, After: steps}}},
		{"Adamax, clipped", pictures, nn.MAE, &optim.Adamax{Clip: optim.Clip{GlobalNorm: 1}}},
		{"SGD by steps", pictures, nn.BinaryCrossentropy, &optim.SGD{Schedule: steps}},
		{"SGD with momentum, clipped", pictures, nn.MSE, &optim.SGD{Momentum: 0.9, Nesterov: true, Clip: optim.Clip{Norm: 1}}},
		{"cosines by Adam", cosines, nn.ArcFace{}, &optim.Adam{Schedule: optim.Cosine{Initial: 0.01, Steps: 50}}},
		{"cosines by SGD", cosines, nn.CategoricalCrossentropyFromLogits,
			&optim.SGD{Schedule: optim.Piecewise{Boundaries: []int{5, 10}, Values: []float64{0.1, 0.01, 0.001}}}},
	} {
		net := nn.NewSequential("", c.layers...)
		if err := net.Init(1, 28, 28, 1); err != nil {
			t.Fatal(err)
		}
		const n = 8
		x, y := tensor.New(n, 28, 28, 1), tensor.New(n, 10)
		for i := range n {
			x.Row(i)[i], y.Row(i)[i] = 1, 1
		}
		step, err := nn.Stepper(net, nn.InMemory{X: x, Y: y}, nn.FitConfig{Batch: n, Optimizer: c.optimizer, Loss: c.loss,
			Metrics: []nn.Metric{nn.Accuracy, nn.TopK(3), nn.MeanAbsoluteError}})
		if err != nil {
			t.Fatal(err)
		}
		for _, procs := range []int{1, 2} {
			benchtest.Allocations(t, c.name, procs, 10, most, func() {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
