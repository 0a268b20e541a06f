package exchange

import (
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lookalike/gallery"
	"lookalike/gallery/internal/gallerytest"
	"lookalike/weights"
)

// Every format gives back what the index holds.
func TestExport(t *testing.T) {
	g := gallerytest.Example(5, 3)
	g.Entries[1].Label = "a \"b\", c\nd"
	dir := t.TempDir()
	export := func(name string) string {
		path := filepath.Join(dir, name)
		if err := Export(g, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, name := range []string{"a.npz", "a.safetensors", "a.npy"} {
		f, err := weights.Open(export(name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		v, err := f.Tensor(f.Names()[0])
		if err != nil || !slices.Equal(v.Shape(), []int{5, 3}) || !slices.Equal(v.Data(), g.Vectors.Data()) {
			t.Errorf("%s: vectors %v, %v", name, v, err)
		}
		switch name {
		case "a.npz":
			if labels, err := f.Texts("labels"); err != nil || labels[1] != g.Entries[1].Label {
				t.Errorf("labels %q, %v", labels, err)
			}
		case "a.safetensors":
			var entries []gallery.Entry
			if err := json.Unmarshal([]byte(f.Metadata()["entries"]), &entries); err != nil || !slices.Equal(entries, g.Entries) {
				t.Errorf("entries %v, %v", entries, err)
			}
		}
	}

	f, err := os.Open(export("a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) != 6 || strings.Join(lines[0], " ") != "path label width height size modified sha256 v0 v1 v2" {
		t.Fatal(lines, err)
	}
	text, err := os.ReadFile(export("a.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(text)))
	for i, e := range g.Entries {
		line := lines[i+1]
		modified := ""
		if i > 0 {
			modified = g.Files[i].Modified.Format(time.RFC3339Nano)
		}
		want := []string{e.Path, e.Label, strconv.Itoa(e.Width), strconv.Itoa(e.Height), strconv.Itoa(i), modified, hex.EncodeToString(g.Files[i].SHA256[:])}
		if !slices.Equal(line[:7], want) {
			t.Errorf("line %q, want %q", line, want)
		}
		for j, v := range g.Vectors.Row(i) {
			if got, err := strconv.ParseFloat(line[7+j], 32); err != nil || float32(got) != v {
				t.Errorf("value %d of line %d is %v, want %v", j, i, line[7+j], v)
			}
		}
		var got exported
		if err := dec.Decode(&got); err != nil || !reflect.DeepEqual(got, exportedOf(g, i)) {
			t.Errorf("object %+v, want %+v (%v)", got, exportedOf(g, i), err)
		}
	}
	if err := Export(g, filepath.Join(dir, "a.txt")); err == nil || !strings.Contains(err.Error(), ".jsonl") {
		t.Errorf("an unknown format: %v", err)
	}
}
