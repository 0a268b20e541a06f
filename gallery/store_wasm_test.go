package gallery

import (
	"context"
	"errors"
	"os"
	"testing"

	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// What writes says that it cannot, and leaves the index as it is.
func TestReadOnly(t *testing.T) {
	path := kept(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	d := Describer{
		Width:   1,
		Prepare: func(m *picture.Image) *picture.Image { return m },
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			return tensor.New(len(p), 1), nil
		},
	}
	_, _, updated := Update(t.Context(), path, new(album.Set), "photos", d, Watch{})
	_, _, remade := Remake(t.Context(), path, new(album.Set), "photos", d, Watch{})
	for name, err := range map[string]error{
		"Save":          g.Save(path),
		"SaveThreshold": g.SaveThreshold(path, Threshold{Metric: "euclidean", Method: FromLabels}),
		"Update":        updated,
		"Remake":        remade,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the index is another one: %v", err)
	}
}
