package indexing

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// TestDescriberMisuse: a describer that cannot make vectors, or a function that is
// missing, is an error that says so, and not of the index.
func TestDescriberMisuse(t *testing.T) {
	prepare := func(m *picture.Image) *picture.Image { return m }
	describe := func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) { return tensor.New(len(p), 2), nil }
	load := func(int) (*picture.Image, error) { return picture.New(1, 1), nil }
	skip, done := func(int, error) error { return nil }, func(int) {}
	photos, err := album.Folder(fstest.MapFS{"a.png": {}}, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Describer{{}, {Prepare: prepare, Width: 2}, {Describe: describe, Width: 2}, {Prepare: prepare, Describe: describe}, {Prepare: prepare, Describe: describe, Width: -2}} {
		path := filepath.Join(t.TempDir(), "photos.idx")
		_, _, update := Update(t.Context(), path, photos, "", d, Watch{})
		_, _, remake := Remake(t.Context(), path, photos, "", d, Watch{})
		_, vectors := d.Vectors(t.Context(), 1, load, skip, done)
		for _, err := range []error{update, remake, vectors} {
			if err == nil || errors.Is(err, gallery.ErrDamaged) || !strings.HasPrefix(err.Error(), "gallery: the ") {
				t.Errorf("%+v: %v", d.Recipe, err)
			}
		}
	}
	d := Describer{Prepare: prepare, Describe: describe, Width: 2}
	for name, f := range map[string]func() ([][]float32, error){
		"load": func() ([][]float32, error) { return d.Vectors(t.Context(), 1, nil, skip, done) },
		"skip": func() ([][]float32, error) { return d.Vectors(t.Context(), 1, load, nil, done) },
		"done": func() ([][]float32, error) { return d.Vectors(t.Context(), 1, load, skip, nil) },
		"n":    func() ([][]float32, error) { return d.Vectors(t.Context(), -1, load, skip, done) },
	} {
		if v, err := f(); err == nil {
			t.Errorf("without %s: %v", name, v)
		}
	}
}
