package describe

import (
	"context"
	"path/filepath"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/internal/parallel"
	"lookalike/internal/perceptual"
	"lookalike/picture"
	"lookalike/tensor"
)

// perceptualDescriber describes what pictures look like at a glance.
func perceptualDescriber() *Describer {
	return &Describer{Describer: gallery.Describer{
		Recipe:  gallery.Recipe{Model: Perceptual, Preprocessing: perceptual.Preprocessing},
		Width:   perceptual.Width,
		Prepare: perceptual.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(p), perceptual.Width)
			parallel.For(len(p), func(i int) { copy(v.Row(i), perceptual.Describe(p[i])) })
			return v, nil
		},
	}}
}

// openLearned loads a model that training has written.
func openLearned(file string) (*Describer, error) {
	isEmbedding, err := embedding.IsFile(file)
	if err != nil {
		return nil, err
	}
	if isEmbedding {
		return openEmbedding(file)
	}
	m, err := autoencoder.Load(file)
	if err != nil {
		return nil, err
	}
	return Codes(m, file, "")
}

// Codes describes pictures by the codes of an autoencoder that a file holds too.
// exif is as in a gallery.Recipe.
func Codes(m *autoencoder.Model, file, exif string) (*Describer, error) {
	path, err := filepath.Abs(file)
	return &Describer{network: m, Describer: gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         autoencoderModel,
			WeightsSHA256: m.Fingerprint(),
			Layer:         "code",
			Preprocessing: autoencoder.Preprocessing,
			EXIF:          exif,
			WeightsFile:   path,
		},
		Width:   m.Config.Code,
		Prepare: m.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			return m.Encoder.Predict(m.Input(p)), nil
		},
	}}, err
}

// openEmbedding loads an embedding.
func openEmbedding(file string) (*Describer, error) {
	m, err := embedding.Load(file)
	if err != nil {
		return nil, err
	}
	fingerprint, err := m.Fingerprint()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(file)
	return &Describer{network: m, Describer: gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         embeddingModel,
			WeightsSHA256: fingerprint,
			Layer:         "embedding on " + m.Config.Base,
			Preprocessing: m.Preprocessing(),
			WeightsFile:   path,
		},
		Width:    m.Config.Dim,
		Prepare:  m.Prepare,
		Describe: m.Embed,
	}}, err
}
