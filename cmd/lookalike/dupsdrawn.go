package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"os"

	"lookalike"
	"lookalike/cmd/lookalike/internal/results"
	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/cmd/lookalike/internal/webpage"
	"lookalike/describe"
	"lookalike/internal/atomicfile"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/picture"
)

// drawGroups writes the sheet and the page. Pictures that have been moved are shown
// from where they are now.
func (a *app) drawGroups(ctx context.Context, c *collection, groups []lookalike.Group, d *dupsFound, o dupsOptions) error {
	if o.sheet != "" {
		if err := a.writeGroupSheet(ctx, o.sheet, c, groups, d); err != nil {
			return err
		}
	}
	if o.html != "" {
		return a.writeGroupPage(ctx, o.html, c, groups, d)
	}
	return nil
}

func (a *app) writeGroupSheet(ctx context.Context, path string, c *collection, groups []lookalike.Group, d *dupsFound) error {
	sizes := make([]int, len(groups))
	for i, g := range groups {
		sizes[i] = 1 + len(g.Others)
	}
	longest, err := results.Longest(sizes)
	if err != nil {
		return err
	}
	var lists [][]sheet.Cell
	var names []string
	for i := range groups {
		cards, err := a.groupCards(ctx, c, groups[i], d, i, 4*sheet.DefaultHeight, sheet.DefaultHeight)
		if err != nil {
			return err
		}
		var cells []sheet.Cell
		for _, card := range cards {
			cells = append(cells, sheet.Cell{Image: card.Picture, Title: card.Badge, Name: card.Name, Note: card.Note})
			names = append(names, card.Name)
		}
		lists = append(lists, cells)
	}
	err = sheet.Write(path, sheet.Rows(lists, sheet.Options{Columns: min(longest, 2*results.Columns)}))
	if err == nil {
		a.Undrawn(sheet.Undrawn(names...))
		a.Wrote(path, words.Count(len(groups), "group"))
	}
	return err
}

func (a *app) writeGroupPage(ctx context.Context, path string, c *collection, groups []lookalike.Group, d *dupsFound) error {
	duplicates, freed := d.size()
	p := webpage.Page{
		Title: fmt.Sprintf("%s of near duplicates", words.Count(len(groups), "group")),
		Lead:  fmt.Sprintf("%s of %s, among %s", words.Count(duplicates, "duplicate"), words.Bytes(freed), d.among(c.root)),
		Facts: []webpage.Fact{{Name: "Described by", Value: describe.Words(c.Recipe)}, {Name: "Distance", Value: d.Metric}},
		Foot:  "Made by lookalike " + version() + ". The number below each picture is its distance from the best copy of its group.",
		Groups: func(yield func(webpage.Group, error) bool) {
			for i := range groups {
				cards, err := a.groupCards(ctx, c, groups[i], d, i, webpage.Side, webpage.Side)
				g := webpage.Group{Title: words.Printable(d.Groups[i].Best.Path), Note: words.Count(len(groups[i].Others), "duplicate"), Cards: cards}
				if !yield(g, err) || err != nil {
					return
				}
			}
		},
	}
	if d.Within != nil {
		p.Facts = append(p.Facts, webpage.Fact{Name: "At most", Value: fmt.Sprintf("%.4g", *d.Within)})
	}
	err := atomicfile.Write(path, func(w io.Writer) error { return webpage.Write(w, p) })
	if err == nil {
		a.Wrote(path, words.Count(len(groups), "group"))
	}
	return err
}

// groupCards shows the pictures of a group.
func (a *app) groupCards(ctx context.Context, c *collection, g lookalike.Group, d *dupsFound, i, width, height int) ([]webpage.Card, error) {
	found := d.Groups[i]
	files := []string{c.path(g.Best.Row)}
	loads := []thumbnail.Load{c.load(g.Best.Row)}
	for k, other := range g.Others {
		file, load := c.path(other.Row), c.load(other.Row)
		if d.Action == "move" && found.Others[k].State == "done" {
			file = found.Others[k].Target
			load = func(box image.Point) (*picture.Image, error) {
				o := c.Recipe.Options()
				o.Thumbnail = box
				return decode(func() (io.ReadCloser, error) { return os.Open(file) }, o)
			}
		}
		files, loads = append(files, file), append(loads, load)
	}
	small, errs, err := thumbnail.Several(ctx, loads, width, height)
	if err != nil {
		return nil, err
	}
	var cards []webpage.Card
	for k, m := range small {
		p, badge := found.Best, "best"
		if k > 0 {
			other := found.Others[k-1]
			p, badge = other.dupsPicture, fmt.Sprintf("%.4f", other.Distance)
			if other.SameAs != "" {
				badge = "same bytes"
			}
		}
		card := webpage.Card{Name: words.Printable(p.Path), Note: fmt.Sprintf("%d × %d, %s", p.Width, p.Height, words.Bytes(p.Bytes)), Badge: badge, Lead: k == 0, Link: files[k]}
		if m != nil {
			card.Picture = m
		}
		if errs[k] != nil {
			a.NotDrawn("shown", fmt.Errorf("%s: %w", words.Printable(p.Path), errs[k]))
			card.Missing, card.Link = "cannot be read", ""
		}
		cards = append(cards, card)
	}
	return cards, nil
}
