package vgg

import (
	"math/rand/v2"

	"lookalike/nn"
	"lookalike/tensor"
)

// input is the row with which Keras's summary of a functional model begins. It
// passes pictures on as they are.
type input struct{}

func init() { nn.Register(input{}) }

func (input) Identity() (name, class string) { return "input_layer", "InputLayer" }

func (input) Build(in []int, _ *rand.Rand) ([]int, error) { return in, nil }

func (input) Forward(_ *nn.Pass, x *tensor.Tensor) *tensor.Tensor { return x }

func (input) Params() []*nn.Param { return nil }
