package measure

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"lookalike/internal/cpu"
	"lookalike/nn"
	"lookalike/vgg"
)

// BenchmarkPredict predicts with small networks and with VGG16, from the picture's
// values to the classes' probabilities.
func BenchmarkPredict(b *testing.B) {
	for _, s := range Small {
		predict(b, s.Name, s.Input, s.New)
	}
	predict(b, "vgg16", []int{224, 224, 3}, func() (*nn.Sequential, error) {
		return vgg.New16(vgg.Config{}, rand.New(rand.NewPCG(1, 0)))
	})
}

func predict(b *testing.B, name string, input []int, make func() (*nn.Sequential, error)) {
	b.Run(fmt.Sprintf("tier=%s/net=%s/batch=1", cpu.Tier(), name), func(b *testing.B) {
		net, err := make()
		if err != nil {
			b.Fatal(err)
		}
		x := SmallInput(input)
		net.Predict(x) // kernels are made ready
		b.ReportAllocs()
		for b.Loop() {
			net.Predict(x)
		}
	})
}
