package describe

import (
	"context"
	"fmt"
	"path/filepath"

	"lookalike/autoencoder"
	"lookalike/gallery"
	"lookalike/internal/memory"
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

// What the process has besides, while pictures are described: pictures that wait, in two
// batches, and garbage of reading them.
const (
	waiting = 64
	garbage = 8e6
)

// Codes returns the model that describes pictures by the codes of an autoencoder, which
// a file holds too.
func Codes(m *autoencoder.Model, file string) (Model, error) {
	n := m.Encoder.PredictionMemory(1) + waiting*int64(3*m.Config.Size*m.Config.Size) + garbage
	for _, p := range m.Decoder.Params() {
		n += 4 * int64(p.Value.Len())
	}
	if err := memory.Allows(n); err != nil {
		return nil, fmt.Errorf("a picture on its way through the encoder: %w", err)
	}
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
	// Of a large encoder's outputs not many pictures' fit in a memory limit.
	one := m.Encoder.PredictionMemory(1)
	n, each := len(pictures), int(max(1, m.Encoder.PredictionMemory(2)-one))
	some := max(1, memory.Share(n*each, 4)/each)
	out := tensor.New(n, m.Config.Code)
	for lo := 0; lo < n && ctx.Err() == nil; lo += some {
		hi := min(n, lo+some)
		m.Encoder.PredictInto(out.Rows(lo, hi), m.Input(pictures[lo:hi]))
	}
	return out, ctx.Err()
}
