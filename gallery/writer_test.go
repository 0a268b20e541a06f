//go:build !wasm

package gallery

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// headOf is what an index of a gallery's vectors says of itself.
func headOf(g *Gallery) Head {
	return Head{Root: g.Root, Recipe: g.Recipe, Width: g.Vectors.Dim(1)}
}

// What a Writer would spoil an index by is an error, and the index stays as it was.
func TestWriterMisuse(t *testing.T) {
	g := example(9, 4)
	path := save(t, g)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rowOf := func(i int, change func(*Row)) []Row {
		r := Row{g.Entries[i], g.Files[i], g.Vectors.Row(i)}
		change(&r)
		return []Row{r}
	}
	as := func(*Row) {}
	w, err := Write(path, headOf(g))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	refused := func(what, want string, err error) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "gallery: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", what, err, want)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, before) {
			t.Fatalf("%s: the index has changed (%v)", what, err)
		}
	}
	refused("a picture before Note", "Note", w.Commit(rowOf(0, as), nil))
	refused("components before Note", "Note", w.Reduce())
	for want, change := range map[string]func(*Head){
		"layer":                   func(h *Head) { h.Recipe.Layer = "other" },
		"principal components":    func(h *Head) { h.Components = 2 },
		"of another length than ": func(h *Head) { h.Width++ },
	} {
		h := headOf(g)
		change(&h)
		err := w.Note(h)
		refused("another "+want, want, err)
		if !errors.Is(err, ErrOther) {
			t.Errorf("another %s: %v", want, err)
		}
	}
	if err := w.Note(headOf(g)); err != nil {
		t.Fatal(err)
	}
	refused("a path that leads out", "does not lead into", w.Commit(rowOf(0, func(r *Row) { r.Path = "../a" }), nil))
	refused("a short vector", "3 values among those of 4", w.Commit(rowOf(0, func(r *Row) { r.Vector = r.Vector[:3] }), nil))
	refused("a picture twice", "comes twice", w.Commit(append(rowOf(0, as), rowOf(0, as)...), nil))
	refused("a picture in and out", "comes twice", w.Commit(rowOf(0, as), []string{g.Entries[0].Path}))
	refused("components", "not to be brought", w.Reduce())
	if err := w.End(nil); err != nil {
		t.Fatal(err)
	}
	visit := func(Entry, File) {}
	_, rows := w.Rows([]string{"a"})
	for what, err := range map[string]error{
		"Note": w.Note(headOf(g)), "Commit": w.Commit(nil, nil), "Reduce": w.Reduce(), "Rows": rows,
		"Scan": w.Scan(context.Background(), visit), "End": w.End(nil),
	} {
		refused(what+" after the end", "not open for writing", err)
	}
	w.Abandon()
}

// Who refuses leaves the index as it was, though one of its headers is damaged; who has
// compared it and noted makes it whole, and nobody who has not compared it.
func TestWriterRefuses(t *testing.T) {
	Alone(t)
	g := example(9, 4)
	path := save(t, g)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[pageHeader+20] ^= 1
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	no := errors.New("not now")
	for _, end := range []string{"", "refused", "noted"} {
		noted, refused := end == "noted", end == "refused"
		w, err := Write(path, headOf(g))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Note(headOf(g)); err == nil || !strings.Contains(err.Error(), "headers is damaged") {
			t.Errorf("noted without a look at it: %v", err)
		}
		if noted {
			if err := cmp.Or(w.Scan(t.Context(), func(Entry, File) {}), w.Note(headOf(g))); err != nil {
				t.Fatal(err)
			}
		}
		why := no
		if !noted && !refused {
			why = nil // nothing to do
		}
		if err := w.End(why); err != why {
			t.Errorf("error %v", err)
		}
		now, err := Open(path)
		if err != nil || now.Doubtful == noted {
			t.Errorf("noted %v: doubtful %v, %v", noted, now.Doubtful, err)
		}
	}
}

// A new index has its name with its first pictures, and one that is abandoned leaves
// nothing but what was committed.
func TestWriterOfNew(t *testing.T) {
	g := example(3, 4)
	dir := t.TempDir()
	path := filepath.Join(dir, "photos.idx")
	for pictures := range 4 {
		w, err := Write(path, headOf(g))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Write(path, headOf(g)); !errors.Is(err, ErrBusy) {
			t.Errorf("a second writer: %v", err)
		}
		if w.Hidden() != (pictures < 2) || w.Len() != max(0, pictures-1) {
			t.Errorf("hidden: %v, %d pictures", w.Hidden(), w.Len())
		}
		if err := w.Note(headOf(g)); err != nil {
			t.Fatal(err)
		}
		if pictures > 0 {
			i := pictures - 1
			if err := w.Commit([]Row{{g.Entries[i], g.Files[i], g.Vectors.Row(i)}}, nil); err != nil {
				t.Fatal(err)
			}
		}
		w.Abandon()
		if got, err := Open(path); pictures == 0 && !errors.Is(err, fs.ErrNotExist) || pictures > 0 && (err != nil || len(got.Entries) != pictures) {
			t.Errorf("%d pictures: %v", pictures, err)
		}
	}
	OnlyIndex(t, dir)
	if _, err := Write(path, Head{}); err == nil {
		t.Error("vectors of no values")
	}
	if _, err := Rewrite(path, Head{Width: -1}); err == nil {
		t.Error("vectors of fewer values than none")
	}
}

// An old index stays in its place unless the new one has pictures.
func TestRewriteWithout(t *testing.T) {
	old := example(3, 4)
	path := save(t, old)
	h := headOf(old)
	h.Recipe.Layer = "other"
	for _, noted := range []bool{false, true} {
		w, err := Rewrite(path, h)
		if err != nil {
			t.Fatal(err)
		}
		if noted {
			if err := w.Note(h); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.End(nil); err == nil || !strings.Contains(err.Error(), "the old one stays") {
			t.Errorf("noted %v: %v", noted, err)
		}
		if g, err := Open(path); err != nil || len(g.Entries) != 3 {
			t.Errorf("noted %v: %v", noted, err)
		}
	}
	OnlyIndex(t, filepath.Dir(path))
}
