package album

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/picture"
)

// Several sources are one: each picture once, by its path from the folder that
// all lie in, and Open of that folder opens it by the same path.
func TestOpenAll(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) string {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	zipped := write("x/a.zip", string(zipOf(t, packed{name: "b/1.jpg", data: "zip 1"}, packed{name: "2.jpg", data: "zip 2"})))
	packed := write("x/y/b", string(gzipOf(tarOf(t, packed{name: "b/1.jpg", data: "tar 1"}))))
	one := write("x/y/one", "one")
	write("x/folder/b/3.jpg", "folder 3")
	three := write("x/folder/4.jpg", "folder 4")
	in := filepath.Join(dir, "x", "folder")

	s, err := OpenAll([]string{one, packed, in, three, zipped, zipped, in + "/b"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := s.Pictures(picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.zip/2.jpg", "a.zip/b/1.jpg", "folder/4.jpg", "folder/b/3.jpg", "y/b/b/1.jpg", "y/one"}
	if !slices.Equal(set.paths, want) || s.Root != filepath.Join(dir, "x") || s.Kind != "several" {
		t.Errorf("%s %s: %v, want %v", s.Kind, s.Root, set.paths, want)
	}
	again, err := Open(s.Root)
	if err != nil {
		t.Fatal(err)
	}
	for i, data := range []string{"zip 2", "zip 1", "folder 4", "folder 3", "tar 1", "one"} {
		for _, fsys := range []fs.FS{s.FS, again.FS} {
			got, err := fs.ReadFile(fsys, want[i])
			if err != nil || string(got) != data {
				t.Errorf("%s: %q, %v, want %q", want[i], got, err, data)
			}
			if info, err := fs.Stat(fsys, want[i]); err != nil || info.Size() != int64(len(data)) {
				t.Errorf("%s: %v, %v", want[i], info, err)
			}
		}
	}
	for _, none := range []string{"a.zip/3.jpg", "y/one/x", "none/x", "../x/y/one", "a.zip/../y/one", "folder/4.jpg/5"} {
		if _, err := fs.ReadFile(again.FS, none); err == nil {
			t.Errorf("%s was read", none)
		}
		if _, err := fs.Stat(again.FS, none); err == nil {
			t.Errorf("%s has a size", none)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	// One source alone keeps its own root.
	alone, err := OpenAll([]string{zipped, zipped})
	if err != nil || alone.Kind != "zip" || alone.Root != zipped {
		t.Fatalf("%+v, %v", alone, err)
	}
	alone.Close()
	for _, paths := range [][]string{nil, {one, filepath.Join(dir, "none")}, {filepath.Join(dir, "none")}} {
		if _, err := OpenAll(paths); err == nil {
			t.Errorf("%v: no error", paths)
		}
	}
	// Own files are no pictures.
	if set = set.Without(s.Root, one, filepath.Join(dir, "elsewhere")); set.Len() != len(want)-1 || slices.ContainsFunc(set.paths, func(p string) bool { return strings.HasSuffix(p, "one") }) {
		t.Errorf("%v", set.paths)
	}
}
