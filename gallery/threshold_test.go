//go:build !wasm

package gallery

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
)

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
