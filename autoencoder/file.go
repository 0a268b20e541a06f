package autoencoder

import (
	"encoding/json"
	"fmt"
	"math"

	"lookalike/checkpoint"
	"lookalike/tensor"
	"lookalike/weights"
)

// A model file is a safetensors file. Its tensors are the parameters, named
// like "encoder/conv2d_1/kernel", and those of package checkpoint; its metadata
// has the keys below.
const (
	formatKey        = "format"
	versionKey       = "version"
	configKey        = "config"        // Config as JSON
	preprocessingKey = "preprocessing" // Preprocessing

	format  = "lookalike autoencoder"
	version = "1"
)

// Training is what a model file keeps so that training can go on.
type Training = checkpoint.Training

// Save writes the model, and what training needs to go on unless that is nil.
// The file appears whole or not at all.
func (m *Model) Save(path string, training *Training) error {
	metadata, tensors := m.Metadata(), m.tensors()
	if training != nil {
		if err := training.Put(metadata, tensors); err != nil {
			return err
		}
	}
	return weights.Save(path, tensors, metadata)
}

// Metadata returns what a model file says of the network beside its parameters.
func (m *Model) Metadata() map[string]string {
	config, err := json.Marshal(m.Config)
	if err != nil {
		panic(err) // numbers only
	}
	return map[string]string{
		formatKey: format, versionKey: version,
		configKey: string(config), preprocessingKey: Preprocessing,
	}
}

// IsModel tells whether a file seems to hold an autoencoder, by its metadata or
// its arrays' names.
func IsModel(f *weights.File) bool {
	_, ok := f.Shape(firstKernel)
	return ok || f.Metadata()[formatKey] == format
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
	if has, needs := stored.Values(), c.params(); has != needs {
		return nil, fmt.Errorf("has %d parameters, its configuration needs %d", has, needs)
	}
	m, err := build(c, nil)
	if err != nil {
		return nil, err
	}
	return m, weights.Load(stored, m.tensors())
}

func readConfig(f *weights.File) (Config, error) {
	var c Config
	meta := f.Metadata()
	if _, ok := f.Shape(firstKernel); ok && meta[formatKey] == "" {
		return configOf(f)
	}
	if meta[formatKey] != format {
		return c, fmt.Errorf("is no autoencoder made by this program (its metadata has no %s %q)", formatKey, format)
	}
	if meta[versionKey] != version {
		return c, fmt.Errorf("is an autoencoder of version %q; this program reads version %s", meta[versionKey], version)
	}
	if meta[preprocessingKey] != Preprocessing {
		return c, fmt.Errorf("was trained on pictures prepared as %q; this program prepares them as %q", meta[preprocessingKey], Preprocessing)
	}
	if err := json.Unmarshal([]byte(meta[configKey]), &c); err != nil {
		return c, fmt.Errorf("metadata %q: %w", configKey, err)
	}
	return c, nil
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

// tensors returns the parameters by name.
func (m *Model) tensors() map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	for _, p := range m.Params() {
		all[p.Name] = p.Value
	}
	return all
}
