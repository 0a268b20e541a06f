package describe

import (
	"context"
	"path/filepath"

	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
)

const embeddingKind = "embedding"

func init() {
	Register(embeddingKind, Kind{
		Open: func(_ gallery.Recipe, file string) (Model, error) {
			m, err := embedding.Load(file)
			if err != nil {
				return nil, err
			}
			return Embeddings(m, file)
		},
		HasFile: true,
		Metric:  knn.Cosine,
		Words:   func(gallery.Recipe) string { return "embeddings" },
	})
}

// embeddingModel places pictures by their classes.
type embeddingModel struct {
	*embedding.Model
	recipe gallery.Recipe
}

// Embeddings returns the model that describes pictures by an embedding, which a file
// holds too. To close it closes the embedding, as an error here does.
func Embeddings(m *embedding.Model, file string) (_ Model, err error) {
	defer func() {
		if err != nil {
			m.Close()
		}
	}()
	if err := m.Ready(); err != nil {
		return nil, err
	}
	fingerprint, err := m.Fingerprint()
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	return &embeddingModel{m, gallery.Recipe{
		Model:              embeddingKind,
		WeightsFingerprint: fingerprint,
		Layer:              "embedding on " + m.Config.Base,
		Preprocessing:      m.Preprocessing(),
		WeightsFile:        path,
	}}, nil
}

func (m *embeddingModel) Recipe() gallery.Recipe { return m.recipe }
func (m *embeddingModel) Width() int             { return m.Config.Dim }

func (m *embeddingModel) Describe(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	return m.Embed(ctx, pictures)
}
