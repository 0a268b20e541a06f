// Package kerastest opens what Keras computed, testdata/keras, for the tests of
// packages that lie at the top of this module. The makers are beside the files.
package kerastest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"lookalike/tensor"
	"lookalike/weights"
)

func path(name string) string { return filepath.Join("..", "testdata", "keras", name) }

// Open opens a file of arrays, until the test ends.
func Open(t testing.TB, name string) *weights.File {
	t.Helper()
	return OpenFile(t, path(name))
}

// OpenFile is Open for a file that lies elsewhere.
func OpenFile(t testing.TB, path string) *weights.File {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Tensor reads an array.
func Tensor(t testing.TB, f *weights.File, name string) *tensor.Tensor {
	t.Helper()
	v, err := f.Tensor(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// JSON reads a file of JSON.
func JSON(t testing.TB, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(path(name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}

// Summary returns Keras's summary of a model, in lines of 80 characters.
func Summary(t testing.TB, model string) string {
	t.Helper()
	var file struct {
		Models map[string]struct {
			Text string `json:"text_80"`
		}
	}
	JSON(t, "summaries.json", &file)
	text := file.Models[model].Text
	if text == "" {
		t.Fatalf("there is no summary of a model %q", model)
	}
	return text
}
