package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"lookalike/tensor"
)

// Differentiate runs a layer that has been built, or a network, as in training, and
// goes back: from dy, the gradient of some value by the outputs, to dx, that by the
// inputs x. It returns the outputs y too, and adds to the gradients of the layer's
// parameters. Both x and dy, which has y's shape, are left as they are; moving
// averages are not. Randomness, as of Dropout, is the same at every call.
//
// It is for tests of layers (the differences of the value when inputs or parameters
// change a little are to be what their gradients say), and for finding out which
// inputs an output depends on. A layer that gives no gradient of its input gives a
// nil dx.
func Differentiate(l Layer, x, dy *tensor.Tensor) (y, dx *tensor.Tensor) {
	p := newPass(1)
	p.training, p.rng = true, rand.New(rand.NewPCG(7, 7))
	y = l.Forward(p, x).Clone()
	if !slices.Equal(y.Shape(), dy.Shape()) {
		panic(fmt.Sprintf("nn.Differentiate: the outputs have shape %v, their gradient %v", y.Shape(), dy.Shape()))
	}
	if dx = p.backward(dy.Clone()); dx != nil {
		dx = dx.Clone()
	}
	return y, dx
}
