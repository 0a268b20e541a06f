package picture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCases: pictures that are odd but valid come as Pillow has them. For those that
// Pillow refuses, a refusal is right, too. More of the kind, each NAME with NAME.want.png,
// are made by testdata/make_odd.py, and looked for in the folder that LOOKALIKE_ODD names.
func TestCases(t *testing.T) {
	const shared = "../../shared/cases/"
	refused, _ := os.ReadFile(shared + "opencv-only.txt")
	folders := []string{"jpeg", "tiff", "png", "gif", "webp", "bmp"}
	for i, f := range folders {
		folders[i] = shared + f
	}
	if odd := os.Getenv("LOOKALIKE_ODD"); odd != "" {
		folders = append(folders, odd)
	}
	n := 0
	for _, folder := range folders {
		files, _ := filepath.Glob(folder + "/*.want.png")
		for _, file := range files {
			n++
			path := strings.TrimSuffix(file, ".want.png")
			name := filepath.Base(folder) + "/" + filepath.Base(path)
			t.Run(name, func(t *testing.T) {
				want, err := File(file, Options{})
				if err != nil {
					t.Fatal(err)
				}
				got, err := File(path, Options{})
				if err != nil && strings.Contains(string(refused), name+"\n") {
					t.Skip(err)
				}
				if err != nil {
					t.Fatal(err)
				}
				if got.Width != want.Width || got.Height != want.Height {
					t.Fatalf("%d x %d pixels, want %d x %d", got.Width, got.Height, want.Width, want.Height)
				}
				var d difference
				d.add(got.Pix, want.Pix)
				most := 1
				if strings.Contains(name, "lossy") || strings.Contains(name, "jpeg") {
					most = 3
				}
				if d.max > most {
					t.Errorf("values are up to %d levels from those wanted, %.2f on average", d.max, d.mean())
				}
			})
		}
	}
	if n == 0 {
		t.Skip("no " + shared)
	}
}
