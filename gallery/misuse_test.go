package gallery

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/knn/pca"
	"lookalike/tensor"
)

// TestMisuse: a gallery whose parts do not belong together is an error of Save,
// and no file is left.
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
		path := filepath.Join(t.TempDir(), "out.idx")
		got := func() (message string) {
			defer func() {
				if r := recover(); r != nil {
					message = fmt.Sprint("panic: ", r)
				}
			}()
			return fmt.Sprint(g.Save(path))
		}()
		if !strings.HasPrefix(got, "gallery: ") || !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a file is left", want)
		}
	}
	for _, bad := range [][2]int{{-1, 3}, {3, 0}, {3, -16}, {3, math.MaxInt}} {
		if err := CheckMemory(bad[0], bad[1]); err == nil {
			t.Errorf("there is memory for %d vectors of %d values", bad[0], bad[1])
		}
	}
	for _, n := range []int{3, math.MaxInt} { // no limit is set here
		if err := CheckMemory(n, math.MaxInt32); err != nil {
			t.Error(err)
		}
	}
}
