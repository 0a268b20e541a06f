package describe

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/weights/published"
)

// Spec says which model to open, and how.
type Spec struct {
	Name    string // of Networks, Perceptual, or the file of an autoencoder or an embedding
	Weights string // the file of a network's weights, "" for a published one that has been downloaded

	// Of a network: the layer whose output is the vector, and how each of its
	// channels is reduced to a number (the name of a vgg.Pooling). "" is what suits
	// the weights.
	Layer, Pooling string

	// Of a network: on what ground transparent pictures are seen, "white" or "black"; "" or
	// "none": alpha is dropped, as Keras does.
	Ground string

	Cache string // the folder with downloaded weights; "": that of LOOKALIKE_CACHE, or of the user
}

// Best is the model for pictures of which nothing else is known: vgg16 if its weights have
// been downloaded to the folder cache (as in a Spec), else Perceptual, which needs none and
// finds copies.
func Best(cache string) Spec {
	network := Spec{Name: "vgg16", Cache: cache}
	if _, err := network.File(); err != nil {
		return Spec{Name: Perceptual}
	}
	return network
}

// WeightsError is that weights that Keras publishes have not been downloaded.
type WeightsError = published.MissingError

// IsNetwork tells whether the model has published weights.
func (s Spec) IsNetwork() bool { return slices.Contains(Networks, s.Name) }

// File returns where the weights are, "" if there are none.
func (s Spec) File() (string, error) {
	switch {
	case s.Name == Perceptual:
		return "", nil
	case !s.IsNetwork():
		if _, err := os.Stat(s.Name); errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s: there is no such file, and no network of that name; give vgg16, vgg19, perceptual, or the file of a model that was trained", s.Name)
		}
		return s.Name, nil
	case s.Weights != "":
		return s.Weights, nil
	}
	if slices.Contains([]string{"fc1", "fc2", "predictions"}, s.Layer) {
		return published.Store(s.Cache).Find(s.Name)
	}
	return published.Store(s.Cache).Find(s.Name, s.Name+"-notop")
}

// Open opens the model. The caller closes it.
func (s Spec) Open() (Model, error) {
	file, err := s.File()
	switch {
	case err != nil:
		return nil, err
	case s.Name == Perceptual:
		return NewPerceptual(), nil
	case s.IsNetwork():
		words, err := groundWords(s.Ground)
		if err != nil {
			return nil, err
		}
		return openVGG(gallery.Recipe{Model: s.Name, Layer: s.Layer, Pooling: s.Pooling, Preprocessing: words}, file)
	}
	return OpenTrained(file)
}

// OpenTrained opens a model that training has written, an autoencoder or an embedding.
func OpenTrained(file string) (Model, error) {
	isEmbedding, err := embedding.IsFile(file)
	if err != nil {
		return nil, err
	}
	if isEmbedding {
		m, err := embedding.Load(file)
		if err != nil {
			return nil, err
		}
		return Embeddings(m, file)
	}
	m, err := autoencoder.Load(file)
	if err != nil {
		return nil, err
	}
	return Codes(m, file)
}
