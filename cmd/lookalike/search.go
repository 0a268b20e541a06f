package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"lookalike/internal/atomicfile"
	"lookalike/internal/sheet"
	"lookalike/internal/termimage"
	"lookalike/internal/thumbnail"
	"lookalike/internal/webpage"
	"lookalike/knn"
)

// searchOptions are the flags of search.
type searchOptions struct {
	queries     queryOptions
	k           int
	kGiven      bool
	metric      string
	within      distance
	filters     []string
	excludeSelf bool

	json, csv, paths0 bool
	sheet, html       string
	show              string
	showGiven         bool

	model  string
	photos string
}

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

func (a *app) searchCommand() *cobra.Command {
	o := searchOptions{within: newDistance()}
	cmd := &cobra.Command{
		Use:   "search PHOTOS.idx QUERY...",
		Short: "Find the pictures of an index that are most like given ones",
		Long: `Finds the pictures of an index whose vectors are nearest to that of a picture,
and prints their distances and paths, nearest first. The distances are exact. A
picture that is in the index itself is found at distance 0, unless --exclude-self
leaves it out: the same file, or for a picture from elsewhere any of the same
bytes.

` + queryHelp + `

A query is described as the pictures of the index were, by the same model and with
the same treatment of EXIF's orientation. The model is looked for where it was
when the index was made, then beside the index.

Without --metric, codes of an autoencoder are compared by their Euclidean
distance and features of VGG by the cosine of their angle: 1 - cos, from 0 for
the same direction to 2 for the opposite one. The inner product is shown with
its sign turned, so that the nearest comes first here too.

--within finds all pictures up to a distance, or the nearest N of them with -k.

` + filterHelp + `

In a terminal that can show pictures, the query and what was found follow below the
table, each with its rank and distance: by the protocol of kitty (also in Ghostty)
or of iTerm2 (also in WezTerm), or as sixels, if the terminal says that it has them.
In one that has 256 colours or more, tmux included, one row of them is drawn of half
characters in colours, unless NO_COLOR is set. --show names the way instead: blocks
makes larger pictures of half characters, and all of them, and none leaves them out.
A way that is typed is taken for pipes, too ('… --show blocks | less -R'), one from
the settings for terminals only. With --json, --csv or --paths0 no pictures are
shown.

--html writes one file, with the pictures inside, that opens without a network.
--paths0 prints whole paths only, each ended by a zero byte, for xargs -0. --csv
prints a line for each picture found: query, rank, distance, path, label, id,
width, height. With --json the result is one object:
  {"index": "photos.idx", "root": "/home/me/photos", "metric": "euclidean",
   "k": 5, "within": null, "results": [
     {"query": "holiday.jpg", "neighbors": [
       {"rank": 1, "distance": 1.25, "path": "cats/tom.jpg", "label": "cats",
        "id": 17, "width": 640, "height": 480}, …]}, …]}
where k and within are null where they set no limit, path is relative to root,
the folder that was indexed, label is the name of the folder that the picture
lies in, and id its row in what 'lookalike export' writes.`,
		Example: `  lookalike search photos.idx holiday.jpg
  lookalike search photos.idx holiday.jpg -k 11 --sheet similar.png
  lookalike search photos.idx new-photos --exclude-self --html similar.html
  lookalike search photos.idx index:cats/tom.jpg --filter label!=cats
  lookalike search photos.idx holiday.jpg --show blocks
  curl -s https://example.org/a.jpg | lookalike search photos.idx -
  lookalike search photos.idx holiday.jpg --json | jq -r '.results[].neighbors[].path'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return arguments("PHOTOS.idx", "QUERY")(nil, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.kGiven = cmd.Flags().Changed("neighbors")
			o.showGiven = cmd.Flags().Changed("show")
			return a.search(cmd.Context(), args[0], args[1:], o)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.k, "neighbors", "k", 5, "find `N` pictures")
	metricFlag(cmd, &o.metric)
	f.Var(&o.within, "within", "find all pictures at a distance of at most `D`")
	f.StringArrayVar(&o.filters, "filter", nil, "find only pictures with label=NAME or path=GLOB (`CONDITION`; may be repeated)")
	f.BoolVar(&o.excludeSelf, "exclude-self", false, "do not find the query itself")
	o.queries.flags(cmd)
	jsonFlag(cmd, &o.json)
	f.BoolVar(&o.csv, "csv", false, "print the result as CSV")
	f.BoolVar(&o.paths0, "paths0", false, "print paths only, with a zero byte after each")
	f.StringVar(&o.sheet, "sheet", "", "write the result as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.html, "html", "", "write the result as a page to `FILE`")
	f.Var(newOneOf(&o.show, showWords...), "show", "show the pictures in the terminal in the `WAY` "+orList(showWords))
	f.StringVar(&o.model, "model", "", "read the model or weights of the index from `FILE`, if they have moved")
	f.StringVar(&o.photos, "photos", "", "take the pictures that are shown from `DIR`, if they have moved")
	return cmd
}

// check finds mistakes in the flags.
func (o *searchOptions) check(index string, queries []string) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	switch {
	case o.k < 1:
		return usagef("-k %d: give 1 or more", o.k)
	case o.json && o.csv || o.json && o.paths0 || o.csv && o.paths0:
		return usagef("give only one of --json, --csv and --paths0")
	}
	if err := checkDrawing("sheet", o.sheet, append(queries, index)...); err != nil {
		return err
	}
	return checkPage("html", o.html, append(queries, index)...)
}

// result is what was found for a query.
type result struct {
	query
	neighbors []knn.Neighbor
}

func (a *app) search(ctx context.Context, index string, args []string, o searchOptions) error {
	if err := o.check(index, args); err != nil {
		return err
	}
	only, err := parseFilter(o.filters)
	if err != nil {
		return err
	}
	c, err := openCollection(index, o.photos)
	if err != nil {
		return err
	}
	defer c.Close()
	if o.sheet != "" || o.html != "" {
		if _, err := c.source(); err != nil {
			return err
		}
	}
	if o.json || o.csv || o.paths0 {
		o.show = string(termimage.None)
	}
	show := a.shower(o.show, o.showGiven)
	if err := show.ready(a, c); err != nil {
		return err
	}
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	queries, done, err := a.queries(ctx, c, args, o.queries)
	if err != nil {
		return err
	}
	defer done()
	if needNetwork(queries) {
		d, network, err := queryDescriber(c.Gallery, index, o.model)
		if err != nil {
			return err
		}
		defer network.Close()
		if queries, err = a.describe(ctx, queries, d, c.options()); err != nil {
			return err
		}
	}
	results, err := c.search(ctx, queries, metric, only, o)
	if err != nil {
		return err
	}
	if err := a.drawResults(ctx, c, results, metric, o); err != nil {
		return err
	}
	switch {
	case o.json:
		return a.printFound(c, results, metric, o)
	case o.csv:
		return a.printCSV(c, results)
	case o.paths0:
		var b bytes.Buffer
		for _, r := range results {
			for _, n := range r.neighbors {
				b.WriteString(c.path(n.Row) + "\x00")
			}
		}
		_, err := a.out.Write(b.Bytes())
		return err
	}
	return a.printTable(ctx, c, results, metric, show)
}

// search finds the neighbours of all queries at once: the more there are, the
// less each costs. The searcher's prefilter is no help here, for to make it takes
// as long as some tens of queries, and from so many on it is not used.
func (c *collection) search(ctx context.Context, queries []query, metric knn.Metric, only *filter, o searchOptions) ([]result, error) {
	searcher, err := knn.New(c.Vectors, metric)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.file, err)
	}
	if only != nil {
		if err := only.check(c.Entries); err != nil {
			return nil, err
		}
		searcher = searcher.Where(func(row int) bool { return only.keeps(c.Entries[row]) })
	}
	results, vectors := make([]result, len(queries)), make([][]float32, len(queries))
	selves, most := make([][]int, len(queries)), 0
	for i, q := range queries {
		results[i].query, vectors[i] = q, q.vector
		if o.excludeSelf {
			if selves[i], err = c.self(&q); err != nil {
				return nil, err
			}
			most = max(most, len(selves[i]))
		}
	}
	k := math.MaxInt
	if !o.within.given() || o.kGiven {
		k = o.k
	}
	var lists [][]knn.Neighbor
	if o.within.given() {
		lists, err = searcher.Within(ctx, vectors, float64(o.within))
	} else {
		lists, err = searcher.Search(ctx, vectors, min(k, len(c.Entries))+most)
	}
	if err != nil {
		return nil, err
	}
	for i, list := range lists {
		if o.excludeSelf {
			list = slices.DeleteFunc(list, func(n knn.Neighbor) bool { return slices.Contains(selves[i], n.Row) })
		}
		results[i].neighbors = list[:min(k, len(list))]
	}
	return results, nil
}

// self returns the rows that are the query itself: the picture of the index that
// it is, or else all of the same bytes.
func (c *collection) self(q *query) ([]int, error) {
	if q.row >= 0 {
		return []int{q.row}, nil
	}
	if q.path != "" {
		if row := c.at(q.path); row >= 0 {
			return []int{row}, nil
		}
	}
	sum, err := q.sum()
	if err != nil {
		return nil, fmt.Errorf("cannot read the picture %s: %w", printable(q.name), err)
	}
	var rows []int
	for row, f := range c.Files {
		if f.SHA256 == sum {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// decimals is how many digits after the point distances of that size are shown
// with, so that four or five count.
func decimals(largest float64) int {
	switch largest = math.Abs(largest); {
	case largest < 1:
		return 4
	case largest < 100:
		return 3
	case largest < 1000:
		return 2
	}
	return 1
}

// printTable prints the results for a person to read, with the pictures where they
// can be shown.
func (a *app) printTable(ctx context.Context, c *collection, results []result, metric knn.Metric, show *shower) error {
	largest := 0.0
	for _, r := range results {
		for _, n := range r.neighbors {
			largest = max(largest, math.Abs(n.Distance))
		}
	}
	digits, width := decimals(largest), terminalWidth(a.out)
	var b bytes.Buffer
	head := fmt.Sprintf("path, in %s; %s distance", printable(c.root), metric)
	sizes := func(text string) string { // in a narrow terminal there is no room for sizes
		if width < narrow {
			return ""
		}
		return fmt.Sprintf("%10s  ", text)
	}
	left := width - len("rank  distance  ") - len(sizes(""))
	fmt.Fprintf(&b, "rank  distance  %s%s\n", sizes("size"), shorten(head, left))
	for _, r := range results {
		if len(results) > 1 {
			fmt.Fprintf(&b, "\n%s\n", shorten(printable(r.name), width))
		}
		if len(r.neighbors) == 0 {
			fmt.Fprintf(&b, "   -         -  %snothing so near\n", sizes("-"))
		}
		for i, n := range r.neighbors {
			e := c.Entries[n.Row]
			fmt.Fprintf(&b, "%4d  %8.*f  %s%s\n", i+1, digits, n.Distance, sizes(pixels(e.Width, e.Height)), shorten(printable(e.Path), left))
		}
		if err := show.result(ctx, &b, a, c, r, digits); err != nil {
			return err
		}
		if _, err := b.WriteTo(a.out); err != nil {
			return err
		}
	}
	show.end(a)
	return nil
}

// pixels writes the size of a picture, which imported vectors may not know.
func pixels(width, height int) string {
	if width == 0 {
		return "-"
	}
	return fmt.Sprintf("%dx%d", width, height)
}

// narrow is the width of a line under which tables leave out the pictures' sizes.
const narrow = 60

// terminalWidth is the number of characters in a line, for a terminal; else there
// is no limit.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return math.MaxInt
}

// shorten takes the middle out of a text that is too long for a line: of a path,
// the beginning and the file's name tell most.
func shorten(s string, width int) string {
	runes := []rune(s)
	width = max(width, 20)
	if len(runes) <= width {
		return s
	}
	tail := width * 2 / 3
	return string(runes[:width-1-tail]) + "…" + string(runes[len(runes)-tail:])
}

func (a *app) printFound(c *collection, results []result, metric knn.Metric, o searchOptions) error {
	f := found{Index: c.file, Root: c.root, Metric: metric.String(), Results: []foundResult{}}
	if !o.within.given() || o.kGiven {
		f.K = &o.k
	}
	if o.within.given() {
		f.Within = (*float64)(&o.within)
	}
	for _, r := range results {
		one := foundResult{Query: r.name, Neighbors: []foundNeighbor{}}
		for i, n := range r.neighbors {
			e := c.Entries[n.Row]
			one.Neighbors = append(one.Neighbors, foundNeighbor{i + 1, n.Distance, e.Path, e.Label, n.Row, e.Width, e.Height})
		}
		f.Results = append(f.Results, one)
	}
	return a.printJSON(f)
}

func (a *app) printCSV(c *collection, results []result) error {
	w := csv.NewWriter(a.out)
	w.Write([]string{"query", "rank", "distance", "path", "label", "id", "width", "height"})
	for _, r := range results {
		for i, n := range r.neighbors {
			e := c.Entries[n.Row]
			w.Write([]string{r.name, strconv.Itoa(i + 1), strconv.FormatFloat(n.Distance, 'g', -1, 64), e.Path, e.Label, strconv.Itoa(n.Row), strconv.Itoa(e.Width), strconv.Itoa(e.Height)})
		}
	}
	w.Flush()
	return w.Error()
}

// drawResults writes the sheet and the page.
func (a *app) drawResults(ctx context.Context, c *collection, results []result, metric knn.Metric, o searchOptions) error {
	if o.sheet != "" {
		if err := a.writeSheet(ctx, o.sheet, c, results); err != nil {
			return err
		}
	}
	if o.html != "" {
		return a.writePage(ctx, o.html, c, results, metric)
	}
	return nil
}

const (
	// sheetColumns is the query with five neighbours, the default, in one row.
	// More pictures are spread evenly over several.
	sheetColumns = 6

	// sheetMost is how many pictures a sheet may have: about 300 MB in memory.
	sheetMost = 3000
)

// writeSheet draws each query and the pictures found for it. One that cannot be
// read any more is reported and shown as a grey square.
func (a *app) writeSheet(ctx context.Context, path string, c *collection, results []result) error {
	total, longest := 0, 0
	for _, r := range results {
		total += 1 + len(r.neighbors)
		longest = max(longest, 1+len(r.neighbors))
	}
	if total > sheetMost {
		return fmt.Errorf("%d pictures are too many for a sheet, which has at most %d; write a page with --html, or ask for fewer", total, sheetMost)
	}
	var lists [][]sheet.Cell
	for _, r := range results {
		small, errs, err := a.resultThumbnails(ctx, c, r, 4*sheet.DefaultHeight, sheet.DefaultHeight)
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
				a.warn("warning: not on the sheet: %v", errs[i])
				a.skipped++
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
func (a *app) resultThumbnails(ctx context.Context, c *collection, r result, width, height int) ([]*image.RGBA, []error, error) {
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
			errs[i] = fmt.Errorf("%s: %w", printable(c.path(rows[i])), err)
		}
	}
	m, err := r.picture(c.options())
	if err != nil {
		return slices.Insert(small, 0, nil), slices.Insert(errs, 0, err), nil
	}
	return slices.Insert(small, 0, thumbnail.Fit(m, width, height)), slices.Insert(errs, 0, nil), nil
}

// writePage writes the results as a page, query by query.
func (a *app) writePage(ctx context.Context, path string, c *collection, results []result, metric knn.Metric) error {
	digits := 3
	if metric == knn.Cosine {
		digits = 4
	}
	var failed error
	p := webpage.Page{
		Title: "Pictures like " + printable(results[0].name),
		Facts: []webpage.Fact{{Name: "Index", Value: c.file}, {Name: "Pictures", Value: strconv.Itoa(len(c.Entries))}, {Name: "Folder", Value: c.root},
			{Name: "Described by", Value: source(c.Recipe)}, {Name: "Distance", Value: metric.String()}},
		Groups: func(yield func(webpage.Group) bool) {
			for _, r := range results {
				small, errs, err := a.resultThumbnails(ctx, c, r, webpage.Side, webpage.Side)
				if err != nil {
					failed = err
					return
				}
				g := webpage.Group{Title: printable(r.name), Note: count(len(r.neighbors), "picture") + " found"}
				if len(results) == 1 {
					g.Title = ""
				}
				for i, m := range small {
					card := webpage.Card{Name: printable(filepath.Base(r.name)), Badge: "query", Lead: true, Link: r.path}
					if i > 0 {
						n := r.neighbors[i-1]
						e := c.Entries[n.Row]
						card = webpage.Card{Name: printable(e.Path), Note: fmt.Sprintf("%d × %d", e.Width, e.Height), Badge: fmt.Sprintf("%.*f", digits, n.Distance), Link: c.path(n.Row)}
					}
					if m != nil {
						card.Picture = m
					}
					if errs[i] != nil {
						a.warn("warning: not on the page: %v", errs[i])
						a.skipped++
						card.Missing, card.Link = "cannot be read", ""
					}
					g.Cards = append(g.Cards, card)
				}
				if !yield(g) {
					return
				}
			}
		},
		Foot: "Made by lookalike " + version() + ". The number on each picture is its distance from the query.",
	}
	if len(results) > 1 {
		p.Title = fmt.Sprintf("What is like each of %d pictures", len(results))
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		return errors.Join(webpage.Write(w, p), failed)
	})
	return err
}
