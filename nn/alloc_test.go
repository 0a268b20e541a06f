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
		"split": {[]int{1024}, []nn.Layer{&nn.Dense{Units: 2048}, &nn.Dense{Units: 2048}, &nn.Reshape{Target: []int{32, 64}}}},
	} {
		net := nn.NewSequential(name, c.layers...)
		if err := net.Init(1, c.in...); err != nil {
			t.Fatal(err)
		}
		x := tensor.New(append([]int{1}, c.in...)...)
		for _, procs := range []int{1, 2} {
			if n := benchtest.Count(t, procs, 20, func() { net.Predict(x) }); n > most {
				t.Errorf("%s, procs %d: %d allocations, want at most %d", name, procs, n, most)
			}
		}
	}
}

// A step of training allocates next to nothing: what an optimizer is to do, and the parts of
// a loss.
func TestStepAllocates(t *testing.T) {
	const most = 2
	layers := []nn.Layer{
		&nn.Conv2D{Filters: 8, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Dropout{Rate: 0.1},
		&nn.Conv2D{Filters: 16, Kernel: 3, Padding: nn.Same, Activation: nn.ELU}, &nn.MaxPool2D{Size: 3, Stride: 2}, &nn.AveragePool2D{},
		&nn.Conv2DTranspose{Filters: 16, Kernel: 3, Stride: 2, Padding: nn.Same}, &nn.Activate{Activation: nn.Tanh},
		&nn.Conv2D{Filters: 32, Kernel: 3, Padding: nn.Same}, &nn.GlobalAveragePool2D{},
		&nn.Reshape{Target: []int{2, 16}}, &nn.Flatten{}, &nn.Dense{Units: 10, Activation: nn.Softmax},
	}
	net := nn.NewSequential("", layers...)
	if err := net.Init(1, 28, 28, 1); err != nil {
		t.Fatal(err)
	}
	const n = 8
	x, y := tensor.New(n, 28, 28, 1), tensor.New(n, 10)
	for i := range n {
		x.Row(i)[i], y.Row(i)[i] = 1, 1
	}
	for _, loss := range []nn.Loss{nn.MSE, nn.CategoricalCrossentropy} {
		for name, o := range map[string]nn.Optimizer{
			"Adam": &optim.Adam{}, "AdamW": &optim.AdamW{}, "Adamax": &optim.Adamax{Clip: optim.Clip{GlobalNorm: 1}},
			"SGD": &optim.SGD{}, "SGD with momentum": &optim.SGD{Momentum: 0.9, Nesterov: true},
		} {
			step, err := nn.Stepper(net, nn.InMemory{X: x, Y: y}, nn.FitConfig{Batch: n, Optimizer: o, Loss: loss})
			if err != nil {
				t.Fatal(err)
			}
			for _, procs := range []int{1, 2} {
				got := benchtest.Count(t, procs, 10, func() {
					if err := step(); err != nil {
						t.Fatal(err)
					}
				})
				if got > most {
					t.Errorf("%s, %v, procs %d: %d allocations, want at most %d", name, loss, procs, got, most)
				}
			}
		}
	}
}
