package main

import (
	"cmp"
	"context"
	"image"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/results"
	"lookalike/cmd/lookalike/internal/termimage"
	"lookalike/describe"
	"lookalike/internal/hugepages"
	"lookalike/internal/words"
	"lookalike/knn"
	"lookalike/picture"
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
	includeSelf bool

	json, csv, paths0 bool
	sheet, html       string
	show              string
	showGiven         bool

	how    describe.Spec // of a folder's pictures
	photos string
}

func searchCommand(a *app) *cobra.Command {
	o := searchOptions{within: cli.NewDistance()}
	cmd := &cobra.Command{
		Use:   "search PHOTOS|INDEX QUERY...",
		Short: "Find pictures similar to given ones",
		Long: `Finds the pictures of a folder, an archive or an index that are most similar to a
given one, and prints their distances and paths, nearest first. The search is exact.

The index of a folder or an archive is made by the first search and kept in the
user's cache folder. That describes all pictures, with --model or, by default, with
vgg16 if its weights have been fetched, otherwise with perceptual. Later searches
look for changes only. The command can be stopped at any time; it goes on when it
is given again.

If the query is itself a picture of the index, it is not a result, but other files
with the same bytes are. --include-self shows the query, too; --exclude-self leaves
out all files with its bytes.

` + queryHelp + `

A query is described like the pictures of the index, by the same model and with the
same treatment of EXIF's orientation. The model is looked for where it was when the
index was made, beside the index, and among fetched weights.

Without --metric, codes of an autoencoder are compared by their Euclidean
distance and features of VGG by the cosine of their angle: 1 - cos, from 0 for
the same direction to 2 for the opposite one. The inner product is shown with
its sign turned, so that the nearest comes first here too.

Where limits are known for the model, or 'lookalike threshold' has saved one, words
stand beside the distance: "the same picture" for equal files, "nearly the same" up
to the distance of copies, "alike" up to that by which compare calls two the same,
else "less alike".

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
       {"rank": 1, "distance": 1.25, "likeness": "alike",
        "path": "cats/tom.jpg", "label": "cats",
        "id": 17, "width": 640, "height": 480}, …]}, …]}
where k and within are null where they set no limit, likeness is "" where no
limits are known, path is relative to root, the folder that was indexed, label is
the name of the folder that the picture lies in, and id its row in what 'lookalike
export' writes.`,
		Example: `  lookalike search photos holiday.jpg
  lookalike search photos.idx holiday.jpg
  lookalike search photos.idx holiday.jpg -k 11 --sheet similar.png
  lookalike search photos.idx new-photos --exclude-self --html similar.html
  lookalike search photos.idx index:cats/tom.jpg --filter label!=cats
  lookalike search photos.idx holiday.jpg --show blocks
  curl -s https://example.org/a.jpg | lookalike search photos.idx -
  lookalike search photos.idx holiday.jpg --json | jq '.results[].neighbors'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return cli.Arguments("PHOTOS|INDEX", "QUERY")(nil, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.kGiven = cmd.Flags().Changed("neighbors")
			o.showGiven = cmd.Flags().Changed("show")
			if err := checkOrder(args); err != nil {
				return err
			}
			index, err := indexOf(cmd, a, args[0], o.how)
			if err != nil {
				return err
			}
			if index != args[0] {
				o.how = describe.Spec{} // by which the index has been made
			}
			hugepages.Avoid()
			return search(cmd.Context(), a, index, args[1:], o)
		},
	}
	f := cmd.Flags()
	f.IntVarP(&o.k, "neighbors", "k", 5, "find `N` pictures")
	metricFlag(cmd, &o.metric)
	f.Var(&o.within, "within", "find all pictures at a distance of at most `D`")
	f.StringArrayVar(&o.filters, "filter", nil, "find only pictures with label=NAME or path=GLOB (`CONDITION`; may be repeated)")
	f.BoolVar(&o.excludeSelf, "exclude-self", false, "leave out all files with the bytes of the query")
	f.BoolVar(&o.includeSelf, "include-self", false, "show the query itself, too, if it is a picture of the index")
	o.queries.flags(cmd)
	cli.JSONFlag(cmd, &o.json)
	f.BoolVar(&o.csv, "csv", false, "print the result as CSV")
	f.BoolVar(&o.paths0, "paths0", false, "print paths only, with a zero byte after each")
	f.StringVar(&o.sheet, "sheet", "", "write the result as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.html, "html", "", "write the result as a page to `FILE`")
	f.Var(cli.NewOneOf(&o.show, results.ShowWords...), "show", "show the pictures in the terminal in the `WAY` "+words.OrList(results.ShowWords))
	f.Var((*modelName)(&o.how.Name), "model", "describe a folder's pictures with `MODEL` (see 'lookalike index'); for an index: where its model is now")
	f.StringVar(&o.how.Weights, "weights", "", "read the weights of vgg16 from `FILE` (default: those that 'lookalike weights fetch' got)")
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
	case o.excludeSelf && o.includeSelf:
		return cli.Usagef("give only one of --exclude-self and --include-self")
	case o.json && o.csv || o.json && o.paths0 || o.csv && o.paths0:
		return cli.Usagef("give only one of --json, --csv and --paths0")
	}
	if err := a.outputs.ReserveDrawing("sheet", o.sheet, append(queries, index)...); err != nil {
		return err
	}
	return a.outputs.ReservePage("html", o.html, append(queries, index)...)
}

func search(ctx context.Context, a *app, index string, args []string, o searchOptions) error {
	if err := o.check(a, index, args); err != nil {
		return err
	}
	c, only, err := openFiltered(a, index, o.photos, o.filters, lookalike.ModelFile(cmp.Or(o.how.Weights, o.how.Name)))
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
	show := results.NewShower(&a.Terminal, o.show, o.showGiven)
	if err := show.Ready(&a.Terminal, c.index); err != nil {
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
	queries, err = describeQueries(&a.Terminal, queries, false, func(all []lookalike.Query, options ...lookalike.DescribeOption) ([]lookalike.Query, error) {
		return c.index.Describe(ctx, all, options...)
	})
	if err != nil {
		return err
	}
	found, err := searchAll(ctx, &a.Terminal, c, queries, metric, only, o)
	if err != nil {
		return err
	}
	if o.sheet != "" {
		if err := found.Sheet(ctx, o.sheet); err != nil {
			return err
		}
	}
	if o.html != "" {
		if err := found.Page(ctx, o.html, version()); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return found.JSON()
	case o.csv:
		return found.CSV()
	case o.paths0:
		return found.Paths0()
	}
	return found.Table(ctx, show)
}

// searchAll finds the neighbours of all queries.
func searchAll(ctx context.Context, t *cli.Terminal, c *collection, queries []query, metric knn.Metric, only *lookalike.Filter, o searchOptions) (*results.Found, error) {
	found := &results.Found{Index: c.index, File: c.file, Metric: metric, Terminal: t}
	options := []lookalike.SearchOption{lookalike.By(metric), where(only)}
	switch {
	case o.excludeSelf:
		options = append(options, lookalike.ExceptSelf())
	case !o.includeSelf:
		options = append(options, lookalike.ExceptFile())
	}
	if o.within.Given() {
		found.Within = (*float64)(&o.within)
		options = append(options, lookalike.Within(*found.Within))
	}
	k := lookalike.All
	if !o.within.Given() || o.kGiven { // --within alone finds all
		k, found.K = o.k, &o.k
	}
	hits, err := c.index.SearchAll(ctx, picturesOf(queries), k, options...)
	if err != nil {
		return nil, unread(err)
	}
	for i, q := range queries {
		load := func(box image.Point) (*picture.Image, error) {
			how := c.Recipe.Options()
			how.Thumbnail = box
			return q.picture(how)
		}
		found.Results = append(found.Results, results.Result{Name: q.name, Path: q.path, Picture: load, Hits: hits[i], Likeness: c.likeness(q, hits[i], metric)})
	}
	return found, nil
}

// likeness says of each hit how alike it is: the same picture only if the files are equal.
func (c *collection) likeness(q query, hits []lookalike.Hit, metric knn.Metric) []string {
	all := make([]string, len(hits))
	for i, h := range hits {
		all[i] = describe.Likeness(c.Gallery, metric, h.Distance)
		if all[i] != "nearly the same" {
			continue
		}
		if equal, err := sameBytes(c, []query{q, {row: h.Row}}); err == nil && equal {
			all[i] = "the same picture"
		}
	}
	return all
}
