package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/cmd/lookalike/internal/webpage"
	"lookalike/describe"
	"lookalike/internal/atomicfile"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/knn"
)

// drawResults writes the sheet and the page.
func drawResults(ctx context.Context, t *cli.Terminal, c *collection, results []result, metric knn.Metric, o searchOptions) error {
	if o.sheet != "" {
		if err := writeSheet(ctx, t, o.sheet, c, results); err != nil {
			return err
		}
	}
	if o.html != "" {
		return writePage(ctx, t, o.html, c, results, metric)
	}
	return nil
}

// writeSheet draws each query and the pictures found for it. One that cannot be
// read any more is reported and shown as a grey square.
func writeSheet(ctx context.Context, t *cli.Terminal, path string, c *collection, results []result) error {
	sizes := make([]int, len(results))
	for i, r := range results {
		sizes[i] = 1 + len(r.neighbors)
	}
	longest, err := longestOf(sizes)
	if err != nil {
		return err
	}
	var lists [][]sheet.Cell
	for _, r := range results {
		small, errs, err := resultThumbnails(ctx, c, r, 4*sheet.DefaultHeight, sheet.DefaultHeight)
		if err != nil {
			return err
		}
		var cells []sheet.Cell
		for i, m := range small {
			cell := sheet.Cell{Title: "Original image"}
			if i > 0 {
				cell.Title = fmt.Sprintf("Dist=%.3f", r.neighbors[i-1].Distance)
			}
			if m != nil {
				cell.Image = m
			}
			if errs[i] != nil {
				notDrawn(t, "on the sheet", errs[i])
			}
			cells = append(cells, cell)
		}
		lists = append(lists, cells)
	}
	rows := (longest + sheetColumns - 1) / sheetColumns
	return sheet.Write(path, sheet.Rows(lists, sheet.Options{Columns: (longest + rows - 1) / rows}))
}

// resultThumbnails reads a query's picture and those found for it, in that order.
// What cannot be read is nil and has an error that names it.
func resultThumbnails(ctx context.Context, c *collection, r result, width, height int) ([]*image.RGBA, []error, error) {
	rows := make([]int, len(r.neighbors))
	for i, n := range r.neighbors {
		rows[i] = n.Row
	}
	small, errs, err := c.thumbnails(ctx, rows, width, height)
	if err != nil {
		return nil, nil, err
	}
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("%s: %w", words.Printable(c.path(rows[i])), err)
		}
	}
	o := c.Recipe.Options()
	o.Thumbnail = image.Pt(width, height)
	m, err := r.picture(o)
	if err != nil {
		return slices.Insert(small, 0, nil), slices.Insert(errs, 0, err), nil
	}
	return slices.Insert(small, 0, thumbnail.Fit(m, width, height)), slices.Insert(errs, 0, nil), nil
}

// writePage writes the results as a page, query by query.
func writePage(ctx context.Context, t *cli.Terminal, path string, c *collection, results []result, metric knn.Metric) error {
	p := webpage.Page{
		Title: "Pictures like " + words.Printable(results[0].name),
		Facts: []webpage.Fact{{Name: "Index", Value: c.file}, {Name: "Pictures", Value: strconv.Itoa(len(c.Entries))}, {Name: "Folder", Value: c.root},
			{Name: "Described by", Value: describe.Words(c.Recipe)}, {Name: "Distance", Value: metric.String()}},
		Groups: func(yield func(webpage.Group, error) bool) {
			for _, r := range results {
				cards, err := resultCards(ctx, t, c, r, metric)
				g := webpage.Group{Title: words.Printable(r.name), Note: words.Count(len(r.neighbors), "picture") + " found", Cards: cards}
				if len(results) == 1 {
					g.Title = ""
				}
				if !yield(g, err) || err != nil {
					return
				}
			}
		},
		Foot: "Made by lookalike " + version() + ". The number on each picture is its distance from the query.",
	}
	if len(results) > 1 {
		p.Title = fmt.Sprintf("What is like each of %d pictures", len(results))
	}
	return atomicfile.Write(path, func(w io.Writer) error { return webpage.Write(w, p) })
}

// resultCards shows a query and the pictures found for it.
func resultCards(ctx context.Context, t *cli.Terminal, c *collection, r result, metric knn.Metric) ([]webpage.Card, error) {
	digits := 3
	if metric == knn.Cosine {
		digits = 4
	}
	small, errs, err := resultThumbnails(ctx, c, r, webpage.Side, webpage.Side)
	if err != nil {
		return nil, err
	}
	var cards []webpage.Card
	for i, m := range small {
		card := webpage.Card{Name: words.Printable(filepath.Base(r.name)), Badge: "query", Lead: true, Link: r.path}
		if i > 0 {
			n := r.neighbors[i-1]
			card = webpage.Card{Name: words.Printable(n.Path), Note: fmt.Sprintf("%d × %d", n.Width, n.Height), Badge: fmt.Sprintf("%.*f", digits, n.Distance), Link: c.path(n.Row)}
		}
		if m != nil {
			card.Picture = m
		}
		if errs[i] != nil {
			notDrawn(t, "on the page", errs[i])
			card.Missing, card.Link = "cannot be read", ""
		}
		cards = append(cards, card)
	}
	return cards, nil
}
