package indexing

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// What writes says that it cannot.
func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	d := Describer{
		Width:   1,
		Prepare: func(m *picture.Image) *picture.Image { return m },
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			return tensor.New(len(p), 1), nil
		},
	}
	_, _, updated := Update(t.Context(), path, new(album.Set), "photos", d, Watch{})
	_, _, remade := Remake(t.Context(), path, new(album.Set), "photos", d, Watch{})
	for name, err := range map[string]error{"Update": updated, "Remake": remade} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is an index: %v", err)
	}
}
