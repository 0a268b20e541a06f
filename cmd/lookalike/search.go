package main

import (
	"bytes"
	"context"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/termimage"
	"lookalike/internal/hugepages"
	"lookalike/internal/words"
	"lookalike/knn"
)

// searchOptions are the flags of search.
type searchOptions struct {
	queries     queryOptions
	k           int
	kGiven      bool
	metric      string
	within      cli.Distance
	filters     []string
	excludeSelf bool

	json, csv, paths0 bool
	sheet, html       string
	show              string
	showGiven         bool

	model  string
	photos string
}

func searchCommand(a *app) *cobra.Command {
	o := searchOptions{within: cli.NewDistance()}
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
when the index was made, beside the index, and among the weights that
'lookalike weights fetch' has got.

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
				return cli.Arguments("PHOTOS.idx", "QUERY")(nil, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.kGiven = cmd.Flags().Changed("neighbors")
			o.showGiven = cmd.Flags().Changed("show")
			hugepages.Avoid()
			return search(cmd.Context(), a, args[0], args[1:], o)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.k, "neighbors", "k", 5, "find `N` pictures")
	metricFlag(cmd, &o.metric)
	f.Var(&o.within, "within", "find all pictures at a distance of at most `D`")
	f.StringArrayVar(&o.filters, "filter", nil, "find only pictures with label=NAME or path=GLOB (`CONDITION`; may be repeated)")
	f.BoolVar(&o.excludeSelf, "exclude-self", false, "do not find the query itself")
	o.queries.flags(cmd)
	cli.JSONFlag(cmd, &o.json)
	f.BoolVar(&o.csv, "csv", false, "print the result as CSV")
	f.BoolVar(&o.paths0, "paths0", false, "print paths only, with a zero byte after each")
	f.StringVar(&o.sheet, "sheet", "", "write the result as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.html, "html", "", "write the result as a page to `FILE`")
	f.Var(cli.NewOneOf(&o.show, showWords...), "show", "show the pictures in the terminal in the `WAY` "+words.OrList(showWords))
	f.StringVar(&o.model, "model", "", "read the model or weights of the index from `FILE`, if they have moved")
	f.StringVar(&o.photos, "photos", "", "take the pictures that are shown from `DIR`, if they have moved")
	return cmd
}

// check finds mistakes in the flags.
func (o *searchOptions) check(a *app, index string, queries []string) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	switch {
	case o.k < 1:
		return cli.Usagef("-k %d: give 1 or more", o.k)
	case o.json && o.csv || o.json && o.paths0 || o.csv && o.paths0:
		return cli.Usagef("give only one of --json, --csv and --paths0")
	}
	if err := a.outputs.ReserveDrawing("sheet", o.sheet, append(queries, index)...); err != nil {
		return err
	}
	return a.outputs.ReservePage("html", o.html, append(queries, index)...)
}

// limited tells whether -k limits how many pictures are found: --within alone finds
// all.
func (o *searchOptions) limited() bool { return !o.within.Given() || o.kGiven }

// result is what was found for a query.
type result struct {
	query
	neighbors []lookalike.Hit
}

func search(ctx context.Context, a *app, index string, args []string, o searchOptions) error {
	if err := o.check(a, index, args); err != nil {
		return err
	}
	c, only, err := openFiltered(a, index, o.photos, o.filters, lookalike.ModelFile(o.model))
	if err != nil {
		return err
	}
	defer c.Close()
	if o.sheet != "" || o.html != "" {
		if _, err := c.index.Source(); err != nil {
			return err
		}
	}
	if o.json || o.csv || o.paths0 {
		o.show = string(termimage.None)
	}
	show := newShower(&a.Terminal, c, o.show, o.showGiven)
	if err := show.ready(); err != nil {
		return err
	}
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	if err := checkWithin(o.within, metric); err != nil {
		return err
	}
	queries, done, err := findQueries(ctx, a, c, args, o.queries)
	if err != nil {
		return err
	}
	defer done()
	queries, err = describeQueries(&a.Terminal, queries, func(all []lookalike.Query, options ...lookalike.DescribeOption) ([]lookalike.Query, error) {
		return c.index.Describe(ctx, all, options...)
	})
	if err != nil {
		return err
	}
	results, err := c.search(ctx, queries, metric, only, o)
	if err != nil {
		return err
	}
	if err := drawResults(ctx, &a.Terminal, c, results, metric, o); err != nil {
		return err
	}
	switch {
	case o.json:
		return printFound(&a.Terminal, c, results, metric, o)
	case o.csv:
		return printCSV(a.Out, results)
	case o.paths0:
		var b bytes.Buffer
		for _, r := range results {
			for _, n := range r.neighbors {
				b.WriteString(c.path(n.Row) + "\x00")
			}
		}
		_, err := a.Out.Write(b.Bytes())
		return err
	}
	return printTable(ctx, &a.Terminal, c, results, metric, show)
}

// search finds the neighbours of all queries.
func (c *collection) search(ctx context.Context, queries []query, metric knn.Metric, only *lookalike.Filter, o searchOptions) ([]result, error) {
	options := []lookalike.SearchOption{lookalike.By(metric), where(only)}
	if o.excludeSelf {
		options = append(options, lookalike.ExceptSelf())
	}
	if o.within.Given() {
		options = append(options, lookalike.Within(float64(o.within)))
	}
	k := lookalike.All
	if o.limited() {
		k = o.k
	}
	found, err := c.index.SearchAll(ctx, picturesOf(queries), k, options...)
	if err != nil {
		return nil, unread(err)
	}
	results := make([]result, len(queries))
	for i, q := range queries {
		results[i] = result{q, found[i]}
	}
	return results, nil
}
