package main

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"lookalike/cmd/lookalike/internal/results"
	"lookalike/knn/retrieval"
)

// What --json prints has exactly the documented keys, and is what searches find.
func TestEvalJSON(t *testing.T) {
	photos := drawn(t, 3)
	dir := filepath.Dir(photos)
	model, index := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "photos.idx")
	trained(t, model)
	printed(t, "index", photos, "-o", index, "--model", model, "--quiet")
	out := []byte(printed(t, "eval", index, "--json", "--quiet"))

	var got struct {
		Index string
		retrieval.Report
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	var top map[string]any
	if err := json.Unmarshal(out, &top); err != nil {
		t.Fatal(err)
	}
	quality := []string{"precision_at_1", "precision_at_5", "precision_at_10", "recall_at_1", "recall_at_5", "recall_at_10", "mean_average_precision"}
	wantKeys(t, top, append(quality, "index", "pictures", "metric", "classes", "confusion")...)
	if got.Index != index || got.Pictures != 30 || got.Metric != "euclidean" || len(got.Classes) != 10 || len(got.Confusion) != 10 {
		t.Fatalf("got %s", out)
	}

	// Precision at 1 of one class, by search: the second found, after the picture
	// itself.
	hits, class := 0, got.Classes[3]
	pictures, err := filepath.Glob(filepath.Join(photos, class.Label, "*.png"))
	if err != nil || len(pictures) != 3 {
		t.Fatal(err, pictures)
	}
	for _, query := range pictures {
		var f results.Listing
		if err := json.Unmarshal([]byte(printed(t, "search", index, query, "--json", "-k", "2")), &f); err != nil {
			t.Fatal(err)
		}
		if f.Results[0].Neighbors[1].Label == class.Label {
			hits++
		}
	}
	if !(math.Abs(class.PrecisionAt1-float64(hits)/3) <= 1e-12) {
		t.Errorf("precision at 1 of %s is %v, searches found %d of 3", class.Label, class.PrecisionAt1, hits)
	}
}
