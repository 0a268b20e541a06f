package netfile_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"lookalike/nn"
	"lookalike/nn/netfile"
	"lookalike/optim"
	"lookalike/tensor"
)

// A network goes to a file and comes back without a word about its layers.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "digits.safetensors")

	net := nn.NewSequential("digits",
		&nn.Conv2D{Filters: 8, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{}, &nn.Flatten{}, &nn.Dense{Units: 10, Activation: nn.Softmax})
	if err := net.Init(1, 28, 28, 1); err != nil {
		log.Fatal(err)
	}
	if err := netfile.Save(path, net); err != nil {
		log.Fatal(err)
	}
	loaded, err := netfile.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(loaded.Name, loaded.InputShape(), loaded.OutputShape(), loaded.ParamNames())
	// Output: digits [28 28 1] [10] [conv2d/kernel conv2d/bias dense/kernel dense/bias]
}

// What a network has learned goes on under a new head: Build draws the parameters of
// all layers anew, so those that are to be kept are put back, and frozen.
func ExampleLoad_anotherHead() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "net.safetensors")
	old := nn.NewSequential("old", &nn.Dense{Units: 8, Activation: nn.Tanh}, &nn.Dense{Units: 3, Activation: nn.Softmax})
	if err := old.Init(1, 4); err != nil {
		log.Fatal(err)
	}
	if err := netfile.Save(path, old.Slice(0, 1)); err != nil { // without its head
		log.Fatal(err)
	}

	base, err := netfile.Load(path)
	if err != nil {
		log.Fatal(err)
	}
	kept := base.Params()
	net := nn.NewSequential("new", base, &nn.Dense{Units: 1, Activation: nn.Sigmoid})
	if err := net.Init(2, 4); err != nil {
		log.Fatal(err)
	}
	for i, p := range base.Params() {
		p.Value = kept[i].Value
	}
	nn.Freeze(base)
	data := nn.InMemory{X: tensor.From([]float32{1, 0, 0, 0, 0, 0, 0, 1}, 2, 4), Y: tensor.From([]float32{1, 0}, 2, 1)}
	history, err := net.Fit(context.Background(), data, nn.FitConfig{
		Epochs: 100, Optimizer: &optim.Adam{LearningRate: 0.1}, Loss: nn.BinaryCrossentropy, Metrics: []nn.Metric{nn.Accuracy},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accuracy:", history[99].Value("accuracy"))
	fmt.Println("kept:", fmt.Sprint(base.Params()[0].Value.Data()) == fmt.Sprint(old.Params()[0].Value.Data()))
	// Output:
	// accuracy: 1
	// kept: true
}
