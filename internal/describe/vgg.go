package describe

import (
	"context"
	"fmt"
	"path/filepath"

	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// openVGG loads a VGG. The recipe has no hash of the weights yet.
func (m Model) openVGG(file string) (*Describer, error) {
	network, err := vgg.Open(file, vgg.Config{})
	if err != nil {
		return nil, err
	}
	d, err := m.features(network, file)
	if err != nil {
		network.Close()
		return nil, err
	}
	return d, nil
}

// features makes features of pictures with a VGG that was read from a file.
func (m Model) features(network *vgg.Model, file string) (*Describer, error) {
	if network.Name() != m.Name {
		return nil, fmt.Errorf("%s holds weights of %s, not of %s", file, network.Name(), m.Name)
	}
	name, poolName := m.Layer, m.Pooling
	switch {
	case name == "" && poolName == "" && network.DefaultLayer() != "fc2":
		name, poolName = network.DefaultLayer(), vgg.Average.String()
	case name == "" && poolName == "":
		name = network.DefaultLayer()
	case name == "":
		name = "block5_pool"
	}
	layer, err := network.Layer(name)
	if err != nil {
		return nil, err
	}
	width, pooling := tensor.Size(layer.Shape), vgg.None
	if poolName != "" {
		if pooling, err = vgg.ParsePooling(poolName); err != nil {
			return nil, err
		}
	}
	recipePooling := ""
	if pooling != vgg.None {
		if len(layer.Shape) != 3 {
			return nil, fmt.Errorf("the layer %s has %d numbers, which cannot be pooled; choose a layer of one of the blocks, or no pooling", name, width)
		}
		width, recipePooling = layer.Shape[2], pooling.String()
	}
	path, err := filepath.Abs(file)
	return &Describer{network: network, Describer: gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         network.Name(),
			Layer:         name,
			Pooling:       recipePooling,
			Preprocessing: network.Preprocessing(),
			WeightsFile:   path,
		},
		Width:   width,
		Prepare: network.Prepare,
		Describe: func(ctx context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			x, err := network.Features(ctx, p, name)
			if err != nil {
				return nil, err
			}
			if pooling == vgg.None {
				return x.Reshape(x.Dim(0), width), nil
			}
			return pooled(x, pooling), nil
		},
	}}, err
}

// pooled returns each channel's mean or greatest value, from [n, h, w, c] to
// [n, c].
func pooled(x *tensor.Tensor, how vgg.Pooling) *tensor.Tensor {
	n, pixels, channels := x.Dim(0), x.Dim(1)*x.Dim(2), x.Dim(3)
	out := tensor.New(n, channels)
	for i := range n {
		row, in := out.Row(i), x.Row(i)
		copy(row, in) // of the first pixel
		for pixel := 1; pixel < pixels; pixel++ {
			for c, v := range in[pixel*channels : (pixel+1)*channels] {
				if how == vgg.Max {
					row[c] = max(row[c], v)
				} else {
					row[c] += v
				}
			}
		}
		if how == vgg.Average {
			for c := range row {
				row[c] /= float32(pixels)
			}
		}
	}
	return out
}
