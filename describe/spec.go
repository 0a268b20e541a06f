package describe

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/internal/words"
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

// Named returns the name of a model as a Spec has it, whatever the case of its letters.
// Other names, such as those of files, stay as they are.
func Named(name string) string {
	for _, known := range append([]string{Perceptual}, Networks...) {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

// unknown is the error of a name that is neither that of a model nor of a file.
func unknown(name string) error {
	known := append([]string{Perceptual}, Networks...)
	near, small := "", strings.ToLower(name)
	for _, k := range slices.Backward(known) {
		if len(small) > 2 && (strings.HasPrefix(k, small) || strings.HasPrefix(small, k)) {
			near = k
		}
	}
	if near = cmp.Or(near, words.Nearest(small, known)); near != "" {
		return fmt.Errorf("there is no model %s, and no file of that name; did you mean %s?", name, near)
	}
	return fmt.Errorf("there is no model %s, and no file of that name; give %s, or the file of a model that was trained", name, strings.Join(append(slices.Clone(Networks), Perceptual), ", "))
}

// IsNetwork tells whether the model has published weights.
func (s Spec) IsNetwork() bool { return slices.Contains(Networks, s.Name) }

// File returns where the weights are, "" if there are none.
func (s Spec) File() (string, error) {
	switch {
	case s.Name == Perceptual:
		return "", nil
	case !s.IsNetwork():
		if _, err := os.Stat(s.Name); errors.Is(err, os.ErrNotExist) {
			return "", unknown(s.Name)
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
