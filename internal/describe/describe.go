// Package describe knows the models that pictures are described by: it leads from
// the name of one, and from the recipe of an index, to what makes vectors of
// pictures.
package describe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"lookalike/gallery"
	"lookalike/internal/fetch"
	"lookalike/weights"
)

// Networks are the names of the models with published weights.
var Networks = []string{"vgg16", "vgg19"}

// Perceptual is the name of the model that is no network.
const Perceptual = "perceptual"

// The models of recipes whose vectors come from a file that training has written,
// which is all there is to them.
const (
	autoencoderModel = "autoencoder"
	embeddingModel   = "embedding"
)

// Model says how pictures are to be described.
type Model struct {
	Name    string // of Networks, Perceptual, or the file of an autoencoder or an embedding
	Weights string // the file of a network's weights, "" for a published one that has been downloaded

	// Of a network: the layer whose output is the vector, and how each of its
	// channels is reduced to a number (the name of a vgg.Pooling). "" is what suits
	// the weights.
	Layer, Pooling string

	Components int    // to how many principal components an index brings the vectors; 0: none
	EXIF       string // as in a gallery.Recipe
}

// IsNetwork tells whether the model has published weights.
func (m Model) IsNetwork() bool { return slices.Contains(Networks, m.Name) }

// File returns where the weights are, "" if there are none.
func (m Model) File() (string, error) {
	switch {
	case m.Name == Perceptual:
		return "", nil
	case !m.IsNetwork():
		if _, err := os.Stat(m.Name); errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("%s: there is no such file, and no network of that name; give vgg16, vgg19, perceptual, or the file that 'lookalike train' has written", m.Name)
		}
		return m.Name, nil
	case m.Weights != "":
		return m.Weights, nil
	}
	if slices.Contains([]string{"fc1", "fc2", "predictions"}, m.Layer) {
		return fetch.Find(m.Name)
	}
	return fetch.Find(m.Name, m.Name+"-notop")
}

// Describer is a gallery's, with the network that it describes pictures by.
type Describer struct {
	gallery.Describer
	network any // nil for none
}

// Open loads the model. The caller closes the describer.
func (m Model) Open() (*Describer, error) {
	file, err := m.File()
	if err != nil {
		return nil, err
	}
	return m.open(file)
}

// open loads the model, whose weights are in a file.
func (m Model) open(file string) (*Describer, error) {
	load := openLearned
	switch {
	case m.Name == Perceptual:
		load = func(string) (*Describer, error) { return perceptualDescriber(), nil }
	case m.IsNetwork():
		load = m.openVGG
	}
	d, err := load(file)
	if err != nil {
		return nil, err
	}
	d.Recipe.EXIF, d.Components = m.EXIF, m.Components
	return d, nil
}

// Close gives back the network.
func (d *Describer) Close() error {
	if c, ok := d.network.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Identify notes in the recipe which weights a network's file holds. A file whose
// path, size and time are those of an earlier recipe has the hash on record there:
// to hash the 553 MB of VGG16 takes longer than a whole search. Recipes that say
// it already, or that are of no file, stay as they are.
func (d *Describer) Identify(earlier gallery.Recipe) error {
	r := &d.Recipe
	if r.WeightsFile == "" || r.WeightsSHA256 != "" {
		return nil
	}
	info, err := os.Stat(r.WeightsFile)
	if err != nil {
		return err
	}
	r.WeightsSize, r.WeightsTime = info.Size(), info.ModTime().UTC()
	if earlier.WeightsFile == r.WeightsFile && earlier.WeightsSize == r.WeightsSize && earlier.WeightsTime.Equal(r.WeightsTime) {
		r.WeightsSHA256 = earlier.WeightsSHA256
		return nil
	}
	r.WeightsSHA256, err = weights.Fingerprint(r.WeightsFile)
	return err
}
