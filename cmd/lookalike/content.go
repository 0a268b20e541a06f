package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/embedding"
	"lookalike/internal/checkpoint"
	"lookalike/internal/memory"
	"lookalike/internal/words"
	"lookalike/nn"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// content is a file of weights and what network they make.
type content struct {
	file     *weights.File
	names    []string          // of the network's arrays
	metadata map[string]string // for a safetensors file of the network

	kind    string // such as "VGG16", "" if it is not known here
	unknown error  // why not
	summary string // Keras's, if it is known
	network func(arrays map[string]*tensor.Tensor) weights.KerasLayer
	torch   bool  // takes pictures as torchvision prepares them
	loaded  int64 // bytes of a model that was made of the arrays
}

var errUnknown = errors.New("its arrays are neither those of VGG16 or VGG19 nor those of an autoencoder or an embedding")

func (c *content) Close() error { return c.file.Close() }

// openContent opens a file of weights and finds out what network they make.
func openContent(path string) (*content, error) {
	if isIndex(path) {
		return nil, fmt.Errorf("%s is an index of pictures, not a model; '%s' tells what it holds", path, cli.Typed("summary", path))
	}
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	c := &content{file: f, names: f.Names(), metadata: f.Metadata()}
	_, isVGG := f.Shape("block1_conv1/kernel")
	switch {
	case embedding.IsModel(f):
		c.unknown = c.asEmbedding(path)
	case autoencoder.IsModel(f):
		c.unknown = c.asAutoencoder(path)
	case isVGG:
		c.unknown = c.asVGG()
	default:
		c.unknown = errUnknown
	}
	return c, nil
}

// checkSize refuses compressed arrays that together would fill the memory out of
// a small file. Honest ones take at most four times the file, as float32 made of
// bytes.
func (c *content) checkSize(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	left := info.Size() + 16<<20 // values
	for _, name := range c.names {
		shape, _ := c.file.Shape(name)
		n := int64(tensor.Size(shape))
		if n > left {
			return fmt.Errorf("%s: the arrays take more than four times the file's %s in memory: refused", path, words.Bytes(info.Size()))
		}
		left -= n
	}
	return nil
}

// besideArrays is what the process has in memory while arrays are written and compared,
// besides these.
const besideArrays = 16e6

// arrays returns the network's arrays, in place where the file allows it, if the memory
// limit leaves room for them.
func (c *content) arrays() (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	mapped, read := int64(0), int64(0)
	for _, name := range c.names {
		shape, _ := c.file.Shape(name)
		bytes := 4 * int64(tensor.Size(shape))
		if !c.file.Views(name) {
			read += bytes
			continue
		}
		t, err := c.file.View(name) // which counts from now on
		if err != nil {
			return nil, err
		}
		all[name] = t
		mapped += bytes
	}
	if err := memory.Allows(c.loaded + read + besideArrays); err != nil {
		return nil, fmt.Errorf("the arrays, of which %d MB are mapped: %w", mapped/1e6, err)
	}
	for _, name := range c.names {
		if all[name] != nil {
			continue
		}
		t, err := c.file.Tensor(name)
		if err != nil {
			return nil, err
		}
		all[name] = t
	}
	return all, nil
}

func (c *content) asAutoencoder(path string) error {
	m, err := autoencoder.Load(path)
	if err != nil {
		return err
	}
	c.kind, c.summary, c.metadata, c.names = "autoencoder", m.Summary(), m.Metadata(), nil
	for _, p := range m.Params() { // not what an optimizer remembers
		c.names = append(c.names, p.Name)
		c.loaded += 4 * int64(p.Value.Len())
	}
	slices.Sort(c.names)
	c.network = func(map[string]*tensor.Tensor) weights.KerasLayer {
		return weights.KerasLayer{Name: "autoencoder", Class: "Sequential", Layers: kerasLayers(m.Encoder, m.Decoder)}
	}
	return nil
}

const embeddingKind = "embedding"

// asEmbedding takes the network with the VGG that it stands on, if any, and with
// the weights of its classes. Keras has no class for the latter.
func (c *content) asEmbedding(path string) error {
	m, err := embedding.Load(path)
	if err != nil {
		return err
	}
	defer m.Close()
	c.kind, c.summary, c.metadata = embeddingKind, m.Summary(), m.Metadata()
	c.names = checkpoint.Network{File: c.file}.Names()
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

func (c *content) asVGG() error {
	m, err := vgg.Load(c.file, vgg.Config{})
	if err != nil {
		return err
	}
	if c.summary, err = m.Summary(); err != nil {
		return err
	}
	c.kind, c.torch = strings.ToUpper(m.Name()), m.Mode() == vgg.Torch
	maps.DeleteFunc(c.metadata, func(key, _ string) bool { return key != "preprocessing" })
	if m.Config().NoTop {
		c.kind += " without its top"
	}
	c.network = func(arrays map[string]*tensor.Tensor) weights.KerasLayer {
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

// description is a summary as JSON.
type description struct {
	Format     string             `json:"format"`
	Network    string             `json:"network"` // "" if it is not known here
	Parameters int                `json:"parameters"`
	Arrays     []arrayDescription `json:"arrays"`
}

type arrayDescription struct {
	Name       string `json:"name"`
	Shape      []int  `json:"shape"`
	Type       string `json:"type"` // as it is stored
	Parameters int    `json:"parameters"`
}

func (c *content) describe() description {
	d := description{Format: c.file.Format(), Network: c.kind, Arrays: []arrayDescription{}}
	for _, name := range c.names {
		shape, _ := c.file.Shape(name)
		n := tensor.Size(shape)
		d.Arrays = append(d.Arrays, arrayDescription{name, append([]int{}, shape...), c.file.Type(name), n})
		d.Parameters += n
	}
	return d
}
