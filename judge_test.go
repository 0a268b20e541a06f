package lookalike_test

import (
	"errors"
	"image"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"lookalike"
	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/knn/retrieval"
	"lookalike/knn/tsne"
	"lookalike/tensor"
)

// judged is an index of drawings in folders by what they show, and of one in no folder.
func judged(t *testing.T) (path string, x *lookalike.Index) {
	t.Helper()
	photos, path := drawn(t, 3), filepath.Join(t.TempDir(), "photos.idx")
	some, err := filepath.Glob(filepath.Join(photos, "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(some[0])
	if err == nil {
		err = os.WriteFile(filepath.Join(photos, "alone.png"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	update(t, path, photos, lookalike.Perceptual())
	return path, open(t, path)
}

// some are the vectors and labels of pictures, taken by hand.
func some(t *testing.T, x *lookalike.Index, keep func(lookalike.Entry) bool) (*tensor.Tensor, []string, []int) {
	t.Helper()
	g, err := x.Gallery()
	if err != nil {
		t.Fatal(err)
	}
	var values []float32
	var labels []string
	var rows []int
	for row, e := range g.Entries {
		if keep(e) {
			values, labels, rows = append(values, g.Vectors.Row(row)...), append(labels, e.Label), append(rows, row)
		}
	}
	return tensor.From(values, len(rows), g.Vectors.Dim(1)), labels, rows
}

// A report of an index is that of its labelled vectors.
func TestEvaluate(t *testing.T) {
	_, x := judged(t)
	labels := lookalike.Labels(x.Entries())
	inTwo := func(e lookalike.Entry) bool { return e.Label == labels[0] || e.Label == labels[1] }
	for name, c := range map[string]struct {
		keep    func(lookalike.Entry) bool
		metric  knn.Metric
		options []lookalike.SearchOption
	}{
		"all":   {func(e lookalike.Entry) bool { return e.Label != "" }, knn.Euclidean, nil},
		"where": {inTwo, knn.Cosine, []lookalike.SearchOption{lookalike.Where(inTwo), lookalike.By(knn.Cosine)}},
	} {
		vectors, classes, _ := some(t, x, c.keep)
		want, err := retrieval.Evaluate(t.Context(), vectors, classes, c.metric, nil)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		got, err := x.Evaluate(t.Context(), append(c.options, lookalike.Comparing(func(done, all int) {
			if all != len(classes) {
				t.Errorf("%s: %d of %d", name, done, all)
			}
			last = done
		}))...)
		if err != nil || !reflect.DeepEqual(got, want) || last != len(classes) {
			t.Errorf("%s: %+v, %v after %d, want %+v", name, got, err, last, want)
		}
	}
	if _, err := x.Evaluate(t.Context(), lookalike.Where(func(lookalike.Entry) bool { return false })); err == nil {
		t.Error("no pictures are judged")
	}
	x.Close()
	if _, err := x.Evaluate(t.Context()); !errors.Is(err, lookalike.ErrClosed) {
		t.Error(err)
	}
}

// A threshold is found from the labels or the distances of an index, saved in it, and
// found there.
func TestFindThreshold(t *testing.T) {
	path, x := judged(t)
	if m := lookalike.ThresholdMethod(x.Entries()); m != gallery.FromLabels {
		t.Errorf("pictures in folders: %s", m)
	}
	if m := lookalike.ThresholdMethod(slices.Repeat([]lookalike.Entry{{Label: "all"}, {}}, 3)); m != gallery.FromDistances {
		t.Errorf("one folder: %s", m)
	}
	vectors, classes, _ := some(t, x, func(e lookalike.Entry) bool { return e.Label != "" })
	want, err := retrieval.ByLabels(t.Context(), vectors, classes, knn.Cosine, 0.9, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.FindThreshold(t.Context(), gallery.FromLabels, 0.9, lookalike.By(knn.Cosine))
	if err != nil || !reflect.DeepEqual(got.Threshold, want) || got.Method != gallery.FromLabels {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
	if err := x.SaveThreshold(got); err != nil {
		t.Fatal(err)
	}
	g, err := open(t, path).Gallery()
	if err != nil {
		t.Fatal(err)
	}
	if kept, ok := g.Threshold("cosine"); !ok || kept.Distance != want.Distance || kept.Method != gallery.FromLabels || *kept.Recall != want.Recall || kept.Pictures != x.Len() {
		t.Errorf("%+v, %v", kept, ok)
	}
	// Thirty pictures are too few to tell chance by.
	if _, err := x.FindThreshold(t.Context(), gallery.FromDistances, 0.5); err == nil {
		t.Error("few pictures have a threshold by distances")
	}
	for _, share := range []float64{0, -1, math.NaN(), 2} {
		if t1, err := x.FindThreshold(t.Context(), gallery.FromLabels, share); err == nil {
			t.Errorf("share %v: %+v", share, t1)
		}
	}
	if _, err := x.FindThreshold(t.Context(), "names", 0.5); err == nil {
		t.Error("a threshold by names")
	}
	if err := x.SaveThreshold(lookalike.Threshold{}); err == nil {
		t.Error("an empty threshold is saved")
	}
}

// A layout is that of the vectors of the pictures that are left.
func TestLayout(t *testing.T) {
	_, x := judged(t)
	inFolder := func(e lookalike.Entry) bool { return e.Label != "" }
	vectors, _, rows := some(t, x, inFolder)
	how := tsne.Options{Iterations: 20, Seed: 1}
	want, err := tsne.Embed(t.Context(), vectors, knn.Euclidean, how)
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.Layout(t.Context(), how, lookalike.Where(inFolder))
	if err != nil || !slices.Equal(got.Rows, rows) || !reflect.DeepEqual(got.Layout, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := x.Layout(t.Context(), how, lookalike.Where(func(lookalike.Entry) bool { return false })); err == nil {
		t.Error("no pictures are laid out")
	}
	if _, err := x.Layout(t.Context(), how, lookalike.By(knn.InnerProduct)); err == nil {
		t.Error("laid out by the inner product")
	}
}

// Pictures are loaded from where the index says, or where they are said to be; if they are
// gone, the error says where they should be.
func TestLoad(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	if m, err := x.Load(0, image.Point{}); err != nil || m.Width != 64 || m.Height != 64 {
		t.Errorf("%v, %v", m, err)
	}
	if x.Root() != photos {
		t.Errorf("the pictures lie in %s, not %s", x.Root(), photos)
	}
	for _, row := range []int{-1, x.Len()} {
		if m, err := x.Load(row, image.Point{}); err == nil {
			t.Errorf("row %d: %v", row, m)
		}
	}
	moved := photos + "-moved"
	if err := os.Rename(photos, moved); err != nil {
		t.Fatal(err)
	}
	y := open(t, path)
	_, err := y.Load(0, image.Point{})
	e, ok := errors.AsType[*lookalike.PhotosError](err)
	if !ok || e.Index != path || e.Root != photos || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%+v of %v", e, err)
	}
	if z := open(t, path, lookalike.Photos(moved)); z.Root() != moved {
		t.Errorf("the pictures lie in %s, not %s", z.Root(), moved)
	} else if _, err := z.Load(0, image.Point{}); err != nil {
		t.Error(err)
	}
	x.Close()
	if x.Root() != "" {
		t.Error("a closed index says where its pictures are")
	}
}
