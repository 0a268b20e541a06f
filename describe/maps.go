package describe

import (
	"context"
	"strings"

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

// Mapper is a model that sees parts of pictures.
type Mapper interface {
	// Maps returns the feature maps of prepared pictures.
	Maps(ctx context.Context, pictures []*picture.Image) ([]Maps, error)
}

// MapperOf returns the model as a Mapper, if it is one.
func MapperOf(m Model) (Mapper, bool) {
	if like, ok := m.(*likeIndex); ok {
		m = like.Model
	}
	mapper, ok := m.(Mapper)
	return mapper, ok
}

func (m *vggModel) Maps(ctx context.Context, pictures []*picture.Image) ([]Maps, error) {
	coarse, err := m.Features(ctx, pictures, lastConvolution(m.Model, "block5"))
	if err != nil {
		return nil, err
	}
	fine, err := m.Features(ctx, pictures, lastConvolution(m.Model, "block4"))
	if err != nil {
		return nil, err
	}
	all := make([]Maps, len(pictures))
	for i := range all {
		all[i].Coarse = mapOf(coarse, i)
		all[i].Fine = regions.Join(mapOf(fine, i), all[i].Coarse)
	}
	return all, nil
}

func (m *codesModel) Maps(ctx context.Context, pictures []*picture.Image) ([]Maps, error) {
	layers := len(m.Encoder.Layers)
	maps := m.Encoder.Slice(0, layers-2).Predict(m.Input(pictures)) // without flatten and the code
	all := make([]Maps, len(pictures))
	for i := range all {
		all[i] = Maps{mapOf(maps, i), mapOf(maps, i)}
	}
	return all, ctx.Err()
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
