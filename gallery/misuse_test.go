package gallery

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/knn/pca"
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
