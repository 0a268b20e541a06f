package gallery

import (
	"errors"
	"os"
	"testing"
)

// What writes says that it cannot, and leaves the index as it is.
func TestReadOnly(t *testing.T) {
	path := kept(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	h := Head{Root: "photos", Recipe: g.Recipe, Width: 7}
	_, written := Write(path, h)
	_, rewritten := Rewrite(path, h)
	for name, err := range map[string]error{
		"Save":          g.Save(path),
		"SaveThreshold": g.SaveThreshold(path, Threshold{Metric: "euclidean", Method: FromLabels}),
		"Write":         written,
		"Rewrite":       rewritten,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the index is another one: %v", err)
	}
}
