package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/atlas"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/internal/atomicfile"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/knn"
	"lookalike/knn/tsne"
)

// mapOptions are the flags of map.
type mapOptions struct {
	metric     string
	perplexity float64
	steps      int
	seed       uint64
	filters    []string
	photos     string
}

func mapCommand(a *app) *cobra.Command {
	var o mapOptions
	cmd := &cobra.Command{
		Use:   "map PHOTOS.idx OUT.html|OUT.png",
		Short: "Lay a collection out as a map, where like pictures lie together",
		Long: `Lays the pictures of an index out in the plane by t-SNE, which keeps near pictures
near, and writes the map:

  .html        a page that opens anywhere without a network, thumbnails inside:
               to move about and zoom in, with names of classes (the folders),
               a search for names, and each picture's path
  .png, .jpg   one large sheet

Pictures that would lie on each other are moved apart. What is near on the map is
alike; how far groups lie from each other says little. The same index and seed
give the same map.

Without --metric, codes of an autoencoder and perceptual descriptions are compared by
their Euclidean distance, all others by cosine. A higher --perplexity, the number of neighbours that
each picture attends to, shows larger groups.

` + filterHelp,
		Example: `  lookalike map photos.idx map.html
  lookalike map photos.idx map.png --filter label=cats --filter label=dogs
  lookalike map photos.idx map.html --perplexity 50`,
		Args: cli.Arguments("PHOTOS.idx", "OUT.html or OUT.png"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return cli.Unwritten(cmd.Context(), drawMap(cmd.Context(), a, args[0], args[1], o))
		},
	}
	f := cmd.Flags()
	metricFlagOf(cmd, &o.metric, "cosine or euclidean")
	f.Float64Var(&o.perplexity, "perplexity", 30, "let each picture attend to `N` neighbours, or a third of all if they are fewer")
	f.IntVar(&o.steps, "iterations", 1000, "take `N` steps")
	f.Uint64Var(&o.seed, "seed", 1, "part pictures that coincide by `N`")
	f.StringArrayVar(&o.filters, "filter", nil, "show only pictures with label=NAME or path=GLOB (`CONDITION`; may be repeated)")
	f.StringVar(&o.photos, "photos", "", "take the pictures from `DIR`, if they have moved")
	return cmd
}

// check finds mistakes in the flags, and where the map is to be written.
func (o *mapOptions) check(a *app, index, out string) error {
	switch {
	case isIndex(out) && !isIndex(index):
		return cli.Usagef("%s is the index, which comes first: %s", out, cli.Typed("map", out, index))
	case o.metric != "" && o.metric != knn.Cosine.String() && o.metric != knn.Euclidean.String():
		return cli.Usagef("--metric %s: give cosine or euclidean", o.metric)
	case !(o.perplexity >= 1 && o.perplexity <= 1e6):
		return cli.Usagef("--perplexity %v: give 1 or more", o.perplexity)
	case o.steps < 1:
		return cli.Usagef("--iterations %d: give 1 or more", o.steps)
	case !cli.IsPage(out) && !cli.IsDrawing(out):
		return cli.Usagef("%s: the name must end in .html, .png or .jpg", out)
	}
	return a.outputs.Reserve(out, index)
}

func drawMap(ctx context.Context, a *app, index, out string, o mapOptions) error {
	if err := o.check(a, index, out); err != nil {
		return err
	}
	c, only, err := openFiltered(a, index, o.photos, o.filters)
	if err != nil {
		return err
	}
	defer c.Close()
	source, err := c.index.Source()
	if err != nil {
		return err
	}
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	options := tsne.Options{Perplexity: o.perplexity, Iterations: o.steps, Seed: o.seed}
	p := a.Progress("Laying out", "steps", options.Iterations)
	defer p.End()
	p.Reword("Finding neighbours")
	options.Progress = func(done int) {
		if done == 0 {
			p.Restart()
			p.Reword("Laying out")
		}
		p.Set(done)
	}
	layout, err := c.index.Layout(ctx, options, lookalike.By(metric), where(only))
	p.End()
	if err != nil {
		return err
	}
	rows := layout.Rows
	side := atlas.Spot(len(rows))
	if cli.IsPage(out) {
		side = atlas.Side(len(rows))
	}
	places, err := places(ctx, &a.Terminal, c, rows, side)
	if err != nil {
		return err
	}
	m := atlas.New(places, layout.Points)
	if !cli.IsPage(out) {
		if err := sheet.Write(out, m.Draw()); err != nil {
			return err
		}
		var labels []string
		for _, p := range places {
			labels = append(labels, p.Label)
		}
		a.Undrawn(sheet.Undrawn(labels...))
	} else {
		page := atlas.Page{Title: fmt.Sprintf("Map of %s", words.Count(len(rows), "picture")),
			Lead: fmt.Sprintf("%s, described by %s, %s distance", words.Printable(c.root), vectors(c.Gallery), metric)}
		if source.Kind == "folder" {
			page.Folder = c.root
		}
		if err := atomicfile.Write(out, func(w io.Writer) error { return m.Write(w, page) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.Out, "%s: %s\n", out, words.Count(len(rows), "picture"))
	return nil
}

// thumbnailsAtOnce is how many pictures are made small between two signs of
// progress.
const thumbnailsAtOnce = 64

// places makes the thumbnails of pictures. One that cannot be read any more is
// reported and has none.
func places(ctx context.Context, t *cli.Terminal, c *collection, rows []int, side int) ([]atlas.Place, error) {
	var places []atlas.Place
	p := t.Progress("Making thumbnails", "images", len(rows))
	defer p.End()
	for some := range slices.Chunk(rows, thumbnailsAtOnce) {
		small, errs, err := thumbnail.OfIndex(ctx, c.index, some, side, side)
		if err != nil {
			return nil, err
		}
		for i, row := range some {
			e := c.Entries[row]
			places = append(places, atlas.Place{Picture: small[i], Name: e.Path, Label: e.Label, Note: fmt.Sprintf("%d × %d", e.Width, e.Height)})
			if errs[i] != nil {
				t.NotDrawn("on the map", fmt.Errorf("%s: %w", words.Printable(c.path(row)), errs[i]))
			}
		}
		p.Set(len(places))
	}
	return places, nil
}
