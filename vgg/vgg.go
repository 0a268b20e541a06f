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

	// Pooling is what ends a network without the top.
	Pooling Pooling
}

// Pooling says what becomes of the last pictures in a network without the top.
type Pooling int

const (
	None    Pooling = iota // nothing: features are [height/32, width/32, 512]
	Average                // each channel's mean, [512]: Keras's "avg"
	Max                    // each channel's greatest value, [512]: Keras's "max"
)

// poolings have Keras's name of each pooling and of its layer.
var poolings = [...]struct{ name, layer string }{
	{"none", ""}, {"avg", "global_average_pooling2d"}, {"max", "global_max_pooling2d"},
}

func (p Pooling) String() string {
	if !p.known() {
		return fmt.Sprintf("Pooling(%d)", int(p))
	}
	return poolings[p].name
}

func (p Pooling) known() bool { return p >= 0 && int(p) < len(poolings) }

func (p Pooling) layerName() string { return poolings[p].layer }

// ParsePooling returns the pooling of that name: none, avg or max.
func ParsePooling(name string) (Pooling, error) {
	for p, known := range poolings {
		if known.name == name {
			return Pooling(p), nil
		}
	}
	return None, fmt.Errorf("vgg: there is no pooling %q, only none, avg and max", name)
}

// Classes is how many classes the top tells apart.
const Classes = 1000

const (
	side      = 224         // of the pictures that the top was made for
	minSide   = 32          // the five poolings leave one pixel of it
	maxSide   = 4096        // the first layers take 1 KB a pixel
	flattened = 7 * 7 * 512 // values that the top takes
)

// The convolutions of each block.
var (
	convolutions16 = [5]int{2, 2, 3, 3, 3}
	convolutions19 = [5]int{2, 2, 4, 4, 4}
)

// New16 returns VGG16 with random parameters, or with zeros, to be loaded, if
// rng is nil. It takes pictures [n, height, width, 3] and gives probabilities
// [n, 1000], or without the top [n, height/32, width/32, 512].
//
// It has 138,357,544 parameters, 14,714,688 of them below the top.
func New16(c Config, rng *rand.Rand) (*nn.Sequential, error) {
	return build("vgg16", convolutions16, c, rng)
}

// New19 is [New16] for VGG19: 143,667,240 parameters, 20,024,384 of them below
// the top.
func New19(c Config, rng *rand.Rand) (*nn.Sequential, error) {
	return build("vgg19", convolutions19, c, rng)
}

// complete fills in the size and says what cannot be.
func (c Config) complete() (Config, error) {
	if c.Input == [2]int{} {
		c.Input = [2]int{side, side}
	}
	switch h, w := c.Input[0], c.Input[1]; {
	case !c.Pooling.known():
		return c, fmt.Errorf("there is no %v, only None, Average and Max", c.Pooling)
	case !c.NoTop && c.Input != [2]int{side, side}:
		return c, fmt.Errorf("the dense layers take pictures of %dx%d, not %dx%d; leave out the top for another size", side, side, h, w)
	case min(h, w) < minSide:
		return c, fmt.Errorf("pictures of %dx%d are too small, at least %dx%d are needed", h, w, minSide, minSide)
	case max(h, w) > maxSide:
		return c, fmt.Errorf("pictures of %dx%d are too large, at most %dx%d are possible", h, w, maxSide, maxSide)
	case !c.NoTop && c.Pooling != None:
		return c, fmt.Errorf("pooling %q is for a network without its top", c.Pooling)
	}
	return c, nil
}

// layers returns the layers of blocks of that many convolutions each, and those
// of the top, nil without one.
func (c Config) layers(convolutions [5]int) (base, top []nn.Layer) {
	base = []nn.Layer{input{}}
	for i, n := range convolutions {
		block := fmt.Sprintf("block%d_", i+1)
		for j := range n {
			base = append(base, &nn.Conv2D{Name: fmt.Sprintf("%sconv%d", block, j+1),
				Filters: min(64<<i, 512), Kernel: 3, Padding: nn.Same, Activation: nn.ReLU})
		}
		base = append(base, &nn.MaxPool2D{Name: block + "pool"})
	}
	switch {
	case !c.NoTop:
		top = topLayers()
	case c.Pooling == Average:
		base = append(base, &nn.GlobalAveragePool2D{})
	case c.Pooling == Max:
		base = append(base, &nn.GlobalMaxPool2D{})
	}
	return base, top
}

func topLayers() []nn.Layer {
	return []nn.Layer{
		&nn.Flatten{Name: "flatten"},
		&nn.Dense{Name: "fc1", Units: 4096, Activation: nn.ReLU},
		&nn.Dense{Name: "fc2", Units: 4096, Activation: nn.ReLU},
		&nn.Dense{Name: "predictions", Units: Classes, Activation: nn.Softmax},
	}
}

// build returns a network of five blocks with that many convolutions each.
func build(name string, convolutions [5]int, c Config, rng *rand.Rand) (*nn.Sequential, error) {
	c, err := c.complete()
	if err != nil {
		return nil, fmt.Errorf("vgg: %w", err)
	}
	base, top := c.layers(convolutions)
	net := nn.NewSequential(name, append(base, top...)...)
	_, err = net.Build([]int{c.Input[0], c.Input[1], 3}, rng)
	return net, err
}
