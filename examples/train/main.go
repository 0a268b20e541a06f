// Train learns whether points of the plane lie in a circle, saves the network, and loads
// it again. Run it in the folder examples: go run ./train [FILE]
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"lookalike/nn"
	"lookalike/nn/netfile"
	"lookalike/optim"
	"lookalike/tensor"
)

func main() {
	file := "circle.safetensors"
	if len(os.Args) > 1 {
		file = os.Args[1]
	}
	net := nn.NewSequential("circle",
		&nn.Dense{Units: 16, Activation: nn.ReLU},
		&nn.Dense{Units: 16, Activation: nn.ReLU},
		&nn.Dense{Units: 1, Activation: nn.Sigmoid},
	)
	if err := net.Init(1, 2); err != nil { // the seed, and the shape of a sample
		log.Fatal(err)
	}
	_, err := net.Fit(context.Background(), points(1000), nn.FitConfig{
		Epochs: 30, Optimizer: &optim.Adam{LearningRate: 0.01}, Loss: nn.BinaryCrossentropy,
		Metrics:   []nn.Metric{nn.Accuracy},
		Callbacks: []nn.Callback{nn.PrintProgress(os.Stderr)},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := netfile.Save(file, net); err != nil {
		log.Fatal(err)
	}

	loaded, err := netfile.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range loaded.Predict(tensor.From([]float32{0, 0, 0.3, 0.3, 0.9, 0.9}, 3, 2)).Data() {
		fmt.Printf("point %d lies in the circle with a probability of %.0f%%\n", i, 100*p)
	}
}

// points draws n points, and whether each is in the circle of radius 0.8.
func points(n int) nn.InMemory {
	random := rand.New(rand.NewPCG(1, 2))
	x, y := tensor.New(n, 2), tensor.New(n, 1)
	for i := range n {
		p := x.Row(i)
		p[0], p[1] = 2*random.Float32()-1, 2*random.Float32()-1
		if p[0]*p[0]+p[1]*p[1] < 0.8*0.8 {
			y.Row(i)[0] = 1
		}
	}
	return nn.InMemory{X: x, Y: y}
}
