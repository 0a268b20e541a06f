package gallery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/knn/pca"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// TestMisuse: a gallery whose parts do not belong together is an error, of Save and of
// Export in each format, and no file is left.
func TestMisuse(t *testing.T) {
	var missing *Gallery
	for call, err := range map[string]error{
		"Check":         missing.Check(Recipe{}),
		"SaveThreshold": missing.SaveThreshold("x", Threshold{Metric: "euclidean", Method: FromLabels}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "gallery: ") {
			t.Errorf("%s of a nil gallery: %v", call, err)
		}
	}
	if _, ok := missing.Threshold("euclidean"); ok {
		t.Error("a nil gallery has a threshold")
	}
	if missing.Row("a.jpg") >= 0 || missing.RowOf("", "a.jpg") >= 0 {
		t.Error("a nil gallery has a picture")
	}
	two := []Entry{{Path: "a.jpg"}, {Path: "b.jpg"}}
	for want, g := range map[string]*Gallery{
		"the gallery is nil":                      nil,
		"2 pictures and vectors of shape []":      {Entries: two},
		"2 pictures and vectors of shape [3 4]":   {Entries: two, Vectors: tensor.New(3, 4)},
		"2 pictures and vectors of shape [1 4]":   {Entries: two, Vectors: tensor.New(1, 4)},
		"2 pictures and vectors of shape [2 0]":   {Entries: two, Vectors: tensor.New(2, 0)},
		"2 pictures and vectors of shape [2 2 2]": {Entries: two, Vectors: tensor.New(2, 2, 2)},
		"2 pictures and 1 files":                  {Entries: two, Vectors: tensor.New(2, 4), Files: make([]File, 1)},
		"principal components":                    {Entries: two, Vectors: tensor.New(2, 4), PCA: &pca.PCA{}},
	} {
		for _, ext := range append([]string{".idx"}, ExportFormats...) {
			path := filepath.Join(t.TempDir(), "out"+ext)
			got := func() (message string) {
				defer func() {
					if r := recover(); r != nil {
						message = fmt.Sprint("panic: ", r)
					}
				}()
				if ext == ".idx" {
					return fmt.Sprint(g.Save(path))
				}
				return fmt.Sprint(g.Export(path))
			}()
			if ext != ".idx" && want == "principal components" {
				continue // are not exported
			}
			if !strings.HasPrefix(got, "gallery: ") || !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", ext, got, want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: a file is left", ext)
			}
		}
	}
}

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
			if err == nil || errors.Is(err, ErrDamaged) || !strings.HasPrefix(err.Error(), "gallery: the ") {
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
