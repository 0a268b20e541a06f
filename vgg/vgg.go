// Package vgg is VGG16 and VGG19, the networks of Simonyan and Zisserman ("Very
// Deep Convolutional Networks for Large-Scale Image Recognition", arXiv
// 1409.1556), with the layers' names and options of keras.applications.
//
// Five blocks of 3x3 convolutions with ReLU, each ended by a 2x2 max-pooling
// that halves the picture, and on top three dense layers for the 1000 classes of
// ImageNet.
package vgg

import (
	"fmt"
	"math/rand/v2"

	"lookalike/nn"
)

// Config says how much of a network is built. The zero value is the whole.
type Config struct {
	// NoTop leaves out what follows block5_pool: Keras's include_top=False.
	NoTop bool

	// Input is the pictures' height and width; 224x224 if zero. Without the top
	// it is free, from 32x32.
	Input [2]int
}

// Classes is how many classes the top tells apart.
const Classes = 1000

const (
	side    = 224 // of the pictures that the top was made for
	minSide = 32  // the five poolings leave one pixel of it
)

// New16 returns VGG16 with random parameters, or with zeros, to be loaded, if
// rng is nil. It takes pictures [n, height, width, 3] and gives probabilities
// [n, 1000], or without the top [n, height/32, width/32, 512].
//
// It has 138,357,544 parameters, 14,714,688 of them below the top.
func New16(c Config, rng *rand.Rand) (*nn.Sequential, error) {
	return build("vgg16", [5]int{2, 2, 3, 3, 3}, c, rng)
}

// New19 is [New16] for VGG19: 143,667,240 parameters, 20,024,384 of them below
// the top.
func New19(c Config, rng *rand.Rand) (*nn.Sequential, error) {
	return build("vgg19", [5]int{2, 2, 4, 4, 4}, c, rng)
}

// build returns a network of five blocks with that many convolutions each.
func build(name string, convolutions [5]int, c Config, rng *rand.Rand) (*nn.Sequential, error) {
	if c.Input == [2]int{} {
		c.Input = [2]int{side, side}
	}
	switch {
	case !c.NoTop && c.Input != [2]int{side, side}:
		return nil, fmt.Errorf("vgg: the dense layers take pictures of %dx%d, not %dx%d; build without the top for another size",
			side, side, c.Input[0], c.Input[1])
	case min(c.Input[0], c.Input[1]) < minSide:
		return nil, fmt.Errorf("vgg: pictures of %dx%d are too small, at least %dx%d are needed", c.Input[0], c.Input[1], minSide, minSide)
	}
	net := nn.NewSequential(name, input{})
	for i, n := range convolutions {
		block := fmt.Sprintf("block%d_", i+1)
		for j := range n {
			net.Layers = append(net.Layers, &nn.Conv2D{Name: fmt.Sprintf("%sconv%d", block, j+1),
				Filters: min(64<<i, 512), Kernel: 3, Padding: nn.Same, Activation: nn.ReLU})
		}
		net.Layers = append(net.Layers, &nn.MaxPool2D{Name: block + "pool"})
	}
	if !c.NoTop {
		net.Layers = append(net.Layers,
			&nn.Flatten{Name: "flatten"},
			&nn.Dense{Name: "fc1", Units: 4096, Activation: nn.ReLU},
			&nn.Dense{Name: "fc2", Units: 4096, Activation: nn.ReLU},
			&nn.Dense{Name: "predictions", Units: Classes, Activation: nn.Softmax})
	}
	_, err := net.Build([]int{c.Input[0], c.Input[1], 3}, rng)
	return net, err
}
