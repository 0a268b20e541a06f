package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/sample"
	"lookalike/knn"
	"lookalike/picture"
)

// searched is a search of a small index for its first picture; printed tells what has been
// written by then, and warned what has been warned of.
func searched(t *testing.T) (f *Found, printed, warned func() string) {
	t.Helper()
	dir := t.TempDir()
	photos, index := filepath.Join(dir, "photos"), filepath.Join(dir, "photos.idx")
	for p := range sample.Gallery(1, 1, 32) {
		path := filepath.Join(photos, p.Class, p.Name+".png")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(out, p.Image), out.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := lookalike.Update(t.Context(), index, []string{photos}, lookalike.Perceptual()); err != nil {
		t.Fatal(err)
	}
	x, err := lookalike.Open(index)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	hits, err := x.Search(t.Context(), lookalike.Row(0), 3)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) (*os.File, func() string) {
		out, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out.Close() })
		return out, func() string {
			text, err := os.ReadFile(out.Name())
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	out, printed := file("out")
	warnings, warned := file("err")
	terminal := &cli.Terminal{Out: &cli.Output{File: out}, Err: warnings, Hint: func(error) string { return "; a hint" }}
	k := 3
	f = &Found{Index: x, File: index, Metric: knn.Euclidean, K: &k, Terminal: terminal, Results: []Result{{
		Name: "index:0", Picture: func(box image.Point) (*picture.Image, error) { return x.Load(0, box) }, Hits: hits,
		Likeness: []string{"the same picture", "nearly the same", "less alike"},
	}}}
	return f, printed, warned
}

// The same hits are printed in each form.
func TestPrinted(t *testing.T) {
	f, printed, _ := searched(t)
	before := 0
	rest := func() string {
		all := printed()
		defer func() { before = len(all) }()
		return all[before:]
	}
	for name, print := range map[string]func() error{
		"table": func() error { return f.Table(t.Context(), NewShower(f.Terminal, "none", true)) },
		"JSON":  f.JSON, "CSV": f.CSV, "paths": f.Paths0,
	} {
		if err := print(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := rest()
		for i, h := range f.Results[0].Hits {
			want := map[string]string{
				"table": f.Results[0].Likeness[i],
				"CSV":   fmt.Sprintf("index:0,%d,", i+1),
				"paths": filepath.Join(f.Index.Root(), filepath.FromSlash(h.Path)) + "\x00",
			}[name]
			if !strings.Contains(text, want) || !strings.Contains(text, h.Path) {
				t.Errorf("%s: no %q and %s in %q", name, want, h.Path, text)
			}
		}
		if name != "JSON" {
			continue
		}
		var l Listing
		if err := json.Unmarshal([]byte(text), &l); err != nil || *l.K != 3 || l.Within != nil || l.Root != f.Index.Root() || len(l.Results) != 1 {
			t.Errorf("%+v, %v", l, err)
		}
		for i, n := range l.Results[0].Neighbors {
			h := f.Results[0].Hits[i]
			if n != (ListedHit{i + 1, h.Distance, f.Results[0].Likeness[i], h.Path, h.Label, h.Row, h.Width, h.Height}) {
				t.Errorf("%+v is listed as %+v", h, n)
			}
		}
	}
}

// A sheet and a page are drawn; pictures that are gone by then are reported, with a hint, and counted.
func TestDrawn(t *testing.T) {
	f, _, warned := searched(t)
	sheet, page := filepath.Join(t.TempDir(), "sheet.png"), filepath.Join(t.TempDir(), "page.html")
	draw := func() {
		t.Helper()
		if err := errors.Join(f.Sheet(t.Context(), sheet), f.Page(t.Context(), page, "1.0")); err != nil {
			t.Fatal(err)
		}
	}
	draw()
	if text, err := os.ReadFile(page); err != nil || strings.Count(string(text), "data:image/jpeg") < 4 || !strings.Contains(string(text), "lookalike 1.0") {
		t.Errorf("a page of %d bytes, %v", len(text), err)
	}
	if f.Terminal.Skipped > 0 || !strings.Contains(warned(), "sheet.png: 3 pictures for 1 query") || !strings.Contains(warned(), "page.html: 3 pictures for 1 query") {
		t.Errorf("%d skipped: %s", f.Terminal.Skipped, warned())
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), ", nearly the same") {
		t.Errorf("no words beside the distances, %v", err)
	}
	gone := f.Results[0].Hits[2]
	if err := os.Remove(f.path(gone)); err != nil {
		t.Fatal(err)
	}
	draw()
	if text := strings.Join(strings.Fields(warned()), " "); f.Terminal.Skipped != 2 || !strings.Contains(text, "not on the sheet: "+f.path(gone)) || !strings.Contains(text, "not on the page: "+f.path(gone)) || !strings.Contains(text, "; a hint") {
		t.Errorf("%d skipped: %s", f.Terminal.Skipped, text)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "cannot be read") {
		t.Errorf("the page does not say what is missing, %v", err)
	}
}

// More pictures than a sheet may have are refused before any is read.
func TestLongest(t *testing.T) {
	if n, err := Longest([]int{2, 7, 3}); n != 7 || err != nil {
		t.Error(n, err)
	}
	if _, err := Longest([]int{sheetMost, 1}); err == nil {
		t.Error("too many are no error")
	}
}
