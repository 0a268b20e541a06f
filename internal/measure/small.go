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

// small measures single predictions, as many one after the other as take about the time
// that is given: long enough for other processes to have their turns in it.
func small(ctx context.Context, long time.Duration, emit func(Row)) error {
	for _, s := range Small {
		net, err := s.New()
		if err != nil {
			return err
		}
		x := SmallInput(s.Input)
		for range 100 { // until memory and processors are warm
			net.Predict(x)
		}
		count := 0
		for begun := time.Now(); time.Since(begun) < long; count++ {
			net.Predict(x)
		}
		times, err := Time(ctx, 20, func() error {
			for range count {
				net.Predict(x)
			}
			return nil
		})
		if err != nil {
			return err
		}
		r := newRow(s.Name).took(times)
		r.Batch = 1
		r.MinMSPerImage, r.MedianMSPerImage = times.per(count)
		emit(r.Finish())
	}
	return nil
}
