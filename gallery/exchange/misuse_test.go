package exchange

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/gallery"
	"lookalike/tensor"
)

// TestMisuse: a gallery whose parts do not belong together is an error of Export in each
// format, and no file is left.
func TestMisuse(t *testing.T) {
	two := []gallery.Entry{{Path: "a.jpg"}, {Path: "b.jpg"}}
	for want, g := range map[string]*gallery.Gallery{
		"the gallery is nil":                      nil,
		"2 pictures and vectors of shape []":      {Entries: two},
		"2 pictures and vectors of shape [3 4]":   {Entries: two, Vectors: tensor.New(3, 4)},
		"2 pictures and vectors of shape [1 4]":   {Entries: two, Vectors: tensor.New(1, 4)},
		"2 pictures and vectors of shape [2 0]":   {Entries: two, Vectors: tensor.New(2, 0)},
		"2 pictures and vectors of shape [2 2 2]": {Entries: two, Vectors: tensor.New(2, 2, 2)},
		"2 pictures and 1 files":                  {Entries: two, Vectors: tensor.New(2, 4), Files: make([]gallery.File, 1)},
	} {
		for _, format := range Formats {
			path := filepath.Join(t.TempDir(), "out"+format)
			got := func() (message string) {
				defer func() {
					if r := recover(); r != nil {
						message = fmt.Sprint("panic: ", r)
					}
				}()
				return fmt.Sprint(Export(g, path))
			}()
			if !strings.HasPrefix(got, "gallery: ") || !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", format, got, want)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: a file is left", format)
			}
		}
	}
}
