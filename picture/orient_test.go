package picture

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestOrientationOfCases: pictures whose orientation is in odd places come as Pillow's
// ImageOps.exif_transpose has them.
func TestOrientationOfCases(t *testing.T) {
	files, _ := filepath.Glob("../../shared/cases/exif/*.want.png")
	if len(files) == 0 {
		t.Skip("no ../shared/cases/exif")
	}
	for _, file := range files {
		want, err := File(file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimSuffix(file, ".want.png")
		got, err := File(path, Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if got.Width != want.Width || got.Height != want.Height {
			t.Errorf("%s: %d x %d pixels, want %d x %d", filepath.Base(path), got.Width, got.Height, want.Width, want.Height)
			continue
		}
		var d difference
		d.add(got.Pix, want.Pix)
		most := 1
		if filepath.Ext(path) == ".jpg" {
			most = 3
		}
		if d.max > most {
			t.Errorf("%s: values are up to %d levels from those of Pillow", filepath.Base(path), d.max)
		}
	}
}
