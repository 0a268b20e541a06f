package describe

import (
	"context"
	"path/filepath"

	"lookalike/autoencoder"
	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
)

const autoencoderKind = "autoencoder"

func init() {
	Register(autoencoderKind, Kind{
		Open: func(_ gallery.Recipe, file string) (Model, error) {
			m, err := autoencoder.Load(file)
			if err != nil {
				return nil, err
			}
			return Codes(m, file)
		},
		HasFile: true,
		Metric:  knn.Euclidean, // codes were made near by it
		Words:   func(gallery.Recipe) string { return "codes" },
	})
}

// codesModel describes pictures by the codes of an autoencoder.
type codesModel struct {
	*autoencoder.Model
	recipe gallery.Recipe
}

// Codes returns the model that describes pictures by the codes of an autoencoder, which
// a file holds too.
func Codes(m *autoencoder.Model, file string) (Model, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	return &codesModel{m, gallery.Recipe{
		Model:              autoencoderKind,
		WeightsFingerprint: m.Fingerprint(),
		Layer:              "code",
		Preprocessing:      autoencoder.Preprocessing,
		WeightsFile:        path,
	}}, nil
}

func (m *codesModel) Recipe() gallery.Recipe { return m.recipe }
func (m *codesModel) Width() int             { return m.Config.Code }
func (m *codesModel) Close() error           { return nil }

func (m *codesModel) Describe(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	return m.Encoder.Predict(m.Input(pictures)), ctx.Err()
}
