//go:build !wasm

package gallery

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go.etcd.io/bbolt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike/internal/memory"
	"lookalike/internal/sweeptest"
	"lookalike/knn"
	"lookalike/tensor"
	"lookalike/weights"
)

func TestSaveThenOpen(t *testing.T) {
	for _, n := range []int{1, 5, 5000} {
		want := example(n, 7)
		path := save(t, want)
		got, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d pictures came back as others", n)
		}
		first, _ := os.ReadFile(path)
		if second, _ := os.ReadFile(save(t, example(n, 7))); !bytes.Equal(first, second) {
			t.Error("the same gallery gave other bytes")
		}
	}
}

// A time that nanoseconds do not reach is not kept: it would come back as another.
func TestFarTimes(t *testing.T) {
	want := example(3, 2)
	far := time.Date(2300, 1, 2, 3, 4, 5, 6, time.UTC)
	for i, modified := range []time.Time{far, far.AddDate(-700, 0, 0), far.AddDate(-100, 0, 0)} {
		want.Files[i].Modified = modified
	}
	got, err := Open(save(t, want))
	if err != nil {
		t.Fatal(err)
	}
	for i, kept := range []bool{false, false, true} {
		if m := got.Files[i].Modified; m.IsZero() == kept || kept && !m.Equal(want.Files[i].Modified) {
			t.Errorf("%v came back as %v", want.Files[i].Modified, m)
		}
	}
}

func TestEmpty(t *testing.T) {
	g, err := Open(save(t, example(0, 7)))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Entries) != 0 || !slices.Equal(g.Vectors.Shape(), []int{0, 7}) {
		t.Errorf("%v", g)
	}
}

// An index that does not fit in the memory limit is refused before its vectors are read.
func TestMemoryLimit(t *testing.T) {
	path := save(t, example(1000, 4000)) // 16 MB
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	memory.Keep(35e6)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "the memory limit of 35 MB") {
		t.Errorf("35 MB: %v", err)
	}
	if _, err := Inspect(path); err != nil {
		t.Error(err)
	}
	memory.Keep(60e6)
	if _, err := Open(path); err != nil {
		t.Error(err)
	}
}

// The vectors of an opened index can be searched: each picture finds itself.
func TestSearch(t *testing.T) {
	g, err := Open(save(t, example(40, 7)))
	if err != nil {
		t.Fatal(err)
	}
	index, err := knn.New(g.Vectors, knn.Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	for row := range g.Entries {
		found, err := index.Search(t.Context(), [][]float32{g.Vectors.Row(row)}, 1)
		if err != nil || found[0][0] != (knn.Neighbor{Row: row}) {
			t.Errorf("row %d found %v, %v", row, found, err)
		}
	}
}

func TestCheck(t *testing.T) {
	g := example(1, 1)
	same := g.Recipe
	same.WeightsFile, same.Program = "elsewhere/model.safetensors", "lookalike 0.2"
	if err := g.Check(same); err != nil {
		t.Errorf("a moved model and a newer program are refused: %v", err)
	}
	for _, change := range []func(*Recipe) string{
		func(r *Recipe) string { r.Model = "vgg16"; return `"autoencoder" in the index, "vgg16" in the query` },
		func(r *Recipe) string { r.WeightsFingerprint = "ff"; return "SHA-256" },
		func(r *Recipe) string { r.Layer = "fc2"; return `"fc2"` },
		func(r *Recipe) string { r.Preprocessing += "."; return "preprocessing" },
		func(r *Recipe) string { r.EXIF = "ignored"; return `"ignored"` },
		func(r *Recipe) string { r.Layer, r.EXIF = r.EXIF, r.Layer; return "layer" },
	} {
		r := g.Recipe
		want := change(&r)
		err := g.Check(r)
		if err == nil {
			t.Errorf("%+v was accepted", r)
			continue
		}
		recipes, _ := errors.AsType[*RecipeError](err)
		for _, part := range []string{want, g.Recipe.Fingerprint(), r.Fingerprint()} {
			if !strings.Contains(recipes.Details(), part) {
				t.Errorf("%q is not in the details:\n%v", part, recipes.Details())
			}
		}
		if strings.Contains(err.Error(), "ingerprint") || strings.Contains(err.Error(), "SHA") {
			t.Errorf("the error is not in words: %v", err)
		}
	}
	anew := g.Recipe
	anew.WeightsFingerprint = "ff"
	if err := g.Check(anew); err == nil || !strings.Contains(err.Error(), "the model "+anew.WeightsFile+" was trained anew after the index was made") {
		t.Errorf("a model that was trained anew: %v", err)
	}
	// The fingerprint is on disk for good: it must not change by accident.
	if got := g.Recipe.Fingerprint(); got != "ba3f2e9dbaa23dd9" {
		t.Errorf("fingerprint %s", got)
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, path := range []string{"", ".", "..", "../a", "a/../b", "a/../../b", "/a", "a/", "a//b", "./a", "a\xff"} {
		g := example(2, 3)
		g.Entries[1].Path = path
		if err := g.Save(filepath.Join(t.TempDir(), "a.idx")); err == nil || !strings.Contains(err.Error(), "picture 1") {
			t.Errorf("path %q: %v", path, err)
		}
	}
	for what, spoil := range map[string]func(*Gallery){
		"one vector too few": func(g *Gallery) { g.Vectors = tensor.New(1, 3) },
		"rank 1":             func(g *Gallery) { g.Vectors = tensor.New(2) },
		"no dimensions":      func(g *Gallery) { g.Vectors = tensor.New(2, 0) },
		"path twice":         func(g *Gallery) { g.Entries[1] = g.Entries[0] },
		"negative size":      func(g *Gallery) { g.Entries[0].Width = -1 },
		"label not UTF-8":    func(g *Gallery) { g.Entries[0].Label = "\xff" },
		"root not UTF-8":     func(g *Gallery) { g.Root = "\xff" },
	} {
		g := example(2, 3)
		spoil(g)
		path := filepath.Join(t.TempDir(), "a.idx")
		if err := g.Save(path); err == nil {
			t.Errorf("%s: no error", what)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: a file was written", what)
		}
	}
}

// forge writes an index whose checksums are right and whose content need not be.
func forge(t *testing.T, change func(s *state, index, pictures *bbolt.Bucket) error) string {
	t.Helper()
	path := save(t, example(3, 2))
	db, _, err := openStore(path, existing, storeOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		index, pictures := tx.Bucket([]byte(indexBucket)), tx.Bucket([]byte(picturesBucket))
		var s state
		if err := s.decode(index.Get([]byte(stateKey))); err != nil {
			return err
		}
		if err := change(&s, index, pictures); err != nil {
			return err
		}
		b, err := s.encode()
		return cmp.Or(err, index.Put([]byte(stateKey), b))
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// forgeRows is forge with other pictures.
func forgeRows(t *testing.T, change func(rows []Row)) string {
	return forge(t, func(s *state, _, b *bbolt.Bucket) error {
		key, value := b.Cursor().First()
		rows, err := blockOf(value, 2)
		if err != nil {
			return err
		}
		change(rows)
		value = encodeBlock(rows)
		s.Sum = blockCRC(value)
		return b.Put(slices.Clone(key), value)
	})
}

func TestOpenRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("these are no pictures at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	older, model := filepath.Join(t.TempDir(), "old.idx"), filepath.Join(t.TempDir(), "model")
	two := map[string]*tensor.Tensor{"vectors": tensor.New(2, 3)}
	if err := cmp.Or(weights.Save(older, two, map[string]string{"format": format, "version": "1"}), weights.Save(model, two, nil)); err != nil {
		t.Fatal(err)
	}
	another := filepath.Join(t.TempDir(), "another")
	db, err := bbolt.Open(another, 0o644, &storeOptions)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	stated := func(change func(s *state)) string {
		return forge(t, func(s *state, _, _ *bbolt.Bucket) error { change(s); return nil })
	}
	for _, c := range []struct{ path, want string }{
		{text, "not an index of pictures"},
		{empty, "not an index of pictures"},
		{another, "not an index of pictures"},
		{filepath.Join(filepath.Dir(text), "absent"), "there is no file"},
		{older, "made by an older version"},
		{model, "is it a model?"},
		{stated(func(s *state) { s.Format = "" }), "not an index of pictures"},
		{stated(func(s *state) { s.Version = 3 }), "version 3"},
		{stated(func(s *state) { s.Width = 0 }), "damaged"},
		{stated(func(s *state) { s.Width = 1 << 30 }), "damaged"},
		{stated(func(s *state) { s.Width = 3 }), "3 vectors of 2 values"},
		{stated(func(s *state) { s.Pictures++ }), "damaged"},
		{stated(func(s *state) { s.Recipe.PCA = "x" }), "principal components"},
		{forge(t, func(_ *state, index, _ *bbolt.Bucket) error { return index.Put([]byte("x"), []byte("y")) }), "x: the checksum"},
		{forge(t, func(_ *state, index, _ *bbolt.Bucket) error {
			return index.Put([]byte("x"), encodeArray(tensor.New(3)))
		}), "principal components"},
		{forge(t, func(_ *state, _, b *bbolt.Bucket) error { return b.Put([]byte("x"), []byte("y")) }), "block of 1 bytes"},
		{forgeRows(t, func(r []Row) { r[1].Path = "../b" }), `"../b" does not lead into`},
		{forgeRows(t, func(r []Row) { r[1].Path = "/b" }), `"/b" does not lead into`},
		{forgeRows(t, func(r []Row) { r[1].Path = r[0].Path }), "after"},
		{forgeRows(t, func(r []Row) { r[0].Path = "a" }), "begins with"},
		{forgeRows(t, func(r []Row) { r[0].Label = "\xff" }), "not UTF-8"},
		{forgeRows(t, func(r []Row) { r[0].Width = -1 }), "size -1"},
	} {
		if _, err := Open(c.path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("error %v, want one with %q and the file's name", err, c.want)
		}
	}
}

// Pages carry no checksum. One whose elements point to the same bytes again and again
// would need memory many times the size of the file.
func TestOverlappingElements(t *testing.T) {
	const values = 200
	path := forge(t, func(_ *state, index, _ *bbolt.Bucket) error {
		for i := range values {
			if err := index.Put(fmt.Appendf(nil, "x%03d", i), encodeArray(tensor.New(50))); err != nil {
				return err
			}
		}
		return nil
	})
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	forged := 0
	for page := int64(2 * pageSize); page < int64(len(content)); page += pageSize {
		table := content[page+pageHeader:]
		if order.Uint16(content[page+8:]) != leafPage || string(table[order.Uint32(table[4:]):][:1]) != "x" {
			continue
		}
		// The second element's value begins with its own key and takes in all that follow.
		second := table[elementSize:]
		if order.Uint16(content[page+10:]) < 3 {
			continue
		}
		order.PutUint32(second[12:], order.Uint32(second[12:])+200)
		forged++
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); forged == 0 || err == nil || !strings.Contains(err.Error(), "another's place") {
		t.Errorf("%d pages forged: %v", forged, err)
	}
}

// Whatever is cut off or flipped, an index is read as it was or refused; writing
// to it does not crash or hang either.
func TestDamage(t *testing.T) {
	Alone(t)
	want := reduced(t)
	content, err := os.ReadFile(save(t, want))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	try := func(damaged []byte, format string, args ...any) {
		t.Helper()
		path := filepath.Join(dir, "damaged.idx")
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err == nil && (!reflect.DeepEqual(got.Entries, want.Entries) || !slices.Equal(got.Vectors.Data(), want.Vectors.Data())) {
			t.Errorf(format+": read as another index", args...)
		}
		w, _, err := openExisting(path, nil)
		if err != nil {
			return
		}
		if err := w.commit([]edit{{want.Entries[3].Path, nil}}); err == nil {
			if g, err := Open(path); err != nil || len(g.Entries) != len(want.Entries)-1 {
				t.Errorf(format+": of no use after a transaction: %v", append(args, err)...)
			}
		}
		w.close()
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 40 {
		n := rng.IntN(len(content))
		if i < 10 {
			n = i * pageSize
		}
		try(content[:min(n, len(content))], "cut to %d of %d bytes", n, len(content))
	}
	used := len(bytes.TrimRight(content, "\x00"))
	for i := range sweeptest.Cases(300, 700, 15_000) {
		at := rng.IntN(used)
		if i%2 == 0 { // headers and tables of pages
			at = at/pageSize*pageSize + rng.IntN(120)
		}
		at = min(at, len(content)-1)
		damaged := slices.Clone(content)
		damaged[at] ^= 1 << rng.IntN(8)
		try(damaged, "byte %d is %#x for %#x", at, damaged[at], content[at])
	}
}
