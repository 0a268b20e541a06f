// Package modelfile tells which network a file of weights holds, whatever program has
// written it and in whatever format, and writes the network in another format.
package modelfile

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// File is a file of weights that is open, and what network they make.
type File struct {
	Network string // such as "VGG16", "" if it is not known here
	Unknown error  // why not: ErrUnknown, or what is wrong with the network
	Summary string // of its layers, as Keras prints it; "" if it is not known

	path     string
	file     *weights.File
	names    []string          // of the network's arrays
	metadata map[string]string // for a safetensors file of the network
	keras    func(arrays map[string]*tensor.Tensor) weights.KerasLayer
	torch    bool
	loaded   int64 // bytes of a model that was made of the arrays
}

// ErrUnknown is that the arrays of a file make no network that is known here.
var ErrUnknown = errors.New("its arrays are neither those of VGG16 or VGG19 nor those of an autoencoder or an embedding")

// Open opens a file of weights and finds out what network they make. A file of arrays
// that are none is no error, but Unknown. The caller closes it.
func Open(path string) (*File, error) {
	w, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	w = vgg.Keras(w)
	f := &File{path: path, file: w, names: w.Names(), metadata: w.Metadata()}
	_, isVGG := w.Shape("block1_conv1/kernel")
	switch {
	case embedding.IsModel(w):
		f.Unknown = f.asEmbedding()
	case autoencoder.IsModel(w):
		f.Unknown = f.asAutoencoder()
	case isVGG:
		f.Unknown = f.asVGG()
	default:
		f.Unknown = ErrUnknown
	}
	return f, nil
}

// Close gives back what the file holds.
func (f *File) Close() error { return f.file.Close() }

// IsTorch tells whether the network takes pictures as torchvision prepares them, which
// only a .safetensors file says of it.
func (f *File) IsTorch() bool { return f.torch }

func (f *File) asAutoencoder() error {
	m, err := autoencoder.Load(f.path)
	if err != nil {
		return err
	}
	f.Network, f.Summary, f.metadata, f.names = "autoencoder", m.Summary(), m.Metadata(), nil
	for _, p := range m.Params() { // not what an optimizer remembers
		f.names = append(f.names, p.Name)
		f.loaded += 4 * int64(p.Value.Len())
	}
	slices.Sort(f.names)
	f.keras = func(map[string]*tensor.Tensor) weights.KerasLayer {
		return weights.KerasLayer{Name: "autoencoder", Class: "Sequential", Layers: kerasLayers(m.Encoder, m.Decoder)}
	}
	return nil
}

const embeddingName = "embedding"

// asEmbedding takes the network with the VGG that it stands on, if any, and with
// the weights of its classes. Keras has no class for the latter.
func (f *File) asEmbedding() error {
	m, err := embedding.Load(f.path)
	if err != nil {
		return err
	}
	defer m.Close()
	f.Network, f.Summary, f.metadata = embeddingName, m.Summary(), m.Metadata()
	f.names = checkpoint.Network{File: f.file}.Names()
	return nil
}

// kerasLayers says of layers what Keras's file has of them.
func kerasLayers(layers ...nn.Layer) []weights.KerasLayer {
	var list []weights.KerasLayer
	for _, layer := range layers {
		var l weights.KerasLayer
		l.Name, l.Class = layer.Identity()
		if net, ok := layer.(*nn.Sequential); ok {
			l.Layers = kerasLayers(net.Layers...)
		} else {
			for _, p := range layer.Params() {
				l.Variables = append(l.Variables, p.Value)
			}
		}
		list = append(list, l)
	}
	return list
}

func (f *File) asVGG() error {
	m, err := vgg.Load(f.file, vgg.Config{})
	if err != nil {
		return err
	}
	if f.Summary, err = m.Summary(); err != nil {
		return err
	}
	f.Network, f.torch = strings.ToUpper(m.Name()), m.Mode() == vgg.Torch
	maps.DeleteFunc(f.metadata, func(key, _ string) bool { return key != vgg.PreprocessingKey })
	if m.Config().NoTop {
		f.Network += " without its top"
	}
	f.keras = func(arrays map[string]*tensor.Tensor) weights.KerasLayer {
		layers := []weights.KerasLayer{{Name: "input_layer", Class: "InputLayer"}}
		for _, layer := range m.Layers() {
			l := weights.KerasLayer{Name: layer.Name, Class: layer.Class}
			for _, variable := range []string{"/kernel", "/bias"} {
				if t := arrays[layer.Name+variable]; t != nil {
					l.Variables = append(l.Variables, t)
				}
			}
			layers = append(layers, l)
		}
		return weights.KerasLayer{Name: m.Name(), Class: "Functional", Layers: layers}
	}
	return nil
}

// Description is what a file holds, array by array.
type Description struct {
	Format     string  `json:"format"`
	Network    string  `json:"network"` // "" if it is not known here
	Parameters int     `json:"parameters"`
	Arrays     []Array `json:"arrays"`
}

// Array is one of the network's arrays.
type Array struct {
	Name       string `json:"name"`
	Shape      []int  `json:"shape"`
	Type       string `json:"type"` // as it is stored
	Parameters int    `json:"parameters"`
}

// Describe says what the file holds of the network.
func (f *File) Describe() Description {
	d := Description{Format: f.file.Format(), Network: f.Network, Arrays: []Array{}}
	for _, name := range f.names {
		shape, _ := f.file.Shape(name)
		n := tensor.Size(shape)
		d.Arrays = append(d.Arrays, Array{name, append([]int{}, shape...), f.file.Type(name), n})
		d.Parameters += n
	}
	return d
}
