package embedding

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lookalike/checkpoint"
	"lookalike/tensor"
	"lookalike/weights"
)

// A model file is a safetensors file and holds the whole network, that of a VGG
// too: "base/block1_conv1/kernel". The other tensors are those of Params, such as
// "embedding/dense/kernel" and "classes/kernel", and those of package checkpoint.
// Its metadata has these keys.
const (
	formatKey        = "format"
	versionKey       = "version"
	configKey        = "config"        // Config as JSON
	classesKey       = "classes"       // their names as JSON, sorted
	preprocessingKey = "preprocessing" // Preprocessing
	modeKey          = "base_preprocessing"

	format     = "lookalike embedding"
	version    = "1"
	basePrefix = "base/"
)

// isBase tells whether an array belongs to a VGG without its top.
func isBase(name string) bool { return strings.HasPrefix(name, "block") }

// IsModel tells whether a file says that it holds an embedding.
func IsModel(f *weights.File) bool { return f.Metadata()[formatKey] == format }

// Save writes the model, and what training needs to go on unless that is nil.
// The file appears whole or not at all.
func (m *Model) Save(path string, training *checkpoint.Training) error {
	metadata, tensors := m.Metadata(), m.tensors()
	for name, t := range m.frozen {
		tensors[basePrefix+name] = t
	}
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
		panic(err) // numbers and a name
	}
	classes, err := json.Marshal(m.Classes)
	if err != nil {
		panic(err) // strings always have JSON
	}
	meta := map[string]string{
		formatKey: format, versionKey: version, configKey: string(config), classesKey: string(classes),
		preprocessingKey: m.Preprocessing(),
	}
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
func Resume(path string) (*Model, *checkpoint.Training, error) {
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
	network := head{checkpoint.Network{File: f}}
	if m.Config.Base != Encoder {
		if err := m.take(src); err != nil {
			return nil, err
		}
		if m.Preprocessing() != f.Metadata()[preprocessingKey] {
			return nil, fmt.Errorf("was trained on pictures prepared as %q; this program prepares them as %q", f.Metadata()[preprocessingKey], m.Preprocessing())
		}
	}
	if has, needs := network.values(), m.values(); has != needs {
		return nil, fmt.Errorf("has %d parameters, its configuration needs %d", has, needs)
	}
	if err := m.build(nil); err != nil {
		return nil, err
	}
	return m, weights.Load(network, m.tensors())
}

func readConfig(f *weights.File) (*Model, error) {
	meta, m := f.Metadata(), &Model{}
	switch {
	case meta[formatKey] != format:
		return nil, fmt.Errorf("is no embedding made by this program (its metadata has no %s %q)", formatKey, format)
	case meta[versionKey] != version:
		return nil, fmt.Errorf("is an embedding of version %q; this program reads version %s", meta[versionKey], version)
	}
	if err := errors.Join(json.Unmarshal([]byte(meta[configKey]), &m.Config), json.Unmarshal([]byte(meta[classesKey]), &m.Classes)); err != nil {
		return nil, fmt.Errorf("metadata %q and %q: %w", configKey, classesKey, err)
	}
	var err error
	if m.Config, err = m.Config.complete(m.Classes); err != nil {
		return nil, err
	}
	if m.Config.Base == Encoder && m.Preprocessing() != meta[preprocessingKey] {
		return nil, fmt.Errorf("was trained on pictures prepared as %q; this program prepares them as %q", meta[preprocessingKey], m.Preprocessing())
	}
	return m, nil
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

// tensors returns the parameters that are learned, by name.
func (m *Model) tensors() map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	for _, p := range m.Params() {
		all[p.Name] = p.Value
	}
	return all
}

// head are a model file's arrays without those of the VGG and of training.
type head struct{ checkpoint.Network }

func (h head) Names() []string {
	return slices.DeleteFunc(h.Network.Names(), func(name string) bool { return strings.HasPrefix(name, basePrefix) })
}

func (h head) values() (n int64) {
	for _, name := range h.Names() {
		shape, _ := h.Shape(name)
		n += int64(tensor.Size(shape))
	}
	return n
}

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

// Metadata says how the VGG's pictures are scaled.
func (s baseSource) Metadata() map[string]string {
	return map[string]string{weights.PreprocessingKey: s.f.Metadata()[modeKey]}
}

// copied gives arrays that outlive the file, for VGG and for saving.
type copied struct{ baseSource }

func (s copied) View(name string) (*tensor.Tensor, error) { return s.Tensor(name) }

func sortedNames(m map[string]*tensor.Tensor) []string { return slices.Sorted(maps.Keys(m)) }
