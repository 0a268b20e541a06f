package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/internal/parallel"
	"lookalike/internal/perceptual"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// open loads the network. The caller closes it.
func (d *describeOptions) open(file string) (gallery.Describer, io.Closer, error) {
	if d.model == perceptualModel {
		describer := perceptualDescriber(d.exif)
		describer.Components = d.pca
		return describer, io.NopCloser(nil), nil
	}
	if !slices.Contains(networks, d.model) {
		isEmbedding, err := isEmbeddingFile(file)
		if err != nil {
			return gallery.Describer{}, nil, err
		}
		if isEmbedding {
			return d.openEmbedding(file)
		}
		m, err := autoencoder.Load(file)
		if err != nil {
			return gallery.Describer{}, nil, err
		}
		describer, err := autoencoderDescriber(m, file, d.exif)
		describer.Components = d.pca
		return describer, openAutoencoder{m}, err
	}
	m, err := vgg.Open(file, vgg.Config{})
	if err != nil {
		return gallery.Describer{}, nil, err
	}
	describer, err := vggDescriber(m, file, *d)
	if err != nil {
		m.Close()
	}
	describer.Components = d.pca
	return describer, m, err
}

// autoencoderDescriber makes codes of pictures with an autoencoder that was read
// from a file.
func autoencoderDescriber(m *autoencoder.Model, file, exif string) (gallery.Describer, error) {
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         "autoencoder",
			WeightsSHA256: m.Fingerprint(),
			Layer:         "code",
			Preprocessing: autoencoder.Preprocessing,
			EXIF:          exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:   m.Config.Code,
		Prepare: m.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			return m.Encoder.Predict(m.Input(p)), nil
		},
	}, err
}

// openEmbedding loads an embedding. The caller closes it.
func (d *describeOptions) openEmbedding(file string) (gallery.Describer, io.Closer, error) {
	m, err := embedding.Load(file)
	if err != nil {
		return gallery.Describer{}, nil, err
	}
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         "embedding",
			WeightsSHA256: m.Fingerprint(),
			Layer:         "embedding on " + m.Config.Base,
			Preprocessing: m.Preprocessing(),
			EXIF:          d.exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:      m.Config.Dim,
		Components: d.pca,
		Prepare:    m.Prepare,
		Describe:   m.Embed,
	}, m, err
}

// perceptualDescriber describes what pictures look like at a glance.
func perceptualDescriber(exif string) gallery.Describer {
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         perceptualModel,
			Preprocessing: perceptual.Preprocessing,
			EXIF:          exif,
			Program:       "lookalike " + version(),
		},
		Width:   perceptual.Width,
		Prepare: perceptual.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(p), perceptual.Width)
			parallel.For(len(p), func(i int) { copy(v.Row(i), perceptual.Describe(p[i])) })
			return v, nil
		},
	}
}

// vggDescriber makes features of pictures with a VGG that was read from a file.
// The recipe has no hash of the weights yet.
func vggDescriber(m *vgg.Model, file string, d describeOptions) (gallery.Describer, error) {
	if m.Name() != d.model {
		return gallery.Describer{}, fmt.Errorf("%s holds weights of %s, not of %s", file, m.Name(), d.model)
	}
	name, poolName := d.layer, d.pool
	switch {
	case name == "" && poolName == "" && m.DefaultLayer() != "fc2":
		name, poolName = m.DefaultLayer(), vgg.Average.String()
	case name == "" && poolName == "":
		name = m.DefaultLayer()
	case name == "":
		name = "block5_pool"
	}
	layer, err := m.Layer(name)
	if err != nil {
		return gallery.Describer{}, err
	}
	width, pooling := tensor.Size(layer.Shape), vgg.None
	if poolName != "" {
		if pooling, err = vgg.ParsePooling(poolName); err != nil {
			return gallery.Describer{}, err
		}
	}
	recipePooling := ""
	if pooling != vgg.None {
		if len(layer.Shape) != 3 {
			return gallery.Describer{}, fmt.Errorf("the layer %s has %s, which cannot be pooled; leave out --pool, or choose a layer of one of the blocks", name, count(width, "number"))
		}
		width, recipePooling = layer.Shape[2], pooling.String()
	}
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         m.Name(),
			Layer:         name,
			Pooling:       recipePooling,
			Preprocessing: m.Preprocessing(),
			EXIF:          d.exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:   width,
		Prepare: m.Prepare,
		Describe: func(ctx context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			x, err := m.Features(ctx, p, name)
			if err != nil {
				return nil, err
			}
			if pooling == vgg.None {
				return x.Reshape(x.Dim(0), width), nil
			}
			return pooled(x, pooling), nil
		},
	}, err
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

// openAutoencoder is an autoencoder as a network that needs no closing.
type openAutoencoder struct{ *autoencoder.Model }

func (openAutoencoder) Close() error { return nil }
