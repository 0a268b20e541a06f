package picture

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// shared finds the folder of photographs beside the project.
func shared(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		photos := filepath.Join(dir, "..", "shared", "caltech101")
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			if _, err := os.Stat(photos); err != nil {
				t.Skip("no photographs: ../shared/caltech101 is not beside the project")
			}
			return photos
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
}

// TestEveryPhotograph holds decoding against Pillow over all photographs. The
// reference is too large to commit: testdata/make_reference.py writes it into
// the folder that PICTURE_REFERENCE names.
func TestEveryPhotograph(t *testing.T) {
	reference := os.Getenv("PICTURE_REFERENCE")
	if reference == "" {
		t.Skip("PICTURE_REFERENCE is not set: see testdata/make_reference.py")
	}
	set, err := Folder(os.DirFS(shared(t)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all difference
	err = set.Each(t.Context(), func(i int, m *Image, err error) error {
		if err != nil {
			return err
		}
		want, err := os.ReadFile(filepath.Join(reference, filepath.FromSlash(set.Path(i))+".rgb"))
		if err != nil {
			return err
		}
		w, h := binary.LittleEndian.Uint32(want), binary.LittleEndian.Uint32(want[4:])
		if m.Width != int(w) || m.Height != int(h) {
			t.Errorf("%s: %dx%d, Pillow %dx%d", set.Path(i), m.Width, m.Height, w, h)
			return nil
		}
		var one difference
		one.add(m.Pix, want[8:])
		if !(one.mean() <= 0.2) || one.max > 3 {
			t.Errorf("%s: differs by %.4f on average, %d at most", set.Path(i), one.mean(), one.max)
		}
		all.sum, all.n, all.max = all.sum+one.sum, all.n+one.n, max(all.max, one.max)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d photographs, %d values: mean absolute difference %.5f, at most %d", set.Len(), all.n, all.mean(), all.max)
	if !(all.mean() <= 0.03) || all.max > 3 {
		t.Error("target: mean 0.03, at most 3")
	}
}
