package measure

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"lookalike/autoencoder"
	"lookalike/nn"
	"lookalike/tensor"
)

// Small are networks whose predictions take microseconds: Keras's examples for digits
// of 28x28 pixels, a convolutional and a dense one, and the article's encoder for
// pictures of 96x96. Weights are random.
var Small = []struct {
	Name  string
	Input []int
	New   func() (*nn.Sequential, error)
}{
	{"cnn28", []int{28, 28, 1}, func() (*nn.Sequential, error) {
		return built([]int{28, 28, 1},
			&nn.Conv2D{Filters: 32, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{},
			&nn.Conv2D{Filters: 64, Kernel: 3, Activation: nn.ReLU}, &nn.MaxPool2D{},
			&nn.Flatten{}, &nn.Dense{Units: 10, Activation: nn.Softmax})
	}},
	{"mlp", []int{784}, func() (*nn.Sequential, error) {
		return built([]int{784}, &nn.Dense{Units: 512, Activation: nn.ReLU}, &nn.Dense{Units: 512, Activation: nn.ReLU},
			&nn.Dense{Units: 10, Activation: nn.Softmax})
	}},
	{"encoder96", []int{96, 96, 3}, func() (*nn.Sequential, error) {
		m, err := autoencoder.New(autoencoder.Config{Size: 96}, 1)
		if err != nil {
			return nil, err
		}
		return m.Encoder, nil
	}},
}

func built(in []int, layers ...nn.Layer) (*nn.Sequential, error) {
	net := nn.NewSequential("", layers...)
	return net, net.Init(1, in...)
}

// SmallInput returns a picture for a network of Small.
func SmallInput(shape []int) *tensor.Tensor {
	return tensor.From(random(tensor.Size(shape), rand.New(rand.NewPCG(2, 0))), slices.Concat([]int{1}, shape)...)
}

// small measures single predictions for at least the time that is given: what is short
// is disturbed often.
func small(ctx context.Context, least time.Duration, emit func(Row)) error {
	for _, s := range Small {
		net, err := s.New()
		if err != nil {
			return err
		}
		x := SmallInput(s.Input)
		for range 100 { // until memory and processors are warm
			net.Predict(x)
		}
		begun := time.Now()
		net.Predict(x)
		runs := max(100, int(least/max(1, time.Since(begun))))
		times, err := Time(ctx, runs, func() error { net.Predict(x); return nil })
		if err != nil {
			return err
		}
		r := newRow(s.Name).took(times)
		r.Batch = 1
		r.MinMSPerImage, r.MedianMSPerImage = times.per(1)
		emit(r.Finish())
	}
	return nil
}
