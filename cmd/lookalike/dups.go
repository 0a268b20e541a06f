package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/internal/atomicfile"
	"lookalike/internal/realpath"
	"lookalike/internal/words"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/weights/published"
)

// dupsOptions are the flags of dups.
type dupsOptions struct {
	how    describe.Spec
	pca    int // principal components, 0 for none
	within cli.Distance
	exact  bool

	unverified bool // go by vectors alone
	metric     string
	photos     string

	json        bool
	sheet, html string

	moveTo   string
	hardlink bool
	apply    bool
	dryRun   bool
	journal  string
	undo     string

	pictures picture.Options
}

func (a *app) dupsCommand() *cobra.Command {
	o := dupsOptions{within: cli.NewDistance()}
	cmd := &cobra.Command{
		Use:   "dups DIR|INDEX",
		Short: "Find near duplicates, and move them out of the way",
		Long: fmt.Sprintf(`Finds groups of pictures that are near duplicates of each other: the same
photograph in another size, format or quality, lightened or marked. In each group
the best copy comes first: the one of most pixels, then of the largest file, then
the oldest, then the first by path. Each other is within a distance of that one,
which is shown, and a second look at the pixels of both, one laid over the other,
confirms that they are the same picture. Files of the same bytes are always found.

What holds too little to tell, such as blank pictures or pages with nothing but a
title, is not called the same unless its pixels are equal. A file of several frames
or pages, or a camera raw file, is a duplicate only of files of the same bytes.
Transparent pictures are compared on light and on dark ground.

A folder is described without a network by the brightness and colours of each
picture, cell by cell (the model "perceptual"), for that tells copies from others
better than the features of VGG16 and takes a few milliseconds a picture; --model
takes another one. What is described is kept in the cache folder, so that the
next time only new pictures are. An index is taken as it is.

--within says how far a duplicate may be from the best. Without it the distance is
  %.2f  (Euclidean) for perceptual descriptions. Among the 4.7 million pairs of
        3,068 photographs this took 26, all of them true. It finds copies that
        were resized, saved again or blurred, most of those made lighter or
        darker, half of those made grey or written on; not those cut, turned or
        mirrored;
  what 'lookalike threshold INDEX --by distances' has saved in the index;
  %.2f  (cosine) for block5_pool of VGG16 or VGG19, averaged. This mixes up
        some pictures that are only much alike; look before you move them.
A threshold from labels is not used: it tells kinds of things, not copies. For
any other index --within must be given. --exact finds files of the same bytes only,
--unverified also what the second look does not confirm; that is never moved.

Nothing is touched unless --apply is given. --move-to DIR moves all but the best
of each group to DIR, below the same names; --hardlink turns files of the same
bytes into one file with several names, and leaves all others alone. No picture is
deleted or overwritten. Before a file is touched it is read and compared with what
was indexed, and so is the one that stays. What has changed is left and named;
symbolic links are left out from the start. Every step is written to a journal
before it is done: with --move-to in DIR, with --hardlink in the current folder,
unless --journal says where. 'dups --undo JOURNAL' takes back what has been done,
also after a run that was stopped or killed; with --dry-run it only tells. Give
the same command again to go on. An index has to be brought up to date afterwards
with 'lookalike index'.

With --json the result is one object:
  {"root": "/home/me/photos", "metric": "euclidean", "within": 0.14,
   "pictures": 3068, "groups": [{"best": {"path": "a.jpg", "width": 1600,
     "height": 1200, "bytes": 421888, "modified": "2024-05-01T12:00:00Z"},
     "others": [{"path": …, "distance": 0.012, "same_as": "",
     "hard_link": false, "target": "/tmp/dups/b.jpg", "state": "planned",
     "reason": ""}]}],
   "refused": [{"a": "a.jpg", "b": "c.jpg", "reason": "their pixels differ"}],
   "action": "move", "applied": false, "journal": ""}
where same_as is the path of a picture of the same bytes, hard_link tells that it is
another name of a file that is listed already, refused are pairs within the distance
that the second look does not confirm (100 at most), target where a file goes
or whose link it becomes, and state planned, done, or left, with a reason unless
nothing was to be done.`, perceptualLimits().Copies, vggLimits().Copies),
		Example: `  lookalike dups photos
  lookalike dups photos --html duplicates.html
  lookalike dups photos --move-to duplicates        # says what would be moved
  lookalike dups photos --move-to duplicates --apply
  lookalike dups --undo duplicates/lookalike-dups-20261124-151500.jsonl
  lookalike dups photos.idx --within 0.05 --json | jq '.groups[].best.path'`,
		Args: func(_ *cobra.Command, args []string) error {
			if o.undo != "" {
				if len(args) > 0 {
					return cli.Usagef("--undo takes the files from its journal; leave %q out", args[0])
				}
				return nil
			}
			return cli.Arguments("DIR|INDEX")(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.undo != "" {
				return a.undoDups(cmd, o)
			}
			o.apply = o.apply || cmd.Flags().Changed("dry-run") && !o.dryRun
			return a.dups(cmd, args[0], o)
		},
	}
	f := cmd.Flags()
	f.Var(&o.within, "within", "take pictures at a distance of at most `D` for duplicates (default depends on the model)")
	f.BoolVar(&o.exact, "exact", false, "find files of the same bytes only")
	f.BoolVar(&o.unverified, "unverified", false, "go by the distance alone: list also what a second look does not confirm")
	metricFlag(cmd, &o.metric)
	cli.JSONFlag(cmd, &o.json)
	f.StringVar(&o.sheet, "sheet", "", "draw the groups as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.html, "html", "", "write the groups as a page to `FILE`")
	f.StringVar(&o.moveTo, "move-to", "", "move all but the best of each group to `DIR`")
	f.BoolVar(&o.hardlink, "hardlink", false, "turn files of the same bytes into links to one of them")
	f.BoolVar(&o.apply, "apply", false, "do it; without, only tell what would be done")
	f.BoolVar(&o.dryRun, "dry-run", false, "only tell what would be done (the default, but for --undo)")
	f.StringVar(&o.journal, "journal", "", "write down what is done to `FILE`, which must be new")
	f.StringVar(&o.undo, "undo", "", "take back what the run of the journal `FILE` did")
	indexModelFlags(cmd, &o.how, &o.pca)
	cmd.Flags().Lookup("model").Usage += " (for a folder; default perceptual)"
	f.StringVar(&o.photos, "photos", "", "the pictures of the index are in `DIR` now")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

func (o *dupsOptions) check(a *app, cmd *cobra.Command, source string) error {
	switch {
	case o.moveTo != "" && o.hardlink:
		return cli.Usagef("give only one of --move-to and --hardlink")
	case o.apply && o.dryRun:
		return cli.Usagef("give only one of --apply and --dry-run")
	case o.apply && o.moveTo == "" && !o.hardlink:
		return cli.Usagef("--apply does what --move-to DIR or --hardlink says; give one of them")
	case o.unverified && (o.moveTo != "" || o.hardlink):
		return cli.Usagef("--unverified lists pictures that may be others; nothing is put away by it")
	case o.exact && o.within.Given():
		return cli.Usagef("give only one of --exact and --within")
	case cmd.Flags().Changed("move-to") && o.moveTo == "":
		return cli.Usagef("--move-to: give a folder")
	}
	if o.apply && o.journal != "" {
		if _, err := os.Lstat(o.journal); err == nil {
			return fmt.Errorf("cannot write the journal: there is a file %s already; choose another name", o.journal)
		}
	}
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if err := a.outputs.ReserveDrawing("sheet", o.sheet, source); err != nil {
		return err
	}
	return a.outputs.ReservePage("html", o.html, source)
}

func (a *app) dups(cmd *cobra.Command, source string, o dupsOptions) error {
	ctx := cmd.Context()
	if err := o.check(a, cmd, source); err != nil {
		return err
	}
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("there is no folder and no index %s", source)
	}
	var c *collection
	if info.IsDir() {
		c, err = a.describeFolder(cmd, source, o)
	} else {
		for _, name := range []string{"model", "weights", "layer", "pool", "ground", "pca", "ignore-orientation"} {
			if cmd.Flags().Changed(name) {
				return cli.Usagef("--%s is for a folder; an index has been described already", name)
			}
		}
		c, err = openCollection(a, source, o.photos)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	if err := checkWithin(o.within, metric); err != nil {
		return err
	}
	within, from, err := o.limit(c, metric, source)
	if err != nil {
		return err
	}
	limit := lookalike.Within(within)
	if o.exact {
		limit = lookalike.SameBytes()
	}
	if o.moveTo != "" || o.hardlink {
		if err := o.checkFiles(c); err != nil {
			return err
		}
	}

	links := c.links()
	p := a.Progress("Comparing", "images", len(c.Entries))
	var r refusals
	how := []lookalike.SearchOption{lookalike.By(metric), limit,
		lookalike.Where(func(e lookalike.Entry) bool { return !links[e.Path] }),
		lookalike.Comparing(func(done, _ int) { p.Set(done) }),
		lookalike.Refusing(func(best, other int, reason error) {
			r.add(c.Entries[best].Path, c.Entries[other].Path, reason)
		})}
	if o.unverified {
		how = append(how, lookalike.Unverified())
	}
	groups, err := c.index.Duplicates(ctx, how...)
	p.End()
	if err != nil {
		return err
	}
	if len(links) > 0 {
		a.Warn("note: %s left out", words.Count(len(links), "symbolic link"))
	}
	r.tell(a)
	d := newDupsFound(c, groups, metric, within, len(c.Entries)-len(links))
	d.Refused = append(d.Refused, r.first...)
	d.plan(c, o)
	stopped := a.apply(ctx, c, groups, d, o)
	if stopped != nil && !d.Applied {
		return stopped
	}
	if err := a.drawGroups(ctx, c, groups, d, o); err != nil && stopped == nil {
		return err
	}
	if o.json {
		err = a.PrintJSON(d)
	} else {
		err = a.printGroups(c, d, from, o)
	}
	if stopped != nil {
		return stopped
	}
	return err
}

// describeFolder indexes a folder, in the program's cache.
func (a *app) describeFolder(cmd *cobra.Command, dir string, o dupsOptions) (*collection, error) {
	if o.photos != "" {
		return nil, cli.Usagef("--photos is for an index")
	}
	if o.how.Name == "" {
		o.how.Name = describe.Perceptual
	}
	if err := checkModel(cmd, o.how); err != nil {
		return nil, err
	}
	o.how.Cache = a.cache
	set, err := folder(dir, o.pictures)
	if err != nil {
		return nil, err
	}
	model, err := openModel(o.how)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	d := describe.For(model, o.pca)
	d.Recipe = d.Recipe.Reading(o.pictures)
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	index, remove, err := a.cachedIndex(realpath.Follow(root), d)
	if err != nil {
		return nil, err
	}
	defer remove()
	components := lookalike.Components(o.pca)
	_, err = updateIndex(cmd.Context(), &a.Terminal, index, set, dir, model, components)
	if errors.Is(err, lookalike.ErrDamaged) || errors.Is(err, lookalike.ErrOld) || errors.Is(err, lookalike.ErrRecipe) { // it is the cache's
		_, err = updateIndex(cmd.Context(), &a.Terminal, index, set, dir, model, components, lookalike.Anew())
	}
	if err != nil {
		return nil, err
	}
	return openCollection(a, index, "")
}

// cachedIndex is where the index of a folder is kept between runs of dups. The name
// does not depend on a hash of published weights, so that the index can tell it.
// Where there can be no cache, it is a temporary file that remove removes, or the next
// run if this one is killed.
func (a *app) cachedIndex(root string, d indexing.Describer) (path string, remove func(), err error) {
	key := strings.Join([]string{root, d.Recipe.Fingerprint(), d.Recipe.WeightsFile, strconv.Itoa(d.Components)}, "\x00")
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:12]) + ".idx"
	if cache, err := published.Store(a.cache).Folder(); err == nil {
		dir := filepath.Join(cache, "dups")
		if os.MkdirAll(dir, 0o755) == nil && cli.CheckOutput(filepath.Join(dir, name)) == nil {
			return filepath.Join(dir, name), func() {}, nil
		}
	}
	output, err := atomicfile.Reserve(atomicfile.TempName(os.TempDir()))
	if err != nil {
		return "", nil, err
	}
	return output.Temporary(), output.Close, nil
}

// limit returns the distance up to which pictures are duplicates, NaN if only files
// of the same bytes are, and where it comes from.
func (o *dupsOptions) limit(c *collection, metric knn.Metric, source string) (within float64, from string, err error) {
	if o.exact {
		return math.NaN(), "", nil
	}
	if within, from = sameWithin(c.Gallery, metric, o.within, forDups); from == "" {
		err = fmt.Errorf("nothing says up to which %s distance pictures of %s are duplicates; find it with '%s', or give --within D, or --exact for files of the same bytes",
			metric, source, cli.Typed("threshold", source, "--by", gallery.FromDistances))
	}
	return within, from, err
}

// links returns which pictures of a folder are symbolic links: other names of
// files, not copies.
func (c *collection) links() map[string]bool {
	links := map[string]bool{}
	for row, e := range c.Entries {
		if info, err := os.Lstat(c.path(row)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			links[e.Path] = true
		}
	}
	return links
}
