package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lookalike/gallery"
	"lookalike/internal/sheet"
	"lookalike/knn"
	"lookalike/picture"
)

// searchOptions are the flags of search.
type searchOptions struct {
	k      int
	metric string
	json   bool
	sheet  string
	model  string
	photos string
}

// found is what search prints with --json.
type found struct {
	Query     string          `json:"query"`
	K         int             `json:"k"`
	Metric    string          `json:"metric"`
	Neighbors []foundNeighbor `json:"neighbors"`
}

type foundNeighbor struct {
	Rank     int     `json:"rank"`     // from 1
	Distance float64 `json:"distance"` // never rounded
	Path     string  `json:"path"`     // relative to the folder that was indexed, with slashes
	Label    string  `json:"label"`    // the folder that the picture lies in, "" at the top
	ID       int     `json:"id"`       // row of the index, and of what export writes
}

func (a *app) searchCommand() *cobra.Command {
	var o searchOptions
	cmd := &cobra.Command{
		Use:   "search PHOTOS.idx PICTURE",
		Short: "Find the pictures of an index that are most like a given one",
		Long: `Finds the pictures of an index whose vectors are nearest to that of a picture,
and prints their distances and paths, nearest first. The distances are exact. A
picture that is in the index itself is found at distance 0.

The picture is described as those of the index were, by the same model and with
the same treatment of EXIF's orientation. The model is looked for where it was
when the index was made, then beside the index.

Without --metric, codes of an autoencoder are compared by their Euclidean
distance and features of VGG by the cosine of their angle: 1 - cos, from 0 for
the same direction to 2 for the opposite one. The inner product is shown with
its sign turned, so that the nearest comes first here too.

With --json the result is one object:
  {"query": PICTURE, "k": 5, "metric": "euclidean", "neighbors": [
    {"rank": 1, "distance": 1.25, "path": "cats/tom.jpg", "label": "cats", "id": 17}, …]}
where path is relative to the folder that was indexed, label the name of the
folder that the picture lies in, and id its row in what 'lookalike export' writes.`,
		Example: `  lookalike search photos.idx holiday.jpg
  lookalike search photos.idx holiday.jpg -k 11 --sheet similar.png
  lookalike search photos.idx holiday.jpg --json | jq -r '.neighbors[].path'`,
		Args: arguments("PHOTOS.idx", "PICTURE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.search(cmd.Context(), args[0], args[1], o) },
	}
	f := cmd.Flags()
	f.IntVarP(&o.k, "neighbors", "k", 5, "find `N` pictures")
	metricFlag(cmd, &o.metric)
	jsonFlag(cmd, &o.json)
	f.StringVar(&o.sheet, "sheet", "", "write the result as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.model, "model", "", "read the model or weights of the index from `FILE`, if they have moved")
	f.StringVar(&o.photos, "photos", "", "take the pictures of the sheet from `DIR`, if they have moved")
	return cmd
}

func (a *app) search(ctx context.Context, index, query string, o searchOptions) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if o.k < 1 {
		return usagef("-k %d: give 1 or more", o.k)
	}
	if err := checkDrawing("sheet", o.sheet, index, query); err != nil {
		return err
	}
	g, err := gallery.Open(index)
	if err != nil {
		return err
	}
	root := g.Root
	if o.photos != "" {
		root = o.photos
	}
	if info, err := os.Stat(root); o.sheet != "" && (err != nil || !info.IsDir()) {
		return fmt.Errorf("there is no folder %s to take the sheet's pictures from; if it has moved, say where it is with --photos DIR", root)
	}
	metric, err := metricOf(o.metric, g)
	if err != nil {
		return err
	}
	d, network, err := queryDescriber(g, index, o.model)
	if err != nil {
		return err
	}
	defer network.Close()
	options := picture.Options{IgnoreOrientation: g.Recipe.EXIF == orientation(true)}
	original, err := picture.File(query, options)
	if err != nil {
		return fmt.Errorf("cannot read the picture to search for: %w", err)
	}
	vector, err := d.Describe(ctx, []*picture.Image{d.Prepare(original)})
	if err != nil {
		return err
	}
	searcher, err := knn.New(g.Vectors, metric)
	if err != nil {
		return fmt.Errorf("%s: %w", index, err)
	}
	lists, err := searcher.Search(ctx, [][]float32{vector.Row(0)}, o.k)
	if err != nil {
		return err
	}
	neighbors := lists[0]
	if o.sheet != "" {
		if err := a.writeSheet(o.sheet, original, neighbors, g, root, options); err != nil {
			return err
		}
	}
	if o.json {
		return a.printFound(g, neighbors, found{Query: query, K: o.k, Metric: metric.String()})
	}
	fmt.Fprintf(a.out, "rank  distance  path, in %s; %s distance\n", root, metric)
	for i, n := range neighbors {
		fmt.Fprintf(a.out, "%4d  %8.3f  %s\n", i+1, n.Distance, printable(g.Entries[n.Row].Path))
	}
	return nil
}

func (a *app) printFound(g *gallery.Gallery, neighbors []knn.Neighbor, result found) error {
	result.Neighbors = []foundNeighbor{}
	for i, n := range neighbors {
		e := g.Entries[n.Row]
		result.Neighbors = append(result.Neighbors, foundNeighbor{i + 1, n.Distance, e.Path, e.Label, n.Row})
	}
	return a.printJSON(result)
}

// writeSheet draws the query and the pictures found. One that cannot be read any
// more is reported and shown as a grey square.
func (a *app) writeSheet(path string, query *picture.Image, neighbors []knn.Neighbor, g *gallery.Gallery, root string, o picture.Options) error {
	cells := []sheet.Cell{{Image: query.RGBA(), Title: "Original image"}}
	for _, n := range neighbors {
		cell, err := neighborCell(filepath.Join(root, filepath.FromSlash(g.Entries[n.Row].Path)), n, o)
		if err != nil {
			a.warn("warning: not on the sheet: %v", err)
			a.skipped++
		}
		cells = append(cells, cell)
	}
	rows := (len(cells) + sheetColumns - 1) / sheetColumns
	return sheet.Write(path, sheet.Contact(cells, sheet.Options{Columns: (len(cells) + rows - 1) / rows}))
}

// sheetColumns is the query with five neighbours, the default, in one row. More
// pictures are spread evenly over several.
const sheetColumns = 6

// neighborCell is a neighbour on a contact sheet.
func neighborCell(path string, n knn.Neighbor, o picture.Options) (sheet.Cell, error) {
	cell := sheet.Cell{Title: fmt.Sprintf("Dist=%.3f", n.Distance)}
	p, err := picture.File(path, o)
	if err == nil {
		cell.Image = image.Image(p.RGBA())
	}
	return cell, err
}
