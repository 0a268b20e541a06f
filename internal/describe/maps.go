package describe

import (
	"context"
	"strings"

	"lookalike/autoencoder"
	"lookalike/internal/regions"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// Maps are what a network sees in the parts of a picture, [h, w, c].
type Maps struct {
	Coarse *tensor.Tensor // to tell what things are
	Fine   *tensor.Tensor // to tell which part is which
}

// HasMaps tells whether the model is a network that sees parts of pictures.
func (d *Describer) HasMaps() bool {
	switch d.network.(type) {
	case *vgg.Model, *autoencoder.Model:
		return true
	}
	return false
}

// Maps returns the feature maps of pictures, for a model that has some.
func (d *Describer) Maps(ctx context.Context, pictures []*picture.Image) ([]Maps, error) {
	all := make([]Maps, len(pictures))
	switch m := d.network.(type) {
	case *vgg.Model:
		coarse, err := m.Features(ctx, pictures, lastConvolution(m, "block5"))
		if err != nil {
			return nil, err
		}
		fine, err := m.Features(ctx, pictures, lastConvolution(m, "block4"))
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i].Coarse = mapOf(coarse, i)
			all[i].Fine = regions.Join(mapOf(fine, i), all[i].Coarse)
		}
	case *autoencoder.Model:
		layers := len(m.Encoder.Layers)
		maps := m.Encoder.Slice(0, layers-2).Predict(m.Input(pictures)) // without flatten and the code
		for i := range all {
			all[i] = Maps{mapOf(maps, i), mapOf(maps, i)}
		}
	default:
		panic("describe: feature maps of a model without any")
	}
	return all, nil
}

// mapOf returns picture i's map of a batch.
func mapOf(batch *tensor.Tensor, i int) *tensor.Tensor {
	return batch.Rows(i, i+1).Reshape(batch.Shape()[1:]...)
}

// lastConvolution returns the name of a block's last convolution.
func lastConvolution(m *vgg.Model, block string) string {
	last := ""
	for _, l := range m.Layers() {
		if strings.HasPrefix(l.Name, block+"_conv") {
			last = l.Name
		}
	}
	return last
}
