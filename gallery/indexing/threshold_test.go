//go:build !wasm

package indexing

import (
	"cmp"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"lookalike/gallery"
	"lookalike/picture"
)

// Thresholds stay when pictures come and go, one for each metric, and are
// dropped with the vectors that they were found with.
func TestThresholds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := colours(t, 40)
	update := func(components int) {
		t.Helper()
		d := new(pixels).describer()
		d.Components = components
		if _, _, err := Update(t.Context(), path, folder(t, files), "photos", d, Watch{}); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *gallery.Gallery {
		t.Helper()
		g, err := gallery.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	update(0)
	g := open()
	estimate := 0.012
	first := gallery.Threshold{Metric: "euclidean", Distance: 0.25, Share: 0.01, Estimate: &estimate, Method: gallery.FromLabels, Pairs: 780, Pictures: 40}
	second := gallery.Threshold{Metric: "cosine", Distance: -1, Share: 0, Method: gallery.FromDistances, Pairs: 780, Pictures: 40}
	for _, threshold := range []gallery.Threshold{{Metric: "euclidean", Distance: 9, Share: 1, Method: gallery.FromLabels}, second, first} {
		if err := g.SaveThreshold(path, threshold); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		now := open()
		if got, ok := now.Threshold("euclidean"); !ok || !reflect.DeepEqual(got, first) {
			t.Errorf("threshold %+v, want %+v", got, first)
		}
		if got, ok := now.Threshold("cosine"); !ok || got != second {
			t.Errorf("threshold %+v, want %+v", got, second)
		}
		if got, ok := now.Threshold("inner-product"); ok {
			t.Errorf("threshold %+v of %+v", got, now.Thresholds)
		}
	}
	check()
	// Who asks for one of two gets that which tells copies of one photograph.
	third := gallery.Threshold{Metric: "cosine", Distance: 1, Share: 0.5, Method: gallery.FromLabels, Pairs: 1}
	if err := g.SaveThreshold(path, third); err != nil {
		t.Fatal(err)
	}
	if now := open(); len(now.Thresholds) != 3 {
		t.Errorf("%+v", now.Thresholds)
	}
	check()
	delete(files, "a/000.png")
	for path, f := range colours(t, 60) {
		files[path] = f
	}
	update(0)
	check()
	copied := filepath.Join(t.TempDir(), "copy.idx")
	if err := open().Save(copied); err != nil {
		t.Fatal(err)
	}
	path = copied
	check()

	g = open()
	db, err := bbolt.Open(path, 0o644, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SaveThreshold(path, first); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("beside another writer: %v", err)
	}
	check() // readers may
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Components replace the vectors in the index of a run that had been stopped.
func TestThresholdsOfOtherVectors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	d := new(pixels).describer()
	d.Components = 2
	d.Recipe = d.Recipe.Reading(picture.Options{})
	w, err := gallery.Write(path, d.head("photos"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	if err := cmp.Or(w.Note(d.head("photos")), w.Commit([]gallery.Row{{Entry: gallery.Entry{Path: "first.png"}, Vector: make([]float32, 3)}}, nil), w.End(nil)); err != nil {
		t.Fatal(err)
	}
	g, err := gallery.Open(path)
	if err != nil || g.PCA != nil {
		t.Fatalf("%+v, %v", g, err)
	}
	threshold := gallery.Threshold{Metric: "cosine", Distance: 0.1, Share: 0.01, Method: gallery.FromDistances}
	if err := g.SaveThreshold(path, threshold); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Update(t.Context(), path, folder(t, colours(t, 40)), "photos", d, Watch{}); err != nil {
		t.Fatal(err)
	}
	now, err := gallery.Open(path)
	if err != nil || now.PCA == nil || len(now.Thresholds) != 0 {
		t.Errorf("thresholds %v, %v", now.Thresholds, err)
	}
	if err := g.SaveThreshold(path, threshold); err == nil || !strings.Contains(err.Error(), "compute it again") {
		t.Errorf("of the vectors before: %v", err)
	}
}
