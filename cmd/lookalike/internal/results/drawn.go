package results

import (
	"context"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/cmd/lookalike/internal/webpage"
	"lookalike/describe"
	"lookalike/internal/atomicfile"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/knn"
)

const (
	// Columns is the query with five neighbours, the default, in one row.
	// More pictures are spread evenly over several.
	Columns = 6

	// sheetMost is how many pictures a sheet may have: about 300 MB in memory.
	sheetMost = 3000
)

// Longest returns how many pictures the largest of a sheet's groups has. More in
// all than a sheet may have are an error.
func Longest(groups []int) (longest int, err error) {
	total := 0
	for _, n := range groups {
		total += n
		longest = max(longest, n)
	}
	if total > sheetMost {
		return 0, fmt.Errorf("%d pictures are too many for a sheet, which has at most %d; write a page with --html, or show fewer", total, sheetMost)
	}
	return longest, nil
}

// Sheet draws each query and the pictures found for it. One that cannot be
// read any more is reported and shown as a grey square.
func (f *Found) Sheet(ctx context.Context, path string) error {
	sizes := make([]int, len(f.Results))
	for i, r := range f.Results {
		sizes[i] = 1 + len(r.Hits)
	}
	longest, err := Longest(sizes)
	if err != nil {
		return err
	}
	var lists [][]sheet.Cell
	var names []string
	for _, r := range f.Results {
		small, errs, err := f.thumbnails(ctx, r, 4*sheet.DefaultHeight, sheet.DefaultHeight)
		if err != nil {
			return err
		}
		var cells []sheet.Cell
		for i, m := range small {
			cell := sheet.Cell{Title: "Original image", Name: words.Printable(filepath.Base(r.Name))}
			if i > 0 {
				n := r.Hits[i-1]
				cell = sheet.Cell{Title: fmt.Sprintf("%d: Dist=%.3f", i, n.Distance), Name: words.Printable(n.Path), Note: r.likeness(i - 1)}
			}
			names = append(names, cell.Name)
			if m != nil {
				cell.Image = m
			}
			if errs[i] != nil {
				f.Terminal.NotDrawn("on the sheet", errs[i])
			}
			cells = append(cells, cell)
		}
		lists = append(lists, cells)
	}
	rows := (longest + Columns - 1) / Columns
	err = sheet.Write(path, sheet.Rows(lists, sheet.Options{Columns: (longest + rows - 1) / rows}))
	if err == nil {
		f.Terminal.Undrawn(sheet.Undrawn(names...))
		f.Terminal.Wrote(path, f.size())
	}
	return err
}

// size is how much was found, in words.
func (f *Found) size() string {
	n := 0
	for _, r := range f.Results {
		n += len(r.Hits)
	}
	return fmt.Sprintf("%s for %s", words.Count(n, "picture"), words.Count(len(f.Results), "query"))
}

// thumbnails reads a query's picture and those found for it, in that order.
// What cannot be read is nil and has an error that names it.
func (f *Found) thumbnails(ctx context.Context, r Result, width, height int) ([]*image.RGBA, []error, error) {
	rows := make([]int, len(r.Hits))
	for i, n := range r.Hits {
		rows[i] = n.Row
	}
	small, errs, err := thumbnail.OfIndex(ctx, f.Index, rows, width, height)
	if err != nil {
		return nil, nil, err
	}
	for i, err := range errs {
		if err != nil {
			errs[i] = fmt.Errorf("%s: %w", words.Printable(f.path(r.Hits[i])), err)
		}
	}
	m, err := r.Picture(image.Pt(width, height))
	if err != nil {
		return slices.Insert(small, 0, nil), slices.Insert(errs, 0, err), nil
	}
	return slices.Insert(small, 0, thumbnail.Fit(m, width, height)), slices.Insert(errs, 0, nil), nil
}

// Page writes the results as a page, query by query, made by this version of the program.
func (f *Found) Page(ctx context.Context, path, version string) error {
	recipe, err := f.Index.Recipe()
	if err != nil {
		return err
	}
	p := webpage.Page{
		Title: "Pictures like " + words.Printable(f.Results[0].Name),
		Facts: []webpage.Fact{{Name: "Index", Value: f.File}, {Name: "Pictures", Value: strconv.Itoa(f.Index.Len())}, {Name: "Folder", Value: f.Index.Root()},
			{Name: "Described by", Value: describe.Words(recipe)}, {Name: "Distance", Value: f.Metric.String()}},
		Groups: func(yield func(webpage.Group, error) bool) {
			for _, r := range f.Results {
				cards, err := f.cards(ctx, r)
				g := webpage.Group{Title: words.Printable(r.Name), Note: words.Count(len(r.Hits), "picture") + " found", Cards: cards}
				if len(f.Results) == 1 {
					g.Title = ""
				}
				if !yield(g, err) || err != nil {
					return
				}
			}
		},
		Foot: "Made by lookalike " + version + ". The number below each picture is its distance from the query.",
	}
	if len(f.Results) > 1 {
		p.Title = fmt.Sprintf("Similar pictures for %d queries", len(f.Results))
	}
	err = atomicfile.Write(path, func(w io.Writer) error { return webpage.Write(w, p) })
	if err == nil {
		f.Terminal.Wrote(path, f.size())
	}
	return err
}

// cards shows a query and the pictures found for it.
func (f *Found) cards(ctx context.Context, r Result) ([]webpage.Card, error) {
	digits := 3
	if f.Metric == knn.Cosine {
		digits = 4
	}
	small, errs, err := f.thumbnails(ctx, r, webpage.Side, webpage.Side)
	if err != nil {
		return nil, err
	}
	var cards []webpage.Card
	for i, m := range small {
		card := webpage.Card{Name: words.Printable(filepath.Base(r.Name)), Badge: "query", Lead: true, Link: r.Path}
		if i > 0 {
			n := r.Hits[i-1]
			card = webpage.Card{Name: words.Printable(n.Path), Note: fmt.Sprintf("%d × %d", n.Width, n.Height), Badge: fmt.Sprintf("%.*f", digits, n.Distance), Link: f.path(n)}
			if word := r.likeness(i - 1); word != "" {
				card.Badge += ", " + word
			}
		}
		if m != nil {
			card.Picture = m
		}
		if errs[i] != nil {
			f.Terminal.NotDrawn("on the page", errs[i])
			card.Missing, card.Link = "cannot be read", ""
		}
		cards = append(cards, card)
	}
	return cards, nil
}
