package optim_test

import (
	"math/rand/v2"
	"testing"

	"lookalike/nn"
	"lookalike/optim"
	"lookalike/tensor"
)

// BenchmarkStep updates the parameters of the autoencoder's two dense layers,
// which lie in memory, not in a cache.
func BenchmarkStep(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	p := &nn.Param{Name: "kernel", Value: tensor.New(50176, 64), Grad: tensor.New(50176, 64)}
	for i := range p.Grad.Data() {
		p.Grad.Data()[i] = float32(r.NormFloat64())
	}
	for name, o := range map[string]nn.Optimizer{"adamax": &optim.Adamax{}, "adam": &optim.Adam{}, "sgd": &optim.SGD{}, "momentum": &optim.SGD{Momentum: 0.9}} {
		b.Run("optimizer="+name, func(b *testing.B) {
			b.SetBytes(int64(4 * p.Value.Len()))
			for b.Loop() {
				o.Step([]*nn.Param{p})
			}
		})
	}
}
