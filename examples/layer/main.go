// Layer has a layer of its own in a network: it multiplies each value of its input by a
// number that it learns. The network is trained, saved with its architecture, and loaded.
// Run it in the folder examples: go run ./layer
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"

	"lookalike/nn"
	"lookalike/nn/netfile"
	"lookalike/optim"
	"lookalike/tensor"
)

// Gain multiplies the values of its input, [batch, n], each by its own number, [n].
type Gain struct {
	Name string
	gain *nn.Param
}

func init() { nn.Register(&Gain{}) } // so that netfile.Load knows it

func (l *Gain) Identity() (name, class string) { return l.Name, "Gain" }

func (l *Gain) Build(in []int, _ *rand.Rand) (out []int, err error) {
	if len(in) != 1 {
		return nil, fmt.Errorf("gain takes vectors, not values of shape %v", in)
	}
	ones := tensor.New(in[0])
	for i := range ones.Data() {
		ones.Data()[i] = 1
	}
	l.gain = nn.NewParam("gain", ones)
	return in, nil
}

func (l *Gain) Params() []*nn.Param {
	if l.gain == nil {
		return nil // before Build
	}
	return []*nn.Param{l.gain}
}

func (l *Gain) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	y, gain := p.New(x.Shape()...), l.gain.Value.Data()
	for i, v := range x.Data() {
		y.Data()[i] = v * gain[i%len(gain)]
	}
	p.Record(x, y, func(dy *tensor.Tensor) *tensor.Tensor {
		dx, learned := p.New(x.Shape()...), l.gain.Gradient() // nil while it is frozen
		for i, d := range dy.Data() {
			dx.Data()[i] = d * gain[i%len(gain)]
			if learned != nil {
				learned.Data()[i%len(gain)] += d * x.Data()[i]
			}
		}
		return dx
	})
	return y
}

func main() {
	// The network shall learn to multiply by 1, 2 and 3.
	random := rand.New(rand.NewPCG(1, 2))
	x, y := tensor.New(256, 3), tensor.New(256, 3)
	for i := range x.Data() {
		x.Data()[i] = float32(random.NormFloat64())
		y.Data()[i] = x.Data()[i] * float32(1+i%3)
	}
	layer := &Gain{}
	net := nn.NewSequential("gains", layer)
	if err := net.Init(1, 3); err != nil {
		log.Fatal(err)
	}
	if _, err := net.Fit(context.Background(), nn.InMemory{X: x, Y: y}, nn.FitConfig{
		Epochs: 40, Optimizer: &optim.Adam{LearningRate: 0.05}, Loss: nn.MSE, Metrics: []nn.Metric{nn.MeanAbsoluteError},
	}); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("learned %.2f\n", layer.gain.Value.Data())

	file := filepath.Join(os.TempDir(), "gains.safetensors")
	if err := netfile.Save(file, net); err != nil {
		log.Fatal(err)
	}
	defer os.Remove(file)
	loaded, err := netfile.Load(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f becomes %.2f\n", x.Row(0), loaded.Predict(x).Row(0))
}
