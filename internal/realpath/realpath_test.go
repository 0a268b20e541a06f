package realpath

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A file is found below a folder by either's other name.
func TestBelow(t *testing.T) {
	dir := t.TempDir()
	photos, link := filepath.Join(dir, "photos"), filepath.Join(dir, "link")
	if err := os.Mkdir(photos, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(photos, link); err != nil {
		t.Skip(err)
	}
	for _, c := range [][2]string{{photos, photos}, {photos, link}, {link, photos}, {link, link}} {
		for _, name := range []string{"a.jpg", "none/b.jpg"} { // that need not exist
			if paths := Below(c[0], filepath.Join(c[1], filepath.FromSlash(name))); !slices.Contains(paths, name) {
				t.Errorf("%s below %s: %v, want %s among them", c[1], c[0], paths, name)
			}
		}
	}
	if got := Follow(filepath.Join(link, "none", "b.jpg")); got != filepath.Join(Follow(photos), "none", "b.jpg") {
		t.Error(got)
	}
}
