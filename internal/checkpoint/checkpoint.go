// Package checkpoint is the model file that packages autoencoder and embedding
// have in common: a safetensors file whose tensors are a network's parameters, by
// name, and whose metadata says what network that is and how its pictures are
// prepared. It may also keep what training needs to go on: how the network was
// trained, the losses so far, the state of the optimizer.
package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/weights"
)

// What the metadata of a model file says of its network.
const (
	formatKey        = "format"
	versionKey       = "version"
	configKey        = "config" // JSON
	preprocessingKey = "preprocessing"
)

// Format is a kind of model file.
type Format struct {
	Kind    string // of network: "autoencoder" or "embedding"
	Version string // of the file
}

func (f Format) name() string { return "lookalike " + f.Kind }

// Has tells whether a file says that it is of this format.
func (f Format) Has(file *weights.File) bool { return file.Metadata()[formatKey] == f.name() }

// Foreign tells whether a file says nothing of a format, so that another program
// must have made it.
func Foreign(file *weights.File) bool { return file.Metadata()[formatKey] == "" }

// Metadata returns what a file of this format says of its network: its
// configuration, which must have JSON, and in words what is done to a decoded
// picture before the network sees it.
func (f Format) Metadata(config any, preprocessing string) map[string]string {
	text, err := json.Marshal(config)
	if err != nil {
		panic(fmt.Sprintf("checkpoint.Metadata: %v", err))
	}
	return map[string]string{
		formatKey: f.name(), versionKey: f.Version,
		configKey: string(text), preprocessingKey: preprocessing,
	}
}

// Config reads the configuration of a file's network. A file that is not of this
// format and version is an error.
func (f Format) Config(file *weights.File, config any) error {
	if !f.Has(file) {
		return fmt.Errorf("is no %s made by this program (its metadata has no %s %q)", f.Kind, formatKey, f.name())
	}
	if version := file.Metadata()[versionKey]; version != f.Version {
		return fmt.Errorf("is of version %q of %q; this program reads version %s", version, f.name(), f.Version)
	}
	return Unmarshal(file, configKey, config)
}

// Unmarshal reads a value of a file's metadata that is JSON.
func Unmarshal(file *weights.File, key string, v any) error {
	if err := json.Unmarshal([]byte(file.Metadata()[key]), v); err != nil {
		return fmt.Errorf("metadata %q: %w", key, err)
	}
	return nil
}

// CheckPreprocessing compares how pictures were prepared for a file's network
// with how they are now.
func CheckPreprocessing(file *weights.File, now string) error {
	if was := file.Metadata()[preprocessingKey]; was != now {
		return fmt.Errorf("was trained on pictures prepared as %q; this program prepares them as %q", was, now)
	}
	return nil
}

// Save writes a model file: metadata, a network's tensors, and what training needs
// to go on unless that is nil. The file appears whole or not at all. The maps are
// added to.
func Save(path string, metadata map[string]string, tensors map[string]*tensor.Tensor, training *Training, options ...weights.Option) error {
	if training != nil {
		all, notes := map[string]*tensor.Tensor{}, map[string]string{}
		maps.Copy(all, tensors)
		maps.Copy(notes, metadata)
		if err := training.put(notes, all); err != nil {
			return err
		}
		metadata, tensors = notes, all
	}
	return weights.Save(path, tensors, metadata, options...)
}

// Network is a file without the tensors that belong to its training, and without
// those whose names begin with Except, unless that is empty.
type Network struct {
	*weights.File
	Except string
}

// Names returns the names of the network's own arrays, sorted.
func (n Network) Names() []string {
	var names []string
	for _, name := range n.File.Names() {
		if strings.HasPrefix(name, optimizerPrefix) || strings.HasPrefix(name, lastPrefix) ||
			n.Except != "" && strings.HasPrefix(name, n.Except) {
			continue
		}
		names = append(names, name)
	}
	return names
}

// CheckSize compares the count of the numbers in the network's arrays with what
// its configuration needs. It comes before memory is taken for them.
func (n Network) CheckSize(needs int64) error { return CheckSize(n.File, n.Names(), needs) }

// CheckSize is [Network.CheckSize] for arrays of a file that are named.
func CheckSize(file *weights.File, names []string, needs int64) error {
	var has int64
	for _, name := range names {
		shape, _ := file.Shape(name)
		has += int64(tensor.Size(shape))
	}
	if has != needs {
		return fmt.Errorf("has %d parameters, its configuration needs %d", has, needs)
	}
	return nil
}

// ByName returns the values of parameters by their names.
func ByName(params []*nn.Param) map[string]*tensor.Tensor {
	all := map[string]*tensor.Tensor{}
	for i, p := range params {
		if p == nil || p.Value == nil {
			panic(fmt.Sprintf("checkpoint.ByName: parameter %d of %d is nil or has no value", i, len(params)))
		}
		all[p.Name] = p.Value
	}
	return all
}

// Fingerprint names a network by its parameters: equal names, shapes and values
// in the same order, equal fingerprint. It is their SHA-256, in hexadecimal.
func Fingerprint(params []*nn.Param) string {
	h := sha256.New()
	for i, p := range params {
		if p == nil || p.Value == nil {
			panic(fmt.Sprintf("checkpoint.Fingerprint: parameter %d of %d is nil or has no value", i, len(params)))
		}
		fmt.Fprintf(h, "%s %v\n", p.Name, p.Value.Shape())
		var bytes []byte
		for some := range slices.Chunk(p.Value.Data(), 16<<10) {
			bytes = bytes[:0]
			for _, v := range some {
				bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
			}
			h.Write(bytes)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
