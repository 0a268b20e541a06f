package nn_test

import (
	"testing"

	"lookalike/internal/benchtest"
	"lookalike/nn"
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
