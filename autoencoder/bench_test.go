package autoencoder_test

import (
	"math/rand/v2"
	"testing"

	"lookalike/autoencoder"
	"lookalike/nn"
	"lookalike/optim"
	"lookalike/picture"
)

// noise returns pictures of random pixels; training takes the same time on any.
func noise(n, size int) autoencoder.Pictures {
	rng := rand.New(rand.NewPCG(1, 2))
	pictures := make(autoencoder.Pictures, n)
	for i := range pictures {
		pictures[i] = picture.New(size, size)
		for j := range pictures[i].Pix {
			pictures[i].Pix[j] = uint8(rng.Uint32())
		}
	}
	return pictures
}

// BenchmarkTrain measures a training step of the article's autoencoder: batch
// 32, 224x224, Adamax, as shared/peers/autoencoder.py does.
func BenchmarkTrain(b *testing.B) {
	m, err := autoencoder.New(autoencoder.Config{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	photos := noise(32, 224)
	b.ReportAllocs()
	b.ResetTimer()
	_, err = m.Fit(b.Context(), photos, nn.FitConfig{Epochs: b.N, Batch: 32, Optimizer: &optim.Adamax{}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*32), "ms/picture")
}

// BenchmarkEncode measures the codes of 32 pictures, decoded and resized.
func BenchmarkEncode(b *testing.B) {
	m, err := autoencoder.New(autoencoder.Config{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	x := m.Input(noise(32, 224))
	b.ReportAllocs()
	for b.Loop() {
		m.Encoder.Predict(x)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N*32), "ms/picture")
}
