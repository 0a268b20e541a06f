// Package results shows what a search has found: as a table, JSON or CSV, drawn as a
// sheet or a page, and as pictures in the terminal.
package results

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"strconv"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/lines"
	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/internal/words"
	"lookalike/knn"
)

// Result is what was found for a query.
type Result struct {
	Name    string         // of the query, for people
	Path    string         // of its file, "" if it has none of its own
	Picture thumbnail.Load // reads it; the error names it
	Hits    []lookalike.Hit

	// Likeness is how alike each hit is, in words; "" where no limits are known. It may be
	// nil.
	Likeness []string
}

// likeness is that of a hit.
func (r *Result) likeness(i int) string {
	if i < len(r.Likeness) {
		return r.Likeness[i]
	}
	return ""
}

// Found is what a search of an index has found.
type Found struct {
	Index   *lookalike.Index
	File    string // of the index
	Metric  knn.Metric
	K       *int     // how many were searched for, nil without a limit
	Within  *float64 // up to which distance, nil without a limit
	Results []Result

	Terminal *cli.Terminal // is told of what cannot be shown
}

// path is where the file of a picture is, for a person to read.
func (f *Found) path(h lookalike.Hit) string {
	return filepath.Join(f.Index.Root(), filepath.FromSlash(h.Path))
}

// Listing is what JSON prints.
type Listing struct {
	Index   string         `json:"index"`
	Root    string         `json:"root"` // the folder that paths are relative to
	Metric  string         `json:"metric"`
	K       *int           `json:"k"`      // null without a limit
	Within  *float64       `json:"within"` // null without a limit
	Results []ListedResult `json:"results"`
}

// ListedResult is what was found for a query.
type ListedResult struct {
	Query     string      `json:"query"`
	Neighbors []ListedHit `json:"neighbors"`
}

// ListedHit is a picture that was found.
type ListedHit struct {
	Rank     int     `json:"rank"`     // from 1
	Distance float64 `json:"distance"` // never rounded
	Likeness string  `json:"likeness"` // in words, "" where no limits are known
	Path     string  `json:"path"`     // relative to the folder that was indexed, with slashes
	Label    string  `json:"label"`    // the folder that the picture lies in, "" at the top
	ID       int     `json:"id"`       // row of the index, and of what export writes
	Width    int     `json:"width"`    // in pixels, upright
	Height   int     `json:"height"`
}

// Table prints the results for a person to read, with the pictures where they can be
// shown.
func (f *Found) Table(ctx context.Context, show *Shower) error {
	largest, likeness := 0.0, 0
	for _, r := range f.Results {
		for _, word := range r.Likeness {
			likeness = max(likeness, len(word))
		}
		for _, n := range r.Hits {
			largest = max(largest, math.Abs(n.Distance))
		}
	}
	digits, width := words.Decimals(largest), cli.Width(f.Terminal.Out.File)
	var b bytes.Buffer
	head := fmt.Sprintf("path; %s distance", f.Metric)
	if root := f.Index.Root(); root != "" {
		head = fmt.Sprintf("path, in %s; %s distance", words.Printable(root), f.Metric)
	}
	sizes := func(text string) string { // in a narrow terminal there is no room for sizes
		if width < cli.Narrow {
			return ""
		}
		return fmt.Sprintf("%10s  ", text)
	}
	alike := func(text string) string {
		if likeness == 0 || width < cli.Narrow {
			return ""
		}
		return fmt.Sprintf("%-*s", max(likeness, len("likeness"))+2, text)
	}
	left := width - len("rank  distance  ") - len(alike("")) - len(sizes(""))
	fmt.Fprintf(&b, "rank  distance  %s%s%s\n", alike("likeness"), sizes("size"), lines.Shorten(head, left))
	for _, r := range f.Results {
		if len(f.Results) > 1 {
			fmt.Fprintf(&b, "\n%s\n", lines.Shorten(words.Printable(r.Name), width))
		}
		if len(r.Hits) == 0 {
			fmt.Fprintf(&b, "   -         -  %s%snothing so near\n", alike("-"), sizes("-"))
		}
		for i, n := range r.Hits {
			fmt.Fprintf(&b, "%4d  %8.*f  %s%s%s\n", i+1, digits, n.Distance, alike(r.likeness(i)), sizes(words.Pixels(n.Width, n.Height)), lines.Shorten(words.Printable(n.Path), left))
		}
		if err := show.result(ctx, &b, f, r, digits); err != nil {
			return err
		}
		if _, err := b.WriteTo(f.Terminal.Out); err != nil {
			return err
		}
	}
	show.end(f.Terminal)
	return nil
}

// JSON prints the results for programs, as a Listing.
func (f *Found) JSON() error {
	all := Listing{Index: f.File, Root: f.Index.Root(), Metric: f.Metric.String(), K: f.K, Within: f.Within, Results: []ListedResult{}}
	for _, r := range f.Results {
		one := ListedResult{Query: r.Name, Neighbors: []ListedHit{}}
		for i, n := range r.Hits {
			one.Neighbors = append(one.Neighbors, ListedHit{i + 1, n.Distance, r.likeness(i), n.Path, n.Label, n.Row, n.Width, n.Height})
		}
		all.Results = append(all.Results, one)
	}
	return f.Terminal.PrintJSON(all)
}

// CSV prints a line for each picture that was found.
func (f *Found) CSV() error {
	w := csv.NewWriter(f.Terminal.Out)
	w.Write([]string{"query", "rank", "distance", "path", "label", "id", "width", "height"})
	for _, r := range f.Results {
		for i, n := range r.Hits {
			w.Write([]string{r.Name, strconv.Itoa(i + 1), strconv.FormatFloat(n.Distance, 'g', -1, 64), n.Path, n.Label, strconv.Itoa(n.Row), strconv.Itoa(n.Width), strconv.Itoa(n.Height)})
		}
	}
	w.Flush()
	return w.Error()
}

// Paths0 prints paths only, with a zero byte after each.
func (f *Found) Paths0() error {
	var b bytes.Buffer
	for _, r := range f.Results {
		for _, h := range r.Hits {
			b.WriteString(f.path(h) + "\x00")
		}
	}
	_, err := f.Terminal.Out.Write(b.Bytes())
	return err
}
