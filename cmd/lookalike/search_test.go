package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/results"
	"lookalike/gallery"
	"lookalike/picture"
)

// What --json prints has exactly the documented keys, and is what a plain loop
// finds.
func TestSearchJSON(t *testing.T) {
	photos := drawn(t, 3)
	dir := filepath.Dir(photos)
	model, index := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "photos.idx")
	trained(t, model)
	printed(t, "index", photos, "-o", index, "--model", model, "--quiet")
	query := filepath.Join(photos, "planets", "planets-02.png")
	out := []byte(printed(t, "search", index, query, "--json", "-k", "4", "--include-self"))

	var keys struct {
		Results []struct{ Neighbors []map[string]any }
	}
	var top map[string]any
	if err := json.Unmarshal(out, &top); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &keys); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, top, "index", "root", "metric", "k", "within", "results")
	wantKeys(t, top["results"].([]any)[0].(map[string]any), "query", "neighbors")
	for _, n := range keys.Results[0].Neighbors {
		wantKeys(t, n, "rank", "distance", "likeness", "path", "label", "id", "width", "height")
	}
	var got results.Listing
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Index != index || got.Root != photos || *got.K != 4 || got.Within != nil || got.Metric != "euclidean" ||
		len(got.Results) != 1 || got.Results[0].Query != query || len(got.Results[0].Neighbors) != 4 {
		t.Fatalf("got %s", out)
	}

	m, err := autoencoder.Load(model)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gallery.Open(index)
	if err != nil {
		t.Fatal(err)
	}
	p, err := picture.File(query, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code, err := m.Encode(t.Context(), autoencoder.Pictures{p})
	if err != nil {
		t.Fatal(err)
	}
	distances := make([]float64, len(g.Entries))
	rows := make([]int, len(g.Entries))
	for i := range rows {
		rows[i] = i
		for j, v := range g.Vectors.Row(i) {
			d := float64(v) - float64(code.Row(0)[j])
			distances[i] += d * d
		}
		distances[i] = math.Sqrt(distances[i])
	}
	slices.SortStableFunc(rows, func(a, b int) int {
		if distances[a] < distances[b] {
			return -1
		}
		return 1
	})
	for i, n := range got.Results[0].Neighbors {
		e := g.Entries[rows[i]]
		if n.Rank != i+1 || n.ID != rows[i] || n.Path != e.Path || n.Label != e.Label || n.Width != e.Width || n.Height != e.Height || !(math.Abs(n.Distance-distances[rows[i]]) <= 1e-12*n.Distance) {
			t.Errorf("neighbour %d is %+v, want %v at %v", i, n, e, distances[rows[i]])
		}
	}
	if first := got.Results[0].Neighbors[0]; first.Path != "planets/planets-02.png" || first.Label != "planets" {
		t.Errorf("a picture of the index is not its own nearest neighbour but %+v", first)
	}
}

func wantKeys(t *testing.T, object map[string]any, want ...string) {
	t.Helper()
	if len(object) != len(want) {
		t.Errorf("keys of %v, want %q", object, want)
	}
	for _, key := range want {
		if _, ok := object[key]; !ok {
			t.Errorf("no %q in %v", key, object)
		}
	}
}

// Pictures are set upright by default and left as stored on demand; a search
// follows the index.
func TestSearchOrientation(t *testing.T) {
	// A picture whose EXIF says that it lies on its side, and the same pixels
	// without.
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	if err := draw(photos, 1); err != nil {
		t.Fatal(err)
	}
	plain := jpegOf(t, filepath.Join(photos, "sunset", "sunset-01.png"))
	turned := withOrientation(plain, 6)
	for name, data := range map[string][]byte{"plain.jpg": plain, "turned.jpg": turned} {
		if err := os.WriteFile(filepath.Join(photos, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	model := filepath.Join(dir, "m.safetensors")
	trained(t, model)
	distance := func(flags ...string) float64 {
		index := filepath.Join(dir, "photos.idx")
		printed(t, append([]string{"index", photos, "-o", index, "--model", model, "--quiet", "--fresh"}, flags...)...)
		var got results.Listing
		out := printed(t, "search", index, filepath.Join(photos, "turned.jpg"), "--json", "-k", "99")
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		byPath := map[string]float64{}
		for _, n := range got.Results[0].Neighbors {
			byPath[n.Path] = n.Distance
		}
		if d := byPath["turned.jpg"]; !(d < 1e-4) {
			t.Errorf("%v: the picture itself is at distance %v", flags, d)
		}
		return byPath["plain.jpg"]
	}
	if d := distance(); !(d > 1e-2) {
		t.Errorf("orientation applied: a turned picture is at distance %v from the plain one", d)
	}
	if d := distance("--ignore-orientation"); !(d < 1e-4) {
		t.Errorf("orientation ignored: the same pixels are at distance %v", d)
	}
}
