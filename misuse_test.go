package lookalike_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike"
	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
)

// An index that Open has not made is an error, and nothing else.
func TestNoIndex(t *testing.T) {
	for name, x := range map[string]*lookalike.Index{"nil": nil, "empty": {}} {
		_, search := x.Search(t.Context(), lookalike.Row(0), 1)
		_, duplicates := x.Duplicates(t.Context())
		_, recipe := x.Recipe()
		_, open := x.OpenPicture(0)
		for what, err := range map[string]error{"Search": search, "Duplicates": duplicates, "Recipe": recipe, "OpenPicture": open, "Reload": x.Reload(), "Export": x.Export("v.npy")} {
			if err == nil || !strings.Contains(err.Error(), "nil or empty") {
				t.Errorf("%s of an index that is %s: %v", what, name, err)
			}
		}
		if x.Len() != 0 || x.Entries() != nil || x.Doubtful() {
			t.Errorf("an index that is %s has pictures", name)
		}
		x.Close()
	}
}

// An option that is nil sets nothing; a function that is called must be there.
func TestNilOptions(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual(), nil, lookalike.Progress(nil))
	x := open(t, path, nil)
	if found, err := x.Search(t.Context(), lookalike.Row(0), 1, nil, lookalike.Where(nil)); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := x.Duplicates(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if _, err := lookalike.VGG16(nil, lookalike.WeightsFile("nowhere.h5")); err == nil {
		t.Error("weights that are nowhere are opened")
	}
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	if err := lookalike.Watch(ctx, time.Hour, path, []string{photos}, nil, func(lookalike.Changes, error) {}); err == nil || ctx.Err() != nil {
		t.Errorf("a watch without a model: %v", err)
	}
	if err := lookalike.Watch(ctx, time.Hour, path, []string{photos}, lookalike.Perceptual(), nil); err == nil || ctx.Err() != nil {
		t.Errorf("a watch that tells nobody: %v", err)
	}
}

// The empty region at the corner is as empty as others, and not the whole picture.
func TestEmptyRegion(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	for _, q := range []lookalike.Query{lookalike.Row(0), lookalike.Vector(make([]float32, 999))} {
		if found, err := x.Search(t.Context(), q.Region(image.Rectangle{}), 1); err == nil || !strings.Contains(err.Error(), "region") {
			t.Errorf("found %v, %v", found, err)
		}
	}
}

// A reader is read once. It is known for a picture of the index all the same, and a
// second search says what is wrong.
func TestReaderOnce(t *testing.T) {
	photos, path := drawn(t, 2), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	data, err := os.ReadFile(filepath.Join(photos, filepath.FromSlash(x.Entries()[0].Path)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := x.Search(t.Context(), lookalike.Row(0), 3, lookalike.ExceptSelf())
	if err != nil {
		t.Fatal(err)
	}
	q := lookalike.Reader(bytes.NewReader(data))
	if got, err := x.Search(t.Context(), q, 3, lookalike.ExceptSelf()); err != nil || !slices.Equal(got, want) {
		t.Errorf("but itself: %+v (%v), want %+v", got, err, want)
	}
	if found, err := x.Search(t.Context(), q, 3); err == nil || !strings.Contains(err.Error(), "has been read") {
		t.Errorf("searched again: %v, %v", found, err)
	}
	q = lookalike.Reader(bytes.NewReader(data))
	if found, err := x.SearchAll(t.Context(), []lookalike.Query{q, q}, 3); err == nil || !strings.Contains(err.Error(), "has been read") {
		t.Errorf("twice in a search: %v, %v", found, err)
	}
	if _, err := x.Search(t.Context(), lookalike.Reader(nil), 3); err == nil || !strings.Contains(err.Error(), "is nil") {
		t.Errorf("no reader: %v", err)
	}
	failed := errors.New("the line is cut")
	if _, err := x.Search(t.Context(), lookalike.Reader(io.MultiReader(bytes.NewReader(data[:len(data)/2]), failing{failed})), 3); !errors.Is(err, failed) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// The error of a file that is none does not say its path twice.
func TestSkipErrorPath(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	for _, file := range []string{"nowhere.png", photos} {
		_, err := x.Search(t.Context(), lookalike.File(file), 1)
		if skip, ok := errors.AsType[*lookalike.SkipError](err); !ok || strings.Count(err.Error(), file) != 1 || strings.Contains(skip.Err.Error(), file) {
			t.Errorf("%v", err)
		}
	}
}

// An index that does not say where its pictures are has none of the working folder's.
func TestExceptSelfWithoutRoot(t *testing.T) {
	dir := drawn(t, 2)
	made := filepath.Join(t.TempDir(), "made.idx")
	update(t, made, dir, lookalike.Perceptual())
	g, err := gallery.Open(made)
	if err != nil {
		t.Fatal(err)
	}
	g.Root, g.Files = "", nil
	path := filepath.Join(t.TempDir(), "rootless.idx")
	if err := g.Save(path); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	t.Chdir(dir)
	found, err := x.Search(t.Context(), lookalike.File(filepath.FromSlash(g.Entries[0].Path)), 1, lookalike.ExceptSelf())
	if err != nil || len(found) != 1 || found[0].Row != 0 {
		t.Errorf("found %+v (%v), want picture 0, which need not be this file", found, err)
	}
}

// odd is a model that goes wrong.
type odd struct {
	lookalike.Model
	describe func(n int) *tensor.Tensor
}

func (m odd) Describe(_ context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	return m.describe(len(pictures)), nil
}

// Vectors of another shape than the model has promised are an error.
func TestOddModel(t *testing.T) {
	photos := drawn(t, 1)
	width := lookalike.Perceptual().Width()
	for name, f := range map[string]func(int) *tensor.Tensor{
		"nothing":      func(int) *tensor.Tensor { return nil },
		"one too few":  func(n int) *tensor.Tensor { return tensor.New(n-1, width) },
		"one too many": func(n int) *tensor.Tensor { return tensor.New(n+1, width) },
		"wide":         func(n int) *tensor.Tensor { return tensor.New(n, width+1) },
		"flat":         func(n int) *tensor.Tensor { return tensor.New(n * width) },
	} {
		for _, components := range []int{0, 2} {
			path := filepath.Join(t.TempDir(), "photos.idx")
			c, err := lookalike.Update(t.Context(), path, []string{photos}, odd{lookalike.Perceptual(), f}, lookalike.Components(components))
			if err == nil || !strings.Contains(err.Error(), "want shape") || c.Added != 0 {
				t.Errorf("%s: %+v, %v", name, c, err)
			}
		}
	}
}

// When a function of the caller panics, the caller sees it, on whichever goroutine it
// was, and the index can be written to again.
func TestPanics(t *testing.T) {
	photos := drawn(t, 1)
	panics := func(what string, f func()) {
		t.Helper()
		defer func() {
			if r := recover(); r != "mine" {
				t.Errorf("%s: panicked with %v", what, r)
			}
		}()
		f()
	}
	path := filepath.Join(t.TempDir(), "photos.idx")
	for i := range 3 {
		panics(fmt.Sprintf("progress %d", i), func() {
			lookalike.Update(t.Context(), path, []string{photos}, lookalike.Perceptual(), lookalike.Anew(), lookalike.Progress(func(s lookalike.Stage) {
				if i == 0 && s.Decoded > 1 || i == 1 && s.Described > 0 || i == 2 && s.Saved > 0 {
					panic("mine")
				}
			}))
		})
	}
	panics("describe", func() {
		lookalike.Update(t.Context(), path, []string{photos}, odd{lookalike.Perceptual(), func(int) *tensor.Tensor { panic("mine") }}, lookalike.Anew())
	})
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	panics("where", func() {
		x.Search(t.Context(), lookalike.Row(0), 1, lookalike.Where(func(lookalike.Entry) bool { panic("mine") }))
	})
	panics("where of duplicates", func() {
		x.Duplicates(t.Context(), lookalike.Where(func(lookalike.Entry) bool { panic("mine") }))
	})
	if err := x.Close(); err != nil { // it does not wait for what has panicked
		t.Error(err)
	}
}

// Nothing is a copy by a distance that none is within, nor by the inner product, which is
// not least for the same vectors.
func TestDuplicatesWithin(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	files, err := filepath.Glob(filepath.Join(photos, "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(photos, "copy.png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	for _, within := range []float64{math.NaN(), math.Inf(-1), -1} {
		if groups, err := x.Duplicates(t.Context(), lookalike.Within(within)); err == nil {
			t.Errorf("within %v: %+v", within, groups)
		}
	}
	if groups, err := x.Duplicates(t.Context(), lookalike.By(knn.InnerProduct), lookalike.Within(1)); err == nil {
		t.Errorf("by the inner product: %+v", groups)
	}
	if groups, err := x.Duplicates(t.Context(), lookalike.Within(0)); err != nil || len(groups) != 1 {
		t.Errorf("within 0: %+v (%v)", groups, err)
	}
}

// A threshold of 0, by which only equal vectors are copies, is one.
func TestDuplicatesThreshold(t *testing.T) {
	dir := t.TempDir()
	photos, path := drawn(t, 1), filepath.Join(dir, "photos.idx")
	update(t, path, photos, codes(t, filepath.Join(dir, "model.safetensors"), 1))
	x := open(t, path)
	if groups, err := x.Duplicates(t.Context()); err == nil {
		t.Errorf("nothing says what copies are, and there are %d groups", len(groups))
	}
	g, err := x.Gallery()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SaveThreshold(path, gallery.Threshold{Metric: "euclidean", Method: gallery.FromDistances}); err != nil {
		t.Fatal(err)
	}
	if groups, err := open(t, path).Duplicates(t.Context()); err != nil || len(groups) > 0 {
		t.Errorf("%+v, %v", groups, err)
	}
}

// Files that were listed and are gone with their folder leave the index as it was, and a
// file that is gone alone is taken out.
func TestFolderGone(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	source, set, err := lookalike.Pictures([]string{photos}, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if err := os.Rename(photos, photos+".away"); err != nil {
		t.Fatal(err)
	}
	before := open(t, path)
	c, err := lookalike.UpdateSet(t.Context(), path, set, source.Root, lookalike.Perceptual())
	if !errors.Is(err, fs.ErrNotExist) || c.Dropped > 0 {
		t.Errorf("%+v, %v", c.Changes, err)
	}
	if after := open(t, path); !slices.Equal(after.Entries(), before.Entries()) {
		t.Errorf("%d pictures are left of %d", after.Len(), before.Len())
	}
	if err := os.Rename(photos+".away", photos); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(photos, filepath.FromSlash(set.Path(0)))); err != nil {
		t.Fatal(err)
	}
	if c, err := lookalike.UpdateSet(t.Context(), path, set, source.Root, lookalike.Perceptual()); err != nil || c.Dropped != 1 {
		t.Errorf("one is gone: %+v, %v", c.Changes, err)
	}
}

// An index without a name is refused before any work.
func TestNoName(t *testing.T) {
	photos := drawn(t, 1)
	t.Chdir(t.TempDir())
	if _, err := lookalike.Update(t.Context(), "", []string{photos}, lookalike.Perceptual()); err == nil || !strings.Contains(err.Error(), "the name of the index is empty") {
		t.Error(err)
	}
}

// What a recipe error says reads well, whoever makes it, and whoever made the index.
func TestRecipeErrorWords(t *testing.T) {
	err := &lookalike.RecipeError{Index: lookalike.Recipe{Model: "imported"}, Other: lookalike.Recipe{Model: "vgg16"}}
	if text := err.Error(); text != "the index was made with another program, the other with vgg16" {
		t.Error(text)
	}
	if text := err.Details(); strings.Contains(text, "  (") || strings.Contains(text, ",  ") || strings.Contains(text, "by (") || !strings.Contains(text, "in the other") {
		t.Error(text)
	}
}

// Watch tells what was saved before its end, and of a file that is left out, once.
func TestWatchTells(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	ended := errors.New("ended")
	ctx, end := context.WithCancelCause(t.Context())
	added := 0
	err := lookalike.Watch(ctx, time.Hour, path, []string{photos}, lookalike.Perceptual(), func(c lookalike.Changes, err error) {
		added += c.Added
	}, lookalike.Progress(func(s lookalike.Stage) {
		if s.Saved > 0 {
			end(ended)
		}
	}))
	if err != ended || added == 0 || added != open(t, path).Len() {
		t.Errorf("told of %d pictures, %v", added, err)
	}

	update(t, path, photos, lookalike.Perceptual())
	bad := filepath.Join(photos, "bad.png")
	if err := os.WriteFile(bad, []byte("bad"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, end = context.WithCancelCause(t.Context())
	calls, updates := 0, 0
	err = lookalike.Watch(ctx, time.Millisecond, path, []string{photos}, lookalike.Perceptual(), func(c lookalike.Changes, err error) {
		calls++
		if err != nil || len(c.Skipped) != 1 || c.Skipped[0].Path != "bad.png" {
			t.Errorf("%+v, %v", c, err)
		}
	}, lookalike.Progress(func(s lookalike.Stage) {
		if s.Decoded == s.Files {
			if updates++; updates == 4 {
				end(ended)
			}
		}
	}))
	if err != ended || calls != 1 {
		t.Errorf("told %d times, %v", calls, err)
	}
}

// What could not be saved is not among the changes.
func TestUnsaved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be removed")
	}
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	model := lookalike.Perceptual()
	update(t, path, photos, model)
	more := filepath.Join(photos, "more")
	if err := os.CopyFS(more, os.DirFS(drawn(t, 2))); err != nil {
		t.Fatal(err)
	}
	removing := odd{model, func(n int) *tensor.Tensor {
		os.Remove(path)
		return tensor.New(n, model.Width())
	}}
	c, err := lookalike.Update(t.Context(), path, []string{photos}, removing)
	if err == nil || c.Added > 0 {
		t.Errorf("%+v, %v", c.Changes, err)
	}
}
