package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/hugepages"
	"lookalike/internal/words"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
)

// Exit statuses of compare, which are those of cmp and diff.
const (
	statusDifferent   = 1
	statusNotCompared = 2
)

// copyLike is the part of the matches that agrees between copies: of photographs
// that lost a quarter at the edges 0.79 to 0.92, of those made grey nearly all; it
// is 0.3 to 0.8 between photographs of like things, more only where these were
// taken in one studio.
const copyLike = 0.85

// compareOptions are the flags of compare.
type compareOptions struct {
	queries queryOptions
	how     describe.Spec
	index   string
	photos  string
	metric  string
	within  cli.Distance
	why     string
	json    bool

	asStored bool // whatever EXIF says
}

// compared is what compare prints with --json.
type compared struct {
	A           string  `json:"a"`
	B           string  `json:"b"`
	Same        bool    `json:"same"`
	Distance    float64 `json:"distance"` // never rounded
	Metric      string  `json:"metric"`
	Within      float64 `json:"within"`       // the greatest distance of the same
	From        string  `json:"from"`         // where that comes from: "given", "labels", "distances" or "default"
	SameBytes   bool    `json:"same_bytes"`   // the files are equal
	Refused     string  `json:"refused"`      // why they are not the same though they are within the distance, "" if nothing speaks against it
	DescribedBy string  `json:"described_by"` // what the distance is of

	Why *reasons `json:"why,omitempty"` // with --why only
}

func (a *app) compareCommand() *cobra.Command {
	o := compareOptions{within: cli.NewDistance()}
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Say whether two pictures are the same, and why",
		Long: fmt.Sprintf(`Describes two pictures and says how far apart they are, and whether that makes
them the same. --why draws which parts of the two are alike.

A and B are queries, as for search, of one picture each.

`+queryHelp+`

Without more, the two are compared by what they look like at a glance, as 'dups'
compares pictures: that needs no network and no weights, and tells copies of one
photograph from all others. A second look at the pixels of both, one laid over the
other, has to confirm it, on light and on dark ground where they are transparent.
Where too little is in them to tell, such as in blank pictures, they are not called
the same; nor is a file of several frames or pages, or a camera raw file, the same as
any but an equal file. --model compares by a network instead (--weights,
--layer and --pool are those of vgg16), --index as the pictures of an index were
described. Equal files are the same; others are up to a distance of
  --within D       if it is given;
  the threshold    that 'lookalike threshold' has saved in the index: that by
                   distances, which tells copies from others, before that by
                   labels, which tells kinds of things apart;
  %.2f             (Euclidean) for perceptual descriptions. Of 4.7 million
                   pairs of photographs 26 were as near, all of them the same
                   photograph, and the second look confirms 19. It
                   recognises copies that were resized, saved again or blurred,
                   most of those made lighter or darker, half of those made grey
                   or written on; not those cut, turned or
                   mirrored;
  %.1f              (cosine) for block5_pool of VGG16, averaged. Of the same
                   pairs 241 were as near, all of things of one kind; it
                   recognises about 9 in 10 copies that were made smaller, saved
                   again, mirrored or lightened, or lost a tenth at the edges,
                   but less than half of the copies that lost a quarter.
For any other description there is no default.

--why draws the two pictures twice. Above, in red, the parts that make them alike:
the likeness of the network's last feature maps, averaged over the picture, by
how much each part adds to it. Below, in one colour each, parts that are each
other's most alike. Where these agree on how one picture lies over the other, as
for a cut, enlarged or mirrored copy, those are shown, otherwise the most alike.
The network is that of the description or else VGG16, whose weights 'lookalike
weights fetch vgg16-notop' gets. It does not change the verdict.

With --json the result is one object:
  {"a": "a.jpg", "b": "b.jpg", "same": true, "distance": 0.031,
   "metric": "euclidean", "within": 0.14, "from": "default",
   "same_bytes": false, "refused": "",
   "described_by": "perceptual description of 394 numbers",
   "why": {"likeness": 0.967, "matches": 341, "placement": {"x": 0.1, "y": 0.1,
     "scale_x": 0.8, "scale_y": 0.8, "matches": 290}}}
where from is "given", "labels", "distances" or "default", and refused why they are
not the same though within the distance. why is there with --why:
the point u, v of A lies at x + scale_x u, y + scale_y v of B, from 0 to 1 over
width and height, with scale_x below 0 in a mirrored copy; placement is null where
the matches do not agree on one.

Exit status:
  0  the same
  1  different, or too little in them to tell
  2  an error, or a mistake in the command line
  130  interrupted`, perceptualLimits().Alike, vggLimits().Alike),
		Example: `  lookalike compare a.jpg b.jpg
  lookalike compare a.jpg https://example.org/b.jpg --why why.png
  lookalike compare a.jpg mirrored.jpg --model vgg16
  lookalike compare index:cats/tom.jpg holiday.jpg --index photos.idx
  lookalike compare old.png new.png --quiet > /dev/null && echo unchanged`,
		Args:        cli.Arguments("A", "B"),
		Annotations: map[string]string{cli.FailureStatus: fmt.Sprint(statusNotCompared)},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(a, cmd, args); err != nil {
				return err
			}
			hugepages.Avoid()
			return a.compare(cmd.Context(), args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.index, "index", "", "describe the pictures as in the index `FILE`, and use its threshold")
	modelFlags(cmd, &o.how)
	f.Lookup("layer").Usage = "describe by the output of the layer `NAME` of vgg16 or vgg19 (default block5_pool)"
	f.Lookup("pool").Usage = "reduce each of the layer's channels to one number by `METHOD`: avg, max or none (default avg where block5_pool is the default layer, else none)"
	f.Lookup("model").Usage += " (default perceptual); with --index, the file of its model or weights, if they have moved"
	metricFlag(cmd, &o.metric)
	f.Var(&o.within, "within", "take pictures at a distance of at most `D` for the same (default depends on the model)")
	f.StringVar(&o.why, "why", "", "draw which parts of the pictures are alike to `FILE`, .png or .jpg")
	cli.JSONFlag(cmd, &o.json)
	o.queries.flags(cmd)
	f.StringVar(&o.photos, "photos", "", "the pictures of the index are in `DIR` now")
	orientationFlag(cmd, &o.asStored)
	return cmd
}

// check finds mistakes in the flags.
func (o *compareOptions) check(a *app, cmd *cobra.Command, args []string) error {
	o.how.Cache = a.cache
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if err := a.outputs.ReserveDrawing("why", o.why, args...); err != nil {
		return err
	}
	if o.index == "" {
		if o.photos != "" {
			return cli.Usagef("--photos is for pictures of an index; say which with --index FILE")
		}
		if imply(cmd, &o.how); o.how.Name == "" {
			o.how.Name = describe.Perceptual
		}
		if o.how.IsNetwork() && o.how.Layer == "" && o.how.Pooling == "" {
			o.how.Layer, o.how.Pooling = "block5_pool", vgg.Average.String() // what describe knows a limit for
		}
		return checkModel(cmd, o.how)
	}
	for _, name := range []string{"weights", "layer", "pool", "ground", "ignore-orientation"} {
		if cmd.Flags().Changed(name) {
			return cli.Usagef("give only one of --index, which says how its pictures were described, and --%s", name)
		}
	}
	return nil
}

func (a *app) compare(ctx context.Context, args []string, o compareOptions) error {
	var c *collection
	if o.index != "" {
		var err error
		if c, err = openCollection(a, o.index, o.photos, lookalike.ModelFile(o.how.Name)); err != nil {
			return err
		}
		defer c.Close()
	}
	var both []query
	for _, arg := range args {
		found, done, err := findQueries(ctx, a, c, []string{arg}, o.queries)
		if err != nil {
			return err
		}
		defer done()
		if len(found) != 1 || !found[0].named {
			return cli.Usagef("%s is a folder or an archive; give one picture", arg)
		}
		both = append(both, found[0])
	}
	// What an index knows of its pictures is known of one that is made for these.
	// Two pictures of an index have their vectors, and may have no network.
	g, options := &gallery.Gallery{}, picture.Options{IgnoreOrientation: o.asStored}
	if c != nil {
		g, options = c.Gallery, c.Recipe.Options()
	}
	var model describe.Model // of the pictures, or for why
	by := func(all []lookalike.Query, how ...lookalike.DescribeOption) ([]lookalike.Query, error) {
		if c != nil {
			return c.index.Describe(ctx, all, how...)
		}
		return lookalike.Describe(ctx, model, all, options, how...)
	}
	var err error
	switch {
	case c == nil:
		if model, err = openModel(o.how); err == nil {
			defer model.Close()
		}
	case o.why != "":
		model, err = c.index.Model()
	}
	if err != nil {
		return err
	}
	var mapper describe.Mapper // for why
	if o.why != "" {
		var done func()
		if mapper, done, err = withMaps(model, a.cache); err != nil {
			return err
		}
		defer done()
	}
	if both, err = describeQueries(&a.Terminal, both, true, by); err != nil {
		return err
	}
	if c == nil {
		g = &gallery.Gallery{Recipe: model.Recipe(), Vectors: tensor.New(0, len(both[0].Vector()))}
	}
	metric, err := metricOf(o.metric, g)
	if err != nil {
		return err
	}
	if err := checkWithin(o.within, metric); err != nil {
		return err
	}
	result := compared{A: both[0].name, B: both[1].name, Metric: metric.String(), DescribedBy: vectors(g)}
	if result.Distance, err = distanceOf(ctx, both[0].Vector(), both[1].Vector(), metric); err != nil {
		return err
	}
	if result.Within, result.From = sameWithin(g, metric, o.within, forCompare); result.From == "" {
		return fmt.Errorf("their %s distance is %.4f; %w", metric, result.Distance, o.unknown(g, metric))
	}
	if result.SameBytes, err = sameBytes(c, both); err != nil {
		return err
	}
	result.Same = result.SameBytes
	if !result.SameBytes && result.Distance <= result.Within {
		look := func(a, b lookalike.Query) error { return lookalike.SecondLook(ctx, a, b, options) }
		if c != nil {
			look = func(a, b lookalike.Query) error { return c.index.SecondLook(ctx, a, b) }
		}
		reason := look(both[0].Query, both[1].Query)
		if errors.Is(reason, lookalike.ErrUnlike) && g.Recipe.Model != describe.Perceptual {
			reason = nil // a network knows what pixels do not show, such as that one is mirrored
		}
		switch {
		case reason == nil:
			result.Same = true
		case errors.Is(reason, lookalike.ErrUnlike), errors.Is(reason, lookalike.ErrTooLittle), errors.Is(reason, lookalike.ErrMore):
			result.Refused = reason.Error()
		default:
			return fmt.Errorf("they cannot be looked at a second time: %w", reason)
		}
	}
	if o.why != "" {
		if result.Why, err = drawWhy(ctx, &a.Terminal, o.why, mapper, both, options, verdict(&result)); err != nil {
			return err
		}
		a.Wrote(o.why, "what makes them alike")
	}
	a.different = !result.Same
	if o.json {
		return a.PrintJSON(result)
	}
	a.printCompared(&result, o)
	return nil
}

// distanceOf returns the distance of two vectors, as a search finds it.
func distanceOf(ctx context.Context, a, b []float32, metric knn.Metric) (float64, error) {
	index, err := knn.New(tensor.From(a, 1, len(a)), metric)
	if err != nil {
		return 0, err
	}
	found, err := index.Search(ctx, [][]float32{b}, 1)
	if err != nil {
		return 0, err
	}
	return found[0][0].Distance, nil
}

// unknown is the error that no distance is known up to which pictures are the same.
func (o *compareOptions) unknown(g *gallery.Gallery, metric knn.Metric) error {
	if o.index != "" {
		return fmt.Errorf("nothing says up to which %s distance two pictures of %s are the same; find it with '%s', or give --within D",
			metric, o.index, cli.Typed("threshold", o.index))
	}
	return fmt.Errorf("nothing says up to which %s distance two pictures are the same by %s; give --within D, or --index FILE with a threshold that 'lookalike threshold' has found", metric, describe.Words(g.Recipe))
}

// sameBytes tells whether the files of two queries are equal. Of an index's
// pictures that is on record, if the index was made of files.
func sameBytes(c *collection, both []query) (bool, error) {
	var sums [2][sha256.Size]byte
	for i, q := range both {
		if q.row >= 0 {
			sums[i] = c.Files[q.row].SHA256
			continue
		}
		var err error
		if sums[i], err = q.SHA256(); err != nil {
			return false, unread(&lookalike.SkipError{Path: q.name, Err: err})
		}
	}
	return sums[0] == sums[1] && sums[0] != [sha256.Size]byte{}, nil
}

// verdict is the result in a line.
func verdict(r *compared) string {
	digits := words.Decimals(max(r.Distance, r.Within))
	if r.SameBytes {
		return fmt.Sprintf("The same: equal files, %s distance %.*f", r.Metric, digits, r.Distance)
	}
	if r.Refused != "" {
		word := "Different"
		if r.Refused == lookalike.ErrTooLittle.Error() {
			word = "Cannot tell"
		}
		return fmt.Sprintf("%s: %s, at a %s distance of %.*f", word, r.Refused, r.Metric, digits, r.Distance)
	}
	if r.Same {
		return fmt.Sprintf("The same: %s distance %.*f, at most %.*f", r.Metric, digits, r.Distance, digits, r.Within)
	}
	return fmt.Sprintf("Different: %s distance %.*f, over %.*f", r.Metric, digits, r.Distance, digits, r.Within)
}

func (a *app) printCompared(r *compared, o compareOptions) {
	text := verdict(r) + "\n"
	from := map[string]string{
		fromGiven:             "as given",
		fromDefault:           "the default (see 'lookalike compare --help')",
		gallery.FromLabels:    "from " + o.index + ", where it tells kinds of things apart",
		gallery.FromDistances: "from " + o.index + ", where it tells copies from others",
	}[r.From]
	text += fmt.Sprintf("Compared by %s. The limit is %s.\n", r.DescribedBy, from)
	if r.Why != nil {
		text += r.Why.text() + "\n"
		if p := r.Why.Placement; !r.Same && p != nil && float64(p.Matches) >= copyLike*float64(r.Why.Matches) {
			text += "This many matches mean that one may be a cut or changed copy of the other, whatever the distance.\n"
		}
	}
	a.Print("%s", text[:len(text)-1])
}
