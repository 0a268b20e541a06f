package lookalike_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"lookalike"
	"lookalike/autoencoder"
	"lookalike/gallery"
	"lookalike/internal/sample"
	"lookalike/knn"
	"lookalike/picture"
)

// drawn writes drawings to a folder, in folders by what they show.
func drawn(t *testing.T, each int) string {
	t.Helper()
	dir := t.TempDir()
	for p := range sample.Gallery(1, each, 64) {
		path := filepath.Join(dir, p.Class, p.Name+".png")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, p.Image); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// codes writes an autoencoder and opens it as a model.
func codes(t *testing.T, file string, seed uint64) lookalike.Model {
	t.Helper()
	m, err := autoencoder.New(autoencoder.Config{Size: 32, Code: 8}, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(file, nil); err != nil {
		t.Fatal(err)
	}
	model, err := lookalike.Trained(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	return model
}

func update(t *testing.T, path, photos string, model lookalike.Model, options ...lookalike.UpdateOption) lookalike.Changes {
	t.Helper()
	changes, err := lookalike.Update(t.Context(), path, []string{photos}, model, options...)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func open(t *testing.T, path string, options ...lookalike.OpenOption) *lookalike.Index {
	t.Helper()
	x, err := lookalike.Open(path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

// Whatever a query is made of, the same picture is found at no distance, with a learned
// model and with one that is no network.
func TestSearch(t *testing.T) {
	photos, dir := drawn(t, 3), t.TempDir()
	file := filepath.Join(dir, "model.safetensors")
	for name, model := range map[string]lookalike.Model{"codes": codes(t, file, 1), "perceptual": lookalike.Perceptual()} {
		path := filepath.Join(dir, name+".idx")
		changes := update(t, path, photos, model)
		x := open(t, path)
		entries := x.Entries()
		if len(entries) == 0 || changes.Added != len(entries) || x.Len() != len(entries) {
			t.Fatalf("%s: %d pictures, %d added", name, len(entries), changes.Added)
		}
		const row = 7
		q := filepath.Join(photos, filepath.FromSlash(entries[row].Path))
		data, err := os.ReadFile(q)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := picture.Decode(bytes.NewReader(data), picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g, err := gallery.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		queries := map[string]lookalike.Query{
			"file": lookalike.File(q), "bytes": lookalike.Bytes(data), "reader": lookalike.Reader(bytes.NewReader(data)),
			"picture": lookalike.Picture(decoded), "row": lookalike.Row(row), "path": lookalike.Path(entries[row].Path),
			"vector":           lookalike.Vector(slices.Clone(g.Vectors.Row(row))),
			"region of all":    lookalike.File(q).Region(image.Rect(0, 0, 64, 64)),
			"region in index":  lookalike.Row(row).Region(image.Rect(0, 0, 64, 64)),
			"region of pixels": lookalike.Picture(decoded).Region(image.Rect(0, 0, 64, 64)),
		}
		want, err := x.Search(t.Context(), lookalike.Row(row), 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) != 4 || want[0].Row != row || want[0].Distance != 0 || want[0].Path != entries[row].Path {
			t.Fatalf("%s: %+v", name, want)
		}
		var all []lookalike.Query
		for kind, q := range queries {
			again := q
			if kind == "reader" {
				again = lookalike.Reader(bytes.NewReader(data))
			}
			all = append(all, again)
			got, err := x.Search(t.Context(), q, 4)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s: %+v (%v), want %+v", name, kind, got, err, want)
			}
		}
		lists, err := x.SearchAll(t.Context(), all, 4)
		if err != nil {
			t.Fatal(err)
		}
		for i := range lists {
			if !slices.Equal(lists[i], want) {
				t.Errorf("%s: query %d of several: %+v", name, i, lists[i])
			}
		}
	}
}

func TestSearchOptions(t *testing.T) {
	photos, path := drawn(t, 3), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	ctx := t.Context()
	all, err := x.Search(ctx, lookalike.Row(0), lookalike.All)
	if err != nil || len(all) != x.Len() {
		t.Fatalf("%d of %d: %v", len(all), x.Len(), err)
	}
	near, err := x.Search(ctx, lookalike.Row(0), lookalike.All, lookalike.Within(all[5].Distance))
	if err != nil || !slices.Equal(near, all[:len(near)]) || len(near) < 6 || len(near) < x.Len() && all[len(near)].Distance <= all[5].Distance {
		t.Errorf("within %v: %d (%v)", all[5].Distance, len(near), err)
	}
	if few, err := x.Search(ctx, lookalike.Row(0), 2, lookalike.Within(all[5].Distance)); err != nil || !slices.Equal(few, all[:2]) {
		t.Errorf("two within a distance: %+v (%v)", few, err)
	}
	label := all[len(all)-1].Label
	only, err := x.Search(ctx, lookalike.Row(0), lookalike.All, lookalike.Where(func(e lookalike.Entry) bool { return e.Label == label }))
	want := slices.DeleteFunc(slices.Clone(all), func(h lookalike.Hit) bool { return h.Label != label })
	if err != nil || !slices.Equal(only, want) {
		t.Errorf("where: %+v (%v), want %+v", only, err, want)
	}
	file := filepath.Join(photos, filepath.FromSlash(all[0].Path))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "copy.png")
	if err := os.WriteFile(elsewhere, data, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]lookalike.Query{"row": lookalike.Row(0), "file": lookalike.File(file), "copy": lookalike.File(elsewhere), "bytes": lookalike.Bytes(data)} {
		others, err := x.Search(ctx, q, 3, lookalike.ExceptSelf())
		if err != nil || !slices.Equal(others, all[1:4]) {
			t.Errorf("%s but itself: %+v (%v), want %+v", name, others, err, all[1:4])
		}
	}
	cosine, err := x.Search(ctx, lookalike.Row(0), 3, lookalike.By(knn.Cosine))
	if err != nil || cosine[1].Distance == all[1].Distance {
		t.Errorf("by another metric: %+v (%v)", cosine, err)
	}
	m, err := picture.File(file, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	part := picture.New(20, 30)
	for y := range 30 {
		copy(part.Pix[3*20*y:][:3*20], m.Pix[3*(64*(y+4)+3):])
	}
	a, err := x.Search(ctx, lookalike.Picture(part), 5)
	b, err2 := x.Search(ctx, lookalike.File(file).Region(image.Rect(3, 4, 23, 34)), 5)
	if err != nil || err2 != nil || !slices.Equal(a, b) {
		t.Errorf("a region finds %+v (%v), its pixels %+v (%v)", b, err2, a, err)
	}
}

func TestSearchRefuses(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	for _, c := range []struct {
		q    lookalike.Query
		k    int
		want string
	}{
		{lookalike.Row(0), 0, "give 1 or more"},
		{lookalike.Row(-5), 1, "no picture -5"},
		{lookalike.Row(x.Len()), 1, "no picture"},
		{lookalike.Path("nowhere.png"), 1, "no picture nowhere.png"},
		{lookalike.Vector([]float32{1}), 1, "has 1 values"},
		{lookalike.Vector(nil), 1, "the query is empty"},
		{lookalike.Query{}, 1, "the query is empty"},
		{lookalike.File("nowhere.png"), 1, "nowhere.png"},
		{lookalike.Bytes([]byte("no picture")), 1, "the picture: "},
		{lookalike.Picture(nil), 1, "the query is empty"},
		{lookalike.Picture(&picture.Image{Width: 3}), 1, "the picture: "},
		{lookalike.Row(0).Region(image.Rect(0, 0, 65, 64)), 1, "not within"},
		{lookalike.Row(0).Region(image.Rect(3, 3, 3, 9)), 1, "empty"},
	} {
		if found, err := x.Search(t.Context(), c.q, c.k); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: found %v, %v; want %q", c.q, found, err, c.want)
		}
	}
	_, err := x.Search(t.Context(), lookalike.File("nowhere.png"), 1)
	if skip, ok := errors.AsType[*lookalike.SkipError](err); !ok || skip.Path != "nowhere.png" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is no SkipError of the file", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := x.Search(ended, lookalike.Row(0), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// Describe makes the vectors that a search makes, once, and goes on without what cannot
// be read.
func TestDescribe(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	path, file := filepath.Join(dir, "photos.idx"), filepath.Join(dir, "model.safetensors")
	model := codes(t, file, 1)
	update(t, path, photos, model)
	x, ctx := open(t, path), t.Context()
	g, err := x.Gallery()
	if err != nil {
		t.Fatal(err)
	}
	picture0 := filepath.Join(photos, filepath.FromSlash(g.Entries[0].Path))
	opened := 0
	queries := []lookalike.Query{
		lookalike.Row(3),
		lookalike.Opener("one", func() (io.ReadCloser, error) { opened++; return os.Open(picture0) }),
		lookalike.Opener("two", func() (io.ReadCloser, error) { return nil, &fs.PathError{Op: "open", Path: "two", Err: fs.ErrNotExist} }),
		lookalike.Path(g.Entries[5].Path),
		lookalike.Vector(g.Vectors.Row(6)),
		lookalike.Row(1).Region(image.Rect(0, 0, 64, 64)),
		lookalike.Bytes([]byte("no picture")),
	}
	var told, missed []int
	described, err := x.Describe(ctx, queries,
		lookalike.Describing(func(done, all int) {
			if all != len(queries) {
				t.Errorf("%d queries, want %d", all, len(queries))
			}
			told = append(told, done)
		}),
		lookalike.Unreadable(func(i int, err *lookalike.SkipError) error {
			if missed = append(missed, i); i == 2 && err.Error() != "two: file does not exist" {
				t.Error(err)
			}
			return nil
		}))
	if err != nil || !slices.Equal(missed, []int{2, 6}) || !slices.Equal(told, []int{3, 4, 5, 6, 7}) {
		t.Fatalf("missed %v, told %v (%v)", missed, told, err)
	}
	for i, row := range []int{3, 0, -1, 5, 6, 1, -1} {
		q := described[i]
		if row < 0 {
			if q.Vector() != nil {
				t.Errorf("query %d has a vector", i)
			}
			continue
		}
		if !slices.Equal(q.Vector(), g.Vectors.Row(row)) {
			t.Errorf("query %d is not row %d", i, row)
		}
		found, err := x.Search(ctx, q, 2)
		if want, err2 := x.Search(ctx, lookalike.Row(row), 2); err != nil || err2 != nil || !slices.Equal(found, want) {
			t.Errorf("query %d finds %+v (%v), want %+v (%v)", i, found, err, want, err2)
		}
	}
	if opened != 1 {
		t.Errorf("described once, opened %d times", opened)
	}
	if described[1].Region(image.Rect(0, 0, 9, 9)).Vector() != nil {
		t.Error("a region has the vector of the whole")
	}
	if others, err := x.Search(ctx, described[1], 1, lookalike.ExceptSelf()); err != nil || others[0].Row == 0 {
		t.Errorf("but itself: %+v (%v)", others, err)
	}
	elsewhere := filepath.Join(photos, filepath.FromSlash(g.Entries[7].Path)) // which it says it is
	if found, err := x.Search(ctx, described[1].At(elsewhere), lookalike.All, lookalike.ExceptSelf()); err != nil || found[0].Row != 0 || len(found) != x.Len()-1 {
		t.Errorf("but where it lies: %+v (%v)", found, err)
	}

	without, err := lookalike.Describe(ctx, model, queries[1:2], g.Recipe.Options())
	if err != nil || !slices.Equal(without[0].Vector(), described[1].Vector()) {
		t.Errorf("without an index: %v", err)
	}
	for i, want := range map[int]string{0: "no index", 2: "two: ", 3: "no index", 6: "the picture: "} {
		if _, err := lookalike.Describe(ctx, model, queries[i:i+1], picture.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("query %d without an index: %v", i, err)
		}
	}
	for _, q := range []lookalike.Query{lookalike.Vector([]float32{1}), lookalike.Vector(g.Vectors.Row(0)).Region(image.Rect(0, 0, 1, 1))} {
		if _, err := lookalike.Describe(ctx, model, []lookalike.Query{q}, picture.Options{}); err == nil {
			t.Errorf("%v is a vector", q.Vector())
		}
	}
	if _, err := lookalike.Describe(ctx, nil, nil, picture.Options{}); err == nil {
		t.Error("no model is no error")
	}
	enough := errors.New("enough")
	if _, err := x.Describe(ctx, queries, lookalike.Unreadable(func(int, *lookalike.SkipError) error { return enough })); !errors.Is(err, enough) {
		t.Errorf("an end: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, path).Describe(ctx, described[:2], lookalike.Describing(func(int, int) { t.Error("told of nothing") })); err != nil {
		t.Errorf("vectors need no model: %v", err)
	}
}

// A query's file has a hash; a query that has none says so.
func TestQuerySHA256(t *testing.T) {
	if sum, err := lookalike.Bytes([]byte("abc")).SHA256(); err != nil || sum != sha256.Sum256([]byte("abc")) {
		t.Error(sum, err)
	}
	for _, q := range []lookalike.Query{{}, lookalike.Row(0), lookalike.Vector([]float32{1}), lookalike.File("nowhere.png"), lookalike.File(t.TempDir())} {
		if _, err := q.SHA256(); err == nil {
			t.Errorf("%+v has a hash", q)
		}
	}
}

// Update tells of its stages, of what it left out, and of models that do not fit.
func TestUpdate(t *testing.T) {
	photos, dir := drawn(t, 3), t.TempDir()
	path := filepath.Join(dir, "photos.idx")
	if err := os.WriteFile(filepath.Join(photos, "notes.txt"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	var last lookalike.Stage
	changes := update(t, path, photos, codes(t, filepath.Join(photos, "model.safetensors"), 1), lookalike.Progress(func(s lookalike.Stage) {
		if s.Decoded < last.Decoded || s.Described < last.Described || s.Saved < last.Saved {
			t.Errorf("%+v after %+v", s, last)
		}
		last = s
	}))
	if len(changes.Skipped) != 1 || changes.Skipped[0].Path != "notes.txt" {
		t.Errorf("left out: %v", changes.Skipped)
	}
	n := changes.Pictures
	if want := (lookalike.Stage{Files: n + 1, Decoded: n + 1, Described: n, Saved: n}); last != want {
		t.Errorf("at the end %+v, want %+v", last, want)
	}
	last = lookalike.Stage{}
	again, err := lookalike.Trained(filepath.Join(photos, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	update(t, path, photos, again, lookalike.Progress(func(s lookalike.Stage) { last = s }))
	if want := (lookalike.Stage{Files: n + 1, Decoded: n + 1, Saved: n}); last != want {
		t.Errorf("where nothing has changed %+v, want %+v", last, want)
	}
	other := codes(t, filepath.Join(dir, "other.safetensors"), 2)
	_, err = lookalike.Update(t.Context(), path, []string{photos}, other)
	recipes, ok := errors.AsType[*lookalike.RecipeError](err)
	if !errors.Is(err, lookalike.ErrRecipe) || !ok || recipes.Other.WeightsFingerprint != other.Recipe().WeightsFingerprint || recipes.Index.WeightsFingerprint == recipes.Other.WeightsFingerprint {
		t.Errorf("another model: %v", err)
	}
	if changes := update(t, path, photos, other, lookalike.Anew()); changes.Added != n+1-1 {
		t.Errorf("anew: %+v", changes)
	}
	if _, err := lookalike.Update(t.Context(), path, []string{t.TempDir()}, other); !errors.Is(err, lookalike.ErrNoPictures) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := lookalike.Update(t.Context(), path, nil, other); !errors.Is(err, lookalike.ErrNoPictures) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := lookalike.Update(t.Context(), path, []string{photos}, nil); err == nil {
		t.Error("no model is no error")
	}
}

// A reloaded index has what was added; searches go on meanwhile, and a close waits for
// them.
func TestReloadAndClose(t *testing.T) {
	photos, path := drawn(t, 2), filepath.Join(t.TempDir(), "photos.idx")
	model := lookalike.Perceptual()
	update(t, path, photos, model)
	x := open(t, path)
	before := x.Len()
	data, err := os.ReadFile(filepath.Join(photos, filepath.FromSlash(x.Entries()[0].Path)))
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	end := make(chan struct{})
	for range 2 {
		both.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				if found, err := x.Search(t.Context(), lookalike.Bytes(data), 1); err != nil || found[0].Distance != 0 {
					t.Errorf("%+v, %v", found, err)
					return
				}
			}
		})
	}
	for i := range 5 {
		if err := os.WriteFile(filepath.Join(photos, "new"+string(rune('a'+i))+".png"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		if c := update(t, path, photos, model); c.Pictures != before+i+1 {
			t.Errorf("%+v", c)
		}
		if err := x.Reload(); err != nil || x.Len() != before+i+1 {
			t.Errorf("%d pictures after reloading (%v), want %d", x.Len(), err, before+i+1)
		}
	}
	close(end)
	both.Wait()
	for range 2 {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := x.Search(t.Context(), lookalike.Row(0), 1); !errors.Is(err, lookalike.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := x.Reload(); !errors.Is(err, lookalike.ErrClosed) {
		t.Errorf("Reload after Close: %v", err)
	}
	if x.Len() != 0 || x.Entries() != nil || x.Export(filepath.Join(t.TempDir(), "v.npy")) == nil {
		t.Error("a closed index answers")
	}
}

func TestDuplicates(t *testing.T) {
	photos, path := drawn(t, 2), filepath.Join(t.TempDir(), "photos.idx")
	first, err := filepath.Glob(filepath.Join(photos, "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(first[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(photos, "zz.png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	groups, err := x.Duplicates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	copied := func(d lookalike.Duplicate) bool {
		return d.Path == "zz.png" && d.Distance == 0 && filepath.Join(photos, filepath.FromSlash(x.Entries()[d.SameAs].Path)) == first[0]
	}
	if !slices.ContainsFunc(groups, func(g lookalike.Group) bool { return slices.ContainsFunc(g.Others, copied) }) {
		t.Errorf("%+v", groups)
	}
	// However far away vectors may be, a second look tells copies from others.
	refused := 0
	near, err := x.Duplicates(t.Context(), lookalike.Within(1e9), lookalike.Refusing(func(best, other int, reason error) {
		if refused++; !errors.Is(reason, lookalike.ErrUnlike) && !errors.Is(reason, lookalike.ErrTooLittle) {
			t.Errorf("%d and %d: %v", best, other, reason)
		}
	}))
	if err != nil || len(near) != 1 || len(near[0].Others) != 1 || refused == 0 {
		t.Errorf("however far, looked at again: %+v (%v), %d refused", near, err, refused)
	}
	last := 0
	near, err = x.Duplicates(t.Context(), lookalike.Unverified(), lookalike.Within(1e9), lookalike.Comparing(func(done, all int) {
		if done < last || done > all || all != x.Len() {
			t.Errorf("%d of %d after %d", done, all, last)
		}
		last = done
	}))
	if err != nil || len(near) != 1 || len(near[0].Others) != x.Len()-1 || last == 0 {
		t.Errorf("however far: %+v (%v), told %d", near, err, last)
	}
	same, err := x.Duplicates(t.Context(), lookalike.SameBytes(), lookalike.By(knn.Cosine))
	if err != nil || len(same) != 1 || len(same[0].Others) != 1 || !copied(same[0].Others[0]) {
		t.Errorf("of the same bytes: %+v (%v)", same, err)
	}
	none, err := x.Duplicates(t.Context(), lookalike.SameBytes(), lookalike.Where(func(e lookalike.Entry) bool { return e.Path != "zz.png" }))
	if err != nil || none != nil {
		t.Errorf("but the copy: %+v (%v)", none, err)
	}
	if _, err := x.Duplicates(t.Context(), lookalike.Within(math.NaN())); err == nil {
		t.Error("NaN is a distance")
	}
	if _, err := x.Duplicates(t.Context(), lookalike.By(knn.Cosine)); err == nil || !strings.Contains(err.Error(), "Within") {
		t.Errorf("no limit is known: %v", err)
	}
}

// An index is found wanting with errors that say which.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := lookalike.Open(filepath.Join(dir, "none.idx")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	photos, path := drawn(t, 1), filepath.Join(dir, "photos.idx")
	file := filepath.Join(dir, "model.safetensors")
	update(t, path, photos, codes(t, file, 1))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(b); i++ {
		b[i] ^= 0x55
	}
	if err := os.WriteFile(filepath.Join(dir, "damaged.idx"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := lookalike.Open(filepath.Join(dir, "damaged.idx")); !errors.Is(err, lookalike.ErrDamaged) {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if _, err := x.Search(t.Context(), lookalike.Row(0), 1); err != nil {
		t.Errorf("a picture of the index needs no model: %v", err)
	}
	if _, err := x.Search(t.Context(), lookalike.File(filepath.Join(photos, filepath.FromSlash(x.Entries()[0].Path))), 1); !errors.Is(err, lookalike.ErrNoModel) {
		t.Error(err)
	}
}

// What one model has made of a query is not compared with what another has: a search of
// another index, or of the same made anew, describes the query again.
func TestDescribedByAnotherModel(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	var indexes [2]*lookalike.Index
	for i := range indexes {
		path := filepath.Join(dir, fmt.Sprintf("%d.idx", i))
		update(t, path, photos, codes(t, filepath.Join(dir, fmt.Sprintf("%d.safetensors", i)), uint64(i+1)))
		indexes[i] = open(t, path)
	}
	file := lookalike.File(filepath.Join(photos, filepath.FromSlash(indexes[0].Entries()[5].Path)))
	described, err := indexes[0].Describe(t.Context(), []lookalike.Query{file, lookalike.Row(5), lookalike.Row(5).Region(image.Rect(0, 0, 64, 64))})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range described {
		if q.Vector() == nil {
			t.Fatalf("query %d has no vector", i)
		}
		for k, x := range indexes {
			if found, err := x.Search(t.Context(), q, 1); err != nil || found[0].Row != 5 || found[0].Distance != 0 {
				t.Errorf("query %d in index %d: %+v (%v), want row 5 at no distance", i, k, found, err)
			}
		}
	}
}

// An index of the program's own description, as it was in an earlier version, is refused:
// its vectors say other things than today's.
func TestEarlierDescription(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, drawn(t, 1), lookalike.Perceptual())
	g, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	g.Recipe.Preprocessing = "RGB, as it was once"
	old := filepath.Join(t.TempDir(), "old.idx")
	if err := g.Save(old); err != nil {
		t.Fatal(err)
	}
	x := open(t, old)
	_, search := x.Search(t.Context(), lookalike.Row(0), 1)
	_, duplicates := x.Duplicates(t.Context())
	for what, err := range map[string]error{"Search": search, "Duplicates": duplicates} {
		if !errors.Is(err, lookalike.ErrRecipe) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := x.Duplicates(t.Context(), lookalike.SameBytes()); err != nil {
		t.Error(err)
	}
}

// The second look tells copies from others, and says why not.
func TestSecondLook(t *testing.T) {
	photos := drawn(t, 2)
	files, err := filepath.Glob(filepath.Join(photos, "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := picture.File(files[0], picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	white := picture.New(90, 70)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	for name, c := range map[string]struct {
		b    lookalike.Query
		want error
	}{
		"itself":      {lookalike.File(files[0]), nil},
		"half":        {lookalike.Picture(picture.Area(m, m.Width/2+1, m.Height/2+1)), nil},
		"another":     {lookalike.File(files[len(files)-1]), lookalike.ErrUnlike},
		"white":       {lookalike.Picture(white), lookalike.ErrTooLittle},
		"not a file":  {lookalike.File(filepath.Join(photos, "none.png")), fs.ErrNotExist},
		"no picture":  {lookalike.Bytes([]byte("text")), nil},
		"just a part": {lookalike.File(files[0]).Region(image.Rect(0, 0, m.Width, m.Height)), nil},
	} {
		err := lookalike.SecondLook(t.Context(), lookalike.File(files[0]), c.b, picture.Options{})
		if name == "no picture" && err != nil {
			continue
		}
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestStages: what waits for the model is told with what has been read, so that the
// difference, which is done, never falls.
func TestStages(t *testing.T) {
	photos, path := drawn(t, 3), filepath.Join(t.TempDir(), "photos.idx")
	done := 0
	var last lookalike.Stage
	update(t, path, photos, lookalike.Perceptual(), lookalike.Progress(func(s lookalike.Stage) {
		if now := s.Decoded - s.Waiting; s.Waiting < 0 || now < done || now > s.Files {
			t.Errorf("%+v after %d were done", s, done)
		} else {
			done = now
		}
		last = s
	}))
	if done != last.Files || last.Waiting != 0 {
		t.Errorf("at the end %+v", last)
	}
}
