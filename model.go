package lookalike

import (
	"errors"

	"lookalike/describe"
	"lookalike/vgg"
)

// Model describes pictures by vectors.
type Model = describe.Model

// ModelOption says how a network describes pictures: [WeightsFile], [Layer], and
// [Average] or [Max], which are given as they are, without parentheses.
type ModelOption func(*describe.Spec)

// WeightsFile is where the weights of VGG16 or VGG19 are: a file of Keras. Without it
// they are those that have been downloaded; a [*describe.WeightsError] says that there are
// none.
func WeightsFile(path string) ModelOption { return func(s *describe.Spec) { s.Weights = path } }

// WeightsCache is the folder in which downloaded weights are looked for: see [Cache].
func WeightsCache(dir string) ModelOption { return func(s *describe.Spec) { s.Cache = dir } }

// Layer is the layer whose output is the vector, by the name that it has in Keras, such
// as "block5_pool". Without it, it is fc2 if the weights have it, else block5_pool.
func Layer(name string) ModelOption { return func(s *describe.Spec) { s.Layer = name } }

// Average, a [ModelOption], brings each channel of a layer to the mean of its values.
func Average(s *describe.Spec) { s.Pooling = vgg.Average.String() }

// Max, a [ModelOption], brings each channel of a layer to the greatest of its values.
func Max(s *describe.Spec) { s.Pooling = vgg.Max.String() }

// Ground puts transparent pictures on "white" or "black" before the network sees them, as
// a person sees them. Without it alpha is dropped, as Keras does, and what is stored under
// transparent pixels counts.
func Ground(name string) ModelOption { return func(s *describe.Spec) { s.Ground = name } }

// VGG16 opens the network, which has learned from ImageNet: its features find pictures
// of like things. The caller closes it.
func VGG16(options ...ModelOption) (Model, error) { return network("vgg16", options) }

// VGG19 is VGG16 for the network with three convolutions more.
func VGG19(options ...ModelOption) (Model, error) { return network("vgg19", options) }

func network(name string, options []ModelOption) (Model, error) {
	s := describe.Spec{Name: name}
	apply(&s, options)
	return s.Open()
}

// Perceptual returns the model that needs no network: brightness and colour, cell by
// cell, by which copies of one photograph are told from all others, and nothing else is.
func Perceptual() Model { return describe.NewPerceptual() }

// Trained opens a model that training has written: an autoencoder, whose codes find
// pictures of like colour and layout, or an embedding, which finds pictures of like
// class. The caller closes it.
func Trained(file string) (Model, error) {
	if file == "" {
		return nil, errors.New("lookalike.Trained: no file is given")
	}
	return describe.OpenTrained(file)
}
