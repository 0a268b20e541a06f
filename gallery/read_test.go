package gallery

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// These are gallerytest's, which imports this package, so that tests inside
// of it cannot import that: those outside hand it in.
var (
	Example   func(n, d int) *Gallery
	Save      func(t testing.TB, g *Gallery) string
	OnlyIndex func(t testing.TB, dir string)
)

func example(n, d int) *Gallery            { return Example(n, d) }
func save(t testing.TB, g *Gallery) string { return Save(t, g) }

// kept returns the path of an index of example(40, 7) that a program on amd64 has
// saved.
func kept(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/example.idx.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := filepath.Join(t.TempDir(), "photos.idx")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := gzip.NewReader(f)
	if err == nil {
		_, err = io.Copy(out, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An index is read where none can be written too.
func TestOpenKept(t *testing.T) {
	path, want := kept(t), example(40, 7)
	if g, err := Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("read %+v, %v, want %+v", g, err, want)
	}
	if g, err := Inspect(path); err != nil || g.Recipe != want.Recipe || len(g.Entries) != 0 {
		t.Errorf("inspected %+v, %v", g, err)
	}
}
