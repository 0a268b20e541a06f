package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/lines"
	"lookalike/internal/words"
	"lookalike/knn"
)

// found is what search prints with --json.
type found struct {
	Index   string        `json:"index"`
	Root    string        `json:"root"` // the folder that paths are relative to
	Metric  string        `json:"metric"`
	K       *int          `json:"k"`      // null without a limit
	Within  *float64      `json:"within"` // null without a limit
	Results []foundResult `json:"results"`
}

type foundResult struct {
	Query     string          `json:"query"`
	Neighbors []foundNeighbor `json:"neighbors"`
}

type foundNeighbor struct {
	Rank     int     `json:"rank"`     // from 1
	Distance float64 `json:"distance"` // never rounded
	Path     string  `json:"path"`     // relative to the folder that was indexed, with slashes
	Label    string  `json:"label"`    // the folder that the picture lies in, "" at the top
	ID       int     `json:"id"`       // row of the index, and of what export writes
	Width    int     `json:"width"`    // in pixels, upright
	Height   int     `json:"height"`
}

// printTable prints the results for a person to read, with the pictures where they
// can be shown.
func printTable(ctx context.Context, t *cli.Terminal, c *collection, results []result, metric knn.Metric, show *shower) error {
	largest := 0.0
	for _, r := range results {
		for _, n := range r.neighbors {
			largest = max(largest, math.Abs(n.Distance))
		}
	}
	digits, width := words.Decimals(largest), cli.Width(t.Out.File)
	var b bytes.Buffer
	head := fmt.Sprintf("path; %s distance", metric)
	if c.root != "" {
		head = fmt.Sprintf("path, in %s; %s distance", words.Printable(c.root), metric)
	}
	sizes := func(text string) string { // in a narrow terminal there is no room for sizes
		if width < cli.Narrow {
			return ""
		}
		return fmt.Sprintf("%10s  ", text)
	}
	left := width - len("rank  distance  ") - len(sizes(""))
	fmt.Fprintf(&b, "rank  distance  %s%s\n", sizes("size"), lines.Shorten(head, left))
	for _, r := range results {
		if len(results) > 1 {
			fmt.Fprintf(&b, "\n%s\n", lines.Shorten(words.Printable(r.name), width))
		}
		if len(r.neighbors) == 0 {
			fmt.Fprintf(&b, "   -         -  %snothing so near\n", sizes("-"))
		}
		for i, n := range r.neighbors {
			fmt.Fprintf(&b, "%4d  %8.*f  %s%s\n", i+1, digits, n.Distance, sizes(words.Pixels(n.Width, n.Height)), lines.Shorten(words.Printable(n.Path), left))
		}
		if err := show.result(ctx, &b, r, digits); err != nil {
			return err
		}
		if _, err := b.WriteTo(t.Out); err != nil {
			return err
		}
	}
	show.end()
	return nil
}

func printFound(t *cli.Terminal, c *collection, results []result, metric knn.Metric, o searchOptions) error {
	f := found{Index: c.file, Root: c.root, Metric: metric.String(), Results: []foundResult{}}
	if o.limited() {
		f.K = &o.k
	}
	if o.within.Given() {
		f.Within = (*float64)(&o.within)
	}
	for _, r := range results {
		one := foundResult{Query: r.name, Neighbors: []foundNeighbor{}}
		for i, n := range r.neighbors {
			one.Neighbors = append(one.Neighbors, foundNeighbor{i + 1, n.Distance, n.Path, n.Label, n.Row, n.Width, n.Height})
		}
		f.Results = append(f.Results, one)
	}
	return t.PrintJSON(f)
}

func printCSV(out io.Writer, results []result) error {
	w := csv.NewWriter(out)
	w.Write([]string{"query", "rank", "distance", "path", "label", "id", "width", "height"})
	for _, r := range results {
		for i, n := range r.neighbors {
			w.Write([]string{r.name, strconv.Itoa(i + 1), strconv.FormatFloat(n.Distance, 'g', -1, 64), n.Path, n.Label, strconv.Itoa(n.Row), strconv.Itoa(n.Width), strconv.Itoa(n.Height)})
		}
	}
	w.Flush()
	return w.Error()
}
