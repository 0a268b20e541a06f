//go:build !wasm

package gallery

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

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
	open := func() *Gallery {
		t.Helper()
		g, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	update(0)
	g := open()
	estimate := 0.012
	first := Threshold{Metric: "euclidean", Distance: 0.25, Share: 0.01, Estimate: &estimate, Method: FromLabels, Pairs: 780, Pictures: 40}
	second := Threshold{Metric: "cosine", Distance: -1, Share: 0, Method: FromDistances, Pairs: 780, Pictures: 40}
	for _, threshold := range []Threshold{{Metric: "euclidean", Distance: 9, Share: 1, Method: FromLabels}, second, first} {
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
	third := Threshold{Metric: "cosine", Distance: 1, Share: 0.5, Method: FromLabels, Pairs: 1}
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

	w, g, err := openWriter(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.SaveThreshold(path, first); err == nil || !strings.Contains(err.Error(), "another run") {
		t.Errorf("beside another writer: %v", err)
	}
	check() // readers may
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
}

// Components replace the vectors in the index of a run that had been stopped.
func TestThresholdsOfOtherVectors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	d := new(pixels).describer()
	d.Components = 2
	d.Recipe = d.Recipe.Reading(picture.Options{})
	g := example(0, 3)
	g.Recipe = d.Recipe
	if err := create(path, state{Root: "photos", Recipe: d.Recipe, Width: 3, Components: 2}, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	threshold := Threshold{Metric: "cosine", Distance: 0.1, Share: 0.01, Method: FromDistances}
	if err := g.SaveThreshold(path, threshold); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Update(t.Context(), path, folder(t, colours(t, 40)), "photos", d, Watch{}); err != nil {
		t.Fatal(err)
	}
	now, err := Open(path)
	if err != nil || now.PCA == nil || len(now.Thresholds) != 0 {
		t.Errorf("thresholds %v, %v", now.Thresholds, err)
	}
	if err := g.SaveThreshold(path, threshold); err == nil || !strings.Contains(err.Error(), "compute it again") {
		t.Errorf("of the vectors before: %v", err)
	}
}

func TestThresholdRefuses(t *testing.T) {
	g := example(5, 3)
	path := save(t, g)
	good := Threshold{Metric: "cosine", Distance: 0.1, Share: 0.01, Method: FromLabels}
	for want, change := range map[string]func(*Threshold){
		"no metric":        func(t *Threshold) { t.Metric = "" },
		"threshold of NaN": func(t *Threshold) { t.Distance = math.NaN() },
		"threshold of +In": func(t *Threshold) { t.Distance = math.Inf(1) },
		"share of NaN":     func(t *Threshold) { t.Share = math.NaN() },
		"share of 2":       func(t *Threshold) { t.Share = 2 },
		`by "luck"`:        func(t *Threshold) { t.Method = "luck" },
	} {
		bad := good
		change(&bad)
		if err := g.SaveThreshold(path, bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		g.Thresholds = []Threshold{bad}
		if err := g.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := g.SaveThreshold(filepath.Join(t.TempDir(), "none.idx"), good); err == nil {
		t.Error("no error without an index")
	}
}
