package autoencoder

import (
	"fmt"
	"math"

	"lookalike/internal/checkpoint"
	"lookalike/weights"
)

// The parameters in a model file are named like "encoder/conv2d_1/kernel", and
// its configuration is a Config.
var format = checkpoint.Format{Kind: "autoencoder", Version: "1"}

// Training is what a model file keeps so that training can go on.
type Training = checkpoint.Training

// Save writes the model, and what training needs to go on unless that is nil.
// The file appears whole or not at all.
func (m *Model) Save(path string, training *Training, options ...weights.Option) error {
	if err := m.made(); err != nil {
		return err
	}
	return checkpoint.Save(path, m.Metadata(), checkpoint.ByName(m.Params()), training, options...)
}

// Metadata returns what a model file says of the network beside its parameters.
func (m *Model) Metadata() map[string]string {
	return format.Metadata(m.must("Metadata").Config, Preprocessing)
}

// IsModel tells whether a file seems to hold an autoencoder, by its metadata or
// its arrays' names.
func IsModel(f *weights.File) bool {
	_, ok := f.Shape(firstKernel)
	return ok || format.Has(f)
}

const firstKernel = "encoder/conv2d/kernel"

// Load reads a model: a model file, or weights in another format, such as of
// Keras, of an encoder and a decoder with this network's layers. The shapes of
// the arrays tell the configuration then, and pictures are taken to be prepared
// as [Preprocessing] says.
func Load(path string) (*Model, error) {
	m, _, err := load(path, false)
	return m, err
}

// Resume reads a model and what is needed to go on training it.
func Resume(path string) (*Model, *Training, error) { return load(path, true) }

func load(path string, resume bool) (*Model, *Training, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	m, err := read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if !resume {
		return m, nil, nil
	}
	t, err := checkpoint.Read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, t, nil
}

func read(f *weights.File) (*Model, error) {
	c, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	if c, err = c.complete(); err != nil {
		return nil, err
	}
	stored := checkpoint.Network{File: f}
	if err := stored.CheckSize(c.params()); err != nil {
		return nil, err
	}
	m, err := build(c, nil)
	if err != nil {
		return nil, err
	}
	return m, weights.Load(stored, checkpoint.ByName(m.Params()))
}

func readConfig(f *weights.File) (Config, error) {
	if _, ok := f.Shape(firstKernel); ok && checkpoint.Foreign(f) {
		return configOf(f)
	}
	var c Config
	if err := format.Config(f, &c); err != nil {
		return c, err
	}
	return c, checkpoint.CheckPreprocessing(f, Preprocessing)
}

// configOf returns the configuration that the shapes of an encoder's arrays
// tell.
func configOf(f *weights.File) (Config, error) {
	var c Config
	for name := firstKernel; ; name = fmt.Sprintf("encoder/conv2d_%d/kernel", len(c.Widths)) {
		shape, ok := f.Shape(name)
		if !ok {
			break
		}
		if len(shape) != 4 || shape[3] < 1 {
			return c, fmt.Errorf("array %q has shape %v, which is none of a convolution", name, shape)
		}
		c.Widths = append(c.Widths, shape[3])
	}
	const name = "encoder/dense/kernel"
	shape, ok := f.Shape(name)
	if !ok {
		return c, fmt.Errorf("has no array %q", name)
	}
	last := c.Widths[len(c.Widths)-1]
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 || shape[0]%last != 0 || len(c.Widths) > maxWidths {
		return c, fmt.Errorf("array %q has shape %v, which does not follow %d convolutions, the last with %d filters", name, shape, len(c.Widths), last)
	}
	inner := int(math.Round(math.Sqrt(float64(shape[0] / last))))
	c.Size, c.Code = inner<<len(c.Widths), shape[1]
	return c, nil
}
