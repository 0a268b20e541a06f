//go:build unix

package gallery

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
)

// An index behind a symbolic link is written anew behind it, with its permissions.
func TestRewriteKeepsLinkAndMode(t *testing.T) {
	for name, rewrite := range map[string]func(path string) error{
		"compacted": compacted,
		"rewritten": func(path string) error {
			g := example(5, 2)
			w, err := Rewrite(path, headOf(g))
			if err != nil {
				return err
			}
			defer w.Abandon()
			for i := range g.Entries {
				if err := cmp.Or(w.Note(headOf(g)), w.Commit([]Row{{g.Entries[i], g.Files[i], g.Vectors.Row(i)}}, nil)); err != nil {
					return err
				}
				if info, err := os.Stat(Unfinished(path)); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("it grows with the permissions %v, %v", info.Mode(), err)
				}
			}
			return w.End(nil)
		},
	} {
		dir := t.TempDir()
		link, file := filepath.Join(dir, "photos.idx"), filepath.Join(t.TempDir(), "there.idx")
		if err := cmp.Or(example(4, 3).Save(file), os.Chmod(file, 0o600), os.Symlink(file, link)); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := rewrite(link); err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(link); err != nil || to != file {
			t.Errorf("%s: the link leads to %q, %v", name, to, err)
		}
		after, err := os.Stat(file)
		if err != nil || after.Mode() != before.Mode() || os.SameFile(after, before) {
			t.Errorf("%s: the file has the permissions %v, %v", name, after.Mode(), err)
		}
		OnlyIndex(t, dir)
	}
}
