// Layer writes a layer of one's own, PReLU (He et al., arXiv 1502.01852), and lets it learn
// its slopes. Run it in the folder examples: go run ./layer
//
// The documentation of package nn says what a layer may do besides: buffers, freezing,
// forks, files.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// PReLU leaves positive values as they are and multiplies negative ones by a slope that it
// learns for each channel.
type PReLU struct {
	Name string

	slope *nn.Param // [channels]
}

func (l *PReLU) Identity() (name, class string) { return l.Name, "PReLU" }

func (l *PReLU) Build(in []int, _ *rand.Rand) (out []int, err error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("needs channels, got shape %v", in)
	}
	l.slope = nn.NewParam("slope", tensor.New(in[len(in)-1]))
	return in, nil
}

func (l *PReLU) Params() []*nn.Param {
	if l.slope == nil {
		return nil
	}
	return []*nn.Param{l.slope}
}

func (l *PReLU) Forward(p *nn.Pass, x *tensor.Tensor) *tensor.Tensor {
	slope, in := l.slope.Value.Data(), x.Data()
	y := p.New(x.Shape()...)
	for i, v := range in {
		y.Data()[i] = max(v, 0) + slope[i%len(slope)]*min(v, 0)
	}
	if p.Training() {
		p.Record(x, y, func(dy *tensor.Tensor) (dx *tensor.Tensor) {
			learned := l.slope.Gradient() // nil while frozen
			d := dy.Data()
			for i, v := range in {
				if v > 0 {
					continue
				}
				if learned != nil {
					learned.Data()[i%len(slope)] += d[i] * v
				}
				d[i] *= slope[i%len(slope)]
			}
			return dy // it may be written over
		})
	}
	return y
}

func main() {
	layer := &PReLU{}
	net := nn.NewSequential("slopes", layer)
	if err := net.Init(1, 2); err != nil {
		log.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	x, y := tensor.New(1000, 2), tensor.New(1000, 2)
	for i := range x.Data() {
		v := float32(random.NormFloat64())
		x.Data()[i] = v
		y.Data()[i] = max(v, 0) + []float32{0.25, -0.5}[i%2]*min(v, 0)
	}
	_, err := net.Fit(context.Background(), nn.InMemory{X: x, Y: y}, nn.FitConfig{Epochs: 20, Optimizer: &optim.Adam{LearningRate: 0.01}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("slopes of 0.25 and -0.5, learned as %.3f\n", layer.slope.Value.Data())
}
