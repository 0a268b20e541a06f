package embedding

import (
	"encoding/json"
	"fmt"
	"strings"

	"lookalike/internal/checkpoint"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// A model file holds the whole network, that of a VGG too:
// "base/block1_conv1/kernel". The other parameters are those of Params, such as
// "embedding/dense/kernel" and "classes/kernel". Its configuration is a Config, and
// its metadata has these keys in addition.
const (
	classesKey = "classes"            // their names as JSON, sorted
	modeKey    = "base_preprocessing" // of a VGG's pictures

	basePrefix = "base/"
)

// Training is what training needs to go on, beside the network.
type Training = checkpoint.Training

var format = checkpoint.Format{Kind: "embedding", Version: "1"}

// isBase tells whether an array belongs to a VGG without its top.
func isBase(name string) bool { return strings.HasPrefix(name, "block") }

// IsModel tells whether a file says that it holds an embedding.
func IsModel(f *weights.File) bool { return format.Has(f) }

// IsFile is IsModel of the file at path.
func IsFile(path string) (bool, error) {
	f, err := weights.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return IsModel(f), nil
}

// Save writes the model, and what training needs to go on unless that is nil.
// The file appears whole or not at all.
func (m *Model) Save(path string, training *Training, options ...weights.Option) error {
	if err := m.hold(); err != nil {
		return err
	}
	defer m.using.Leave()
	tensors := checkpoint.ByName(m.Params())
	for name, t := range m.frozen {
		tensors[basePrefix+name] = t
	}
	return checkpoint.Save(path, m.Metadata(), tensors, training, options...)
}

// Metadata returns what a model file says of the network beside its parameters.
func (m *Model) Metadata() map[string]string {
	meta := format.Metadata(m.must("Metadata").Config, m.preprocessing())
	classes, err := json.Marshal(m.Classes)
	if err != nil {
		panic(err) // strings always have JSON
	}
	meta[classesKey] = string(classes)
	if m.base != nil {
		meta[modeKey] = m.base.Mode().String()
	}
	return meta
}

// Load reads a model. One on a VGG uses weights where they lie in the file:
// Close it when it is not needed any more.
func Load(path string) (*Model, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := read(f, baseSource{f})
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m.closer = f
	return m, nil
}

// Resume reads a model and what is needed to go on training it. The file may be
// replaced while the model is in use.
func Resume(path string) (*Model, *Training, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	m, err := read(f, copied{baseSource{f}})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	t, err := checkpoint.Read(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, t, nil
}

// read makes a model of a file, with the weights of a VGG from src.
func read(f *weights.File, src source) (*Model, error) {
	m, err := readConfig(f)
	if err != nil {
		return nil, err
	}
	if m.Config.Base != Encoder {
		if err := m.take(src); err != nil {
			return nil, err
		}
	}
	if err := checkpoint.CheckPreprocessing(f, m.preprocessing()); err != nil {
		return nil, err
	}
	learned := checkpoint.Network{File: f, Except: basePrefix}
	if err := learned.CheckSize(m.values()); err != nil {
		return nil, err
	}
	if err := m.build(len(m.Classes), nil); err != nil {
		return nil, err
	}
	return m, weights.Load(learned, checkpoint.ByName(m.Params()))
}

func readConfig(f *weights.File) (*Model, error) {
	m := &Model{}
	if err := format.Config(f, &m.Config); err != nil {
		return nil, err
	}
	if err := checkpoint.Unmarshal(f, classesKey, &m.Classes); err != nil {
		return nil, err
	}
	var err error
	m.Config, err = m.Config.complete(m.Classes)
	return m, err
}

// values counts the parameters that a network of this configuration learns.
func (m *Model) values() int64 {
	c, dim := m.Config, int64(m.Config.Dim)
	n := dim * int64(len(m.Classes))
	if c.Base != Encoder {
		return n + flattened*dim + dim
	}
	channels := int64(3)
	for _, w := range c.Widths {
		n += 9*channels*int64(w) + int64(w)
		channels = int64(w)
	}
	inner := int64(c.Size >> len(c.Widths))
	return n + inner*inner*channels*dim + dim
}

// flattened is how many numbers baseLayer has.
const flattened = 7 * 7 * 512

// baseSource are the arrays of the VGG in a model file, by their own names.
type baseSource struct{ f *weights.File }

func (s baseSource) Names() []string {
	var names []string
	for _, name := range s.f.Names() {
		if short, ok := strings.CutPrefix(name, basePrefix); ok {
			names = append(names, short)
		}
	}
	return names
}

func (s baseSource) Shape(name string) ([]int, bool) { return s.f.Shape(basePrefix + name) }

func (s baseSource) Tensor(name string) (*tensor.Tensor, error) { return s.f.Tensor(basePrefix + name) }

func (s baseSource) View(name string) (*tensor.Tensor, error) { return s.f.View(basePrefix + name) }
func (s baseSource) Views(name string) bool                   { return s.f.Views(basePrefix + name) }

func (s baseSource) Hold() error { return s.f.Hold() }

func (s baseSource) Release() { s.f.Release() }

// Metadata says how the VGG's pictures are scaled.
func (s baseSource) Metadata() map[string]string {
	return map[string]string{vgg.PreprocessingKey: s.f.Metadata()[modeKey]}
}

// copied gives arrays that outlive the file, for VGG and for saving.
type copied struct{ baseSource }

func (s copied) View(name string) (*tensor.Tensor, error) { return s.Tensor(name) }
func (s copied) Views(string) bool                        { return false }

// Hold and Release leave the file alone, which is closed.
func (s copied) Hold() error { return nil }
func (s copied) Release()    {}
