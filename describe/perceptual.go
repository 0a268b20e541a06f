package describe

import (
	"context"

	"lookalike/gallery"
	"lookalike/internal/parallel"
	"lookalike/internal/perceptual"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
)

// Perceptual is the name of the model that needs no network.
const Perceptual = "perceptual"

func init() {
	Register(Perceptual, Kind{
		Open:   func(gallery.Recipe, string) (Model, error) { return NewPerceptual(), nil },
		Metric: knn.Euclidean,
		Words:  func(gallery.Recipe) string { return "perceptual description" },
		Limits: func(_ gallery.Recipe, metric knn.Metric) Limits {
			if metric != knn.Euclidean {
				return Limits{}
			}
			return Limits{Copies: perceptual.Within, Alike: perceptual.Within}
		},
	})
}

// NewPerceptual returns the model that describes what pictures look like at a glance,
// by brightness and colour cell by cell, without a network.
func NewPerceptual() Model { return perceptualModel{} }

// Current returns an error, which is gallery.ErrOther, if the program describes pictures
// in another way today than a recipe of its own says, so that neither its vectors nor the
// distances known for them can be relied on. Of models with a file, that has to be found
// out with the file.
func Current(r gallery.Recipe) error {
	if r.Model != Perceptual {
		return nil
	}
	now := NewPerceptual().Recipe()
	now.EXIF, now.PCA = r.EXIF, r.PCA
	return (&gallery.Gallery{Recipe: r}).Check(now)
}

type perceptualModel struct{}

func (perceptualModel) Recipe() gallery.Recipe {
	return gallery.Recipe{Model: Perceptual, Preprocessing: perceptual.Preprocessing}
}
func (perceptualModel) Width() int                              { return perceptual.Width }
func (perceptualModel) Prepare(m *picture.Image) *picture.Image { return perceptual.Prepare(m) }
func (perceptualModel) Close() error                            { return nil }

func (perceptualModel) Describe(_ context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	v := tensor.New(len(pictures), perceptual.Width)
	parallel.For(len(pictures), func(i int) { copy(v.Row(i), perceptual.Describe(pictures[i])) })
	return v, nil
}
