package nn_test

import (
	"context"
	"fmt"
	"log"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// A network of two dense layers learns the exclusive or.
func Example() {
	x := tensor.From([]float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2)
	y := tensor.From([]float32{0, 1, 1, 0}, 4, 1)

	net := nn.NewSequential("xor",
		&nn.Dense{Units: 8, Activation: nn.Tanh},
		&nn.Dense{Units: 1, Activation: nn.Sigmoid},
	)
	if err := net.Init(1, 2); err != nil {
		log.Fatal(err)
	}
	_, err := net.Fit(context.Background(), nn.InMemory{X: x, Y: y}, nn.FitConfig{
		Epochs: 300, Batch: 4, Optimizer: &optim.Adam{LearningRate: 0.05}, Loss: nn.BinaryCrossentropy,
	})
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range net.Predict(x).Data() {
		fmt.Printf("%v -> %.0f\n", x.Row(i), p)
	}
	// Output:
	// [0 0] -> 0
	// [0 1] -> 1
	// [1 0] -> 1
	// [1 1] -> 0
}
