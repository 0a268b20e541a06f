package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookalike/gallery"
	"lookalike/internal/atomicfile"
	"lookalike/internal/dedup"
	"lookalike/internal/fetch"
	"lookalike/internal/perceptual"
	"lookalike/internal/sheet"
	"lookalike/internal/webpage"
	"lookalike/knn"
	"lookalike/picture"
)

// dupsOptions are the flags of dups.
type dupsOptions struct {
	how    describeOptions
	within distance
	exact  bool
	metric string
	photos string

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

// dupsFound is what dups prints with --json.
type dupsFound struct {
	Root     string      `json:"root"`     // the folder that paths are relative to
	Metric   string      `json:"metric"`   // of the distances
	Within   *float64    `json:"within"`   // the greatest distance of a duplicate; null: files of the same bytes only
	Pictures int         `json:"pictures"` // that were compared
	Groups   []dupsGroup `json:"groups"`
	Action   string      `json:"action"`  // "none", "move" or "hardlink"
	Applied  bool        `json:"applied"` // false: nothing was touched
	Journal  string      `json:"journal"` // "" if none was written
}

type dupsGroup struct {
	Best   dupsPicture `json:"best"`
	Others []dupsOther `json:"others"`
}

type dupsPicture struct {
	Path     string    `json:"path"`
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

type dupsOther struct {
	dupsPicture
	Distance float64 `json:"distance"` // from the best
	SameAs   string  `json:"same_as"`  // path of the picture of the same bytes, "" if there is none

	Target string `json:"target"` // where it is to go, or whose link it is to become; "" if it stays
	State  string `json:"state"`  // "planned", "done" or "left"
	Reason string `json:"reason"` // why it was left
}

func (a *app) dupsCommand() *cobra.Command {
	o := dupsOptions{within: newDistance()}
	cmd := &cobra.Command{
		Use:   "dups DIR|INDEX",
		Short: "Find near duplicates, and move them out of the way",
		Long: fmt.Sprintf(`Finds groups of pictures that are near duplicates of each other: the same
photograph in another size, format or quality, lightened or marked. In each group
the best copy comes first: the one of most pixels, then of the largest file, then
the oldest, then the first by path. Each other is within a distance of that one,
which is shown. Files of the same bytes are always found.

A folder is described without a network by the brightness and colours of each
picture, cell by cell (the model "perceptual"), for that tells copies from others
better than the features of VGG16 and takes a few milliseconds a picture; --model
takes another one. What is described is kept in the cache folder, so that the
next time only new pictures are. An index is taken as it is.

--within says how far a duplicate may be from the best. Without it the distance is
  %.2f  (Euclidean) for perceptual descriptions. Among the 4.7 million pairs of
        3,068 photographs this took 26, all of them true. It finds copies that were
        resized, saved again or blurred, most of those made lighter or darker, half
        of those made grey or written on; not those cut, turned or mirrored;
  what 'lookalike threshold INDEX --by distances' has saved in the index;
  %.2f  (cosine) for block5_pool of VGG16 or VGG19, averaged. This mixes up
        some pictures that are only much alike; look before you move them.
A threshold from labels is not used: it tells kinds of things, not copies. For
any other index --within must be given. --exact finds files of the same bytes only.

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
  {"root": "/home/me/photos", "metric": "euclidean", "within": 0.14, "pictures": 3068,
   "groups": [{"best": {"path": "a.jpg", "width": 1600, "height": 1200,
     "bytes": 421888, "modified": "2024-05-01T12:00:00Z"}, "others": [{"path": …,
     "distance": 0.012, "same_as": "", "target": "/tmp/dups/b.jpg",
     "state": "planned", "reason": ""}]}],
   "action": "move", "applied": false, "journal": ""}
where same_as is the path of a picture of the same bytes, target where a file goes
or whose link it becomes, and state planned, done, or left for a reason.`, perceptual.Within, vggWithin),
		Example: `  lookalike dups photos
  lookalike dups photos --html duplicates.html
  lookalike dups photos --move-to duplicates            # tells what would be moved
  lookalike dups photos --move-to duplicates --apply
  lookalike dups --undo duplicates/lookalike-dups-20261124-151500.jsonl
  lookalike dups photos.idx --within 0.05 --json | jq '.groups[].best.path'`,
		Args: func(_ *cobra.Command, args []string) error {
			if o.undo != "" {
				return arguments()(nil, args)
			}
			return arguments("DIR|INDEX")(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.undo != "" {
				return a.undoDups(cmd, o)
			}
			return a.dups(cmd, args[0], o)
		},
	}
	f := cmd.Flags()
	f.Var(&o.within, "within", "take pictures at a distance of at most `D` for duplicates (default: see above)")
	f.BoolVar(&o.exact, "exact", false, "find files of the same bytes only")
	metricFlag(cmd, &o.metric)
	jsonFlag(cmd, &o.json)
	f.StringVar(&o.sheet, "sheet", "", "draw the groups as a contact sheet to `FILE`, .png or .jpg")
	f.StringVar(&o.html, "html", "", "write the groups as a page to `FILE`")
	f.StringVar(&o.moveTo, "move-to", "", "move all but the best of each group to `DIR`")
	f.BoolVar(&o.hardlink, "hardlink", false, "turn files of the same bytes into links to one of them")
	f.BoolVar(&o.apply, "apply", false, "do it; without, only tell what would be done")
	f.BoolVar(&o.dryRun, "dry-run", false, "only tell what would be done (the default, but for --undo)")
	f.StringVar(&o.journal, "journal", "", "write down what is done to `FILE`, which must be new")
	f.StringVar(&o.undo, "undo", "", "take back what the run of the journal `FILE` did")
	o.how.flags(cmd)
	cmd.Flags().Lookup("model").Usage += " (for a folder; default perceptual)"
	f.StringVar(&o.photos, "photos", "", "the pictures of the index are in `DIR` now")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

// vggWithin is the cosine distance up to which two pictures count as duplicates by
// VGG16's block5_pool, averaged. Among the 4.7 million pairs of photographs of
// Caltech-101 two others than true ones are as near; of copies of 100
// photographs it finds 91 enlarged, 85 made brighter or written on, 49 saved as
// JPEG of quality 20, 16 halved, and none blurred or brought to a third.
const vggWithin = 0.03

func (o *dupsOptions) check(cmd *cobra.Command, source string) error {
	switch {
	case o.moveTo != "" && o.hardlink:
		return usagef("give only one of --move-to and --hardlink")
	case o.apply && o.dryRun:
		return usagef("give only one of --apply and --dry-run")
	case o.apply && o.moveTo == "" && !o.hardlink:
		return usagef("--apply does what --move-to DIR or --hardlink says; give one of them")
	case o.exact && o.within.given():
		return usagef("give only one of --exact and --within")
	case cmd.Flags().Changed("move-to") && o.moveTo == "":
		return usagef("--move-to: give a folder")
	}
	if o.apply && o.journal != "" {
		if _, err := os.Lstat(o.journal); err == nil {
			return fmt.Errorf("cannot write the journal: there is a file %s already; choose another name", o.journal)
		}
	}
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if err := checkDrawing("sheet", o.sheet, source); err != nil {
		return err
	}
	return checkPage("html", o.html, source)
}

func (a *app) dups(cmd *cobra.Command, source string, o dupsOptions) error {
	ctx := cmd.Context()
	if err := o.check(cmd, source); err != nil {
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
		for _, name := range []string{"model", "weights", "layer", "pool", "pca", "ignore-orientation"} {
			if cmd.Flags().Changed(name) {
				return usagef("--%s is for a folder; an index has been described already", name)
			}
		}
		c, err = openCollection(source, o.photos)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	within, from, err := o.threshold(c, metric, source)
	if err != nil {
		return err
	}
	if o.moveTo != "" || o.hardlink {
		if err := o.checkFiles(c); err != nil {
			return err
		}
	}

	links := c.links()
	p := a.progress("Comparing", "images", len(c.Entries))
	groups, err := dedup.Groups(ctx, c.Gallery, dedup.Options{Metric: metric, Within: within,
		Skip: func(row int) bool { return links[row] }, Done: func(n int) { p.set(n) }})
	p.end()
	if err != nil {
		return err
	}
	if len(links) > 0 {
		a.warn("note: %s left out", count(len(links), "symbolic link"))
	}
	d := newDupsFound(c, groups, metric, within, len(c.Entries)-len(links))
	d.plan(c, o)
	stopped := a.apply(ctx, c, groups, d, o)
	if stopped != nil && !d.Applied {
		return stopped
	}
	if err := a.drawGroups(ctx, c, groups, d, o); err != nil && stopped == nil {
		return err
	}
	if o.json {
		err = a.printJSON(d)
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
		return nil, usagef("--photos is for an index")
	}
	if o.how.model == "" {
		o.how.model = perceptualModel
	}
	if err := o.how.check(cmd); err != nil {
		return nil, err
	}
	o.how.exif = orientation(o.pictures.IgnoreOrientation)
	set, err := folder(dir, o.pictures)
	if err != nil {
		return nil, err
	}
	file, err := o.how.file()
	if err != nil {
		return nil, err
	}
	describer, network, err := o.how.open(file)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	if slices.Contains(networks, o.how.model) {
		if err := identify(&describer.Recipe, gallery.Recipe{}); err != nil {
			return nil, err
		}
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	index, remove, err := cachedIndex(resolved(root), describer)
	if err != nil {
		return nil, err
	}
	defer remove()
	if _, err := gallery.Inspect(index); err != nil && !errors.Is(err, fs.ErrNotExist) {
		os.Remove(index) // it is the cache's, and will be made anew
	}
	if _, _, err := a.index(cmd.Context(), index, set, dir, describer); err != nil {
		return nil, err
	}
	return openCollection(index, "")
}

// cachedIndex is where the index of a folder is kept between runs of dups. Where
// there can be no cache, it is a temporary file that remove removes.
func cachedIndex(root string, d gallery.Describer) (path string, remove func(), err error) {
	sum := sha256.Sum256([]byte(root + "\x00" + d.Recipe.Fingerprint() + "\x00" + strconv.Itoa(d.Components)))
	name := hex.EncodeToString(sum[:12]) + ".idx"
	if cache, err := fetch.CacheFolder(); err == nil {
		dir := filepath.Join(cache, "dups")
		if os.MkdirAll(dir, 0o755) == nil && checkOutput(filepath.Join(dir, name)) == nil {
			return filepath.Join(dir, name), func() {}, nil
		}
	}
	dir, err := os.MkdirTemp("", "lookalike-dups-")
	return filepath.Join(dir, name), func() { os.RemoveAll(dir) }, err
}

// threshold returns the distance up to which pictures are duplicates, NaN if only
// files of the same bytes are, and where it comes from.
func (o *dupsOptions) threshold(c *collection, metric knn.Metric, source string) (within float64, from string, err error) {
	t, saved := c.Threshold(metric.String())
	r := c.Recipe
	switch {
	case o.exact:
		return math.NaN(), "", nil
	case o.within.given():
		return float64(o.within), "as given", nil
	case saved && t.Method == gallery.FromDistances:
		return t.Distance, "saved in the index", nil
	case r.Model == perceptualModel && c.PCA == nil && metric == knn.Euclidean:
		return perceptual.Within, "by default", nil
	case slices.Contains(networks, r.Model) && r.Layer == "block5_pool" && r.Pooling == "avg" && c.PCA == nil && metric == knn.Cosine:
		return vggWithin, "by default", nil
	}
	return 0, "", fmt.Errorf("up to which %s distance pictures of %s are duplicates is not known; let '%s' find it, or give --within D, or --exact for files of the same bytes",
		metric, source, typed("threshold", source, "--by", gallery.FromDistances))
}

// checkFiles makes sure that files may be moved or linked at all.
func (o *dupsOptions) checkFiles(c *collection) error {
	if info, err := os.Stat(c.root); err != nil {
		return fmt.Errorf("the pictures of %s are not at %s; if they have moved, say where they are with --photos DIR", c.file, c.root)
	} else if !info.IsDir() {
		return fmt.Errorf("%s is an archive, of which no file can be moved or linked", c.root)
	}
	if o.moveTo == "" {
		return nil
	}
	to, err := filepath.Abs(o.moveTo)
	if err != nil {
		return err
	}
	root, err := filepath.Abs(c.root)
	if err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && !info.IsDir() {
		return fmt.Errorf("--move-to %s: it is a file; give a folder", o.moveTo)
	}
	if rel, err := filepath.Rel(resolved(root), resolvedAbove(to)); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("--move-to %s: it lies in %s, where the pictures would be found again; give a folder elsewhere", o.moveTo, c.root)
	}
	return nil
}

// resolvedAbove is resolved for a path of which the last folders need not exist.
func resolvedAbove(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(resolvedAbove(dir), filepath.Base(path))
	}
	return path
}

// links returns which pictures of a folder are symbolic links: other names of
// files, not copies.
func (c *collection) links() map[int]bool {
	links := map[int]bool{}
	for row := range c.Entries {
		if info, err := os.Lstat(c.path(row)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			links[row] = true
		}
	}
	return links
}

func newDupsFound(c *collection, groups []dedup.Group, metric knn.Metric, within float64, pictures int) *dupsFound {
	d := &dupsFound{Root: c.root, Metric: metric.String(), Pictures: pictures, Groups: []dupsGroup{}, Action: "none"}
	if !math.IsNaN(within) {
		d.Within = &within
	}
	describe := func(row int) dupsPicture {
		e, f := c.Entries[row], c.Files[row]
		return dupsPicture{e.Path, e.Width, e.Height, f.Size, f.Modified}
	}
	for _, g := range groups {
		group := dupsGroup{Best: describe(g.Best)}
		for _, other := range g.Others {
			out := dupsOther{dupsPicture: describe(other.Row), Distance: other.Distance, State: "left"}
			if other.Same >= 0 {
				out.SameAs = c.Entries[other.Same].Path
			}
			group.Others = append(group.Others, out)
		}
		d.Groups = append(d.Groups, group)
	}
	return d
}

// plan says what is to become of each duplicate.
func (d *dupsFound) plan(c *collection, o dupsOptions) {
	switch {
	case o.moveTo != "":
		d.Action = "move"
	case o.hardlink:
		d.Action = "hardlink"
	}
	to, err := filepath.Abs(o.moveTo)
	if err != nil {
		to = o.moveTo
	}
	for i := range d.Groups {
		for k := range d.Groups[i].Others {
			other := &d.Groups[i].Others[k]
			switch {
			case d.Action == "move":
				other.Target, other.State = filepath.Join(to, filepath.FromSlash(other.Path)), "planned"
			case d.Action == "hardlink" && other.SameAs != "":
				other.Target, other.State = filepath.Join(c.root, filepath.FromSlash(other.SameAs)), "planned"
			case d.Action == "hardlink":
				other.Reason = "its bytes are not those of another file"
			}
		}
	}
}

// apply does what is planned, if it is to be done. What cannot be done is left,
// with the reason.
func (a *app) apply(ctx context.Context, c *collection, groups []dedup.Group, d *dupsFound, o dupsOptions) error {
	total := 0
	for _, g := range d.Groups {
		for _, other := range g.Others {
			if other.State == "planned" {
				total++
			}
		}
	}
	if !o.apply || total == 0 {
		return nil
	}
	journal, err := o.newJournal()
	if err != nil {
		return err
	}
	name := journal.Path
	d.Applied, d.Journal = true, name
	job := map[string]string{"move": "Moving", "hardlink": "Linking"}[d.Action]
	p := a.progress(job, "files", total)
	defer p.end()
	done := 0
	var stopped error
	for i := range d.Groups {
		var best error // of the file that stays
		if d.Action == "move" && ctx.Err() == nil {
			_, best = dedup.Examine(c.absolute(groups[i].Best), c.Files[groups[i].Best].SHA256)
		}
		for k := range d.Groups[i].Others {
			other, row := &d.Groups[i].Others[k], groups[i].Others[k].Row
			if other.State != "planned" || ctx.Err() != nil {
				continue
			}
			err := best
			switch {
			case best != nil:
			case d.Action == "move":
				var to string
				if to, err = journal.Move(c.absolute(row), other.Target, c.Files[row].SHA256); err == nil {
					other.Target = to
				}
			default:
				err = journal.Link(c.absolute(row), c.absolute(groups[i].Others[k].Same), c.Files[row].SHA256)
			}
			if other.State = "done"; err != nil {
				other.State, other.Reason = "left", strings.TrimPrefix(withoutPath(err).Error(), c.absolute(row)+" ")
				if best != nil {
					other.Reason = "the best copy: " + withoutPath(err).Error()
				}
				if !errors.Is(err, dedup.ErrLinked) {
					a.warn("left %s: %s", printable(other.Path), other.Reason)
					a.skipped++
				}
			}
			done++
			p.set(done)
		}
	}
	p.end()
	if err := journal.Close(); err != nil {
		return err
	}
	if _, err := os.Stat(name); err != nil {
		d.Journal = "" // nothing was done
	}
	if ctx.Err() != nil {
		stopped = stoppedError(fmt.Sprintf("stopped after %d of %s; to go on, give the same command again; to take them back: %s", done, count(total, "file"), typed("dups", "--undo", name)))
	}
	return stopped
}

// newJournal begins the journal that --journal names, or one of a name of its own.
func (o *dupsOptions) newJournal() (*dedup.Journal, error) {
	if o.journal != "" {
		return dedup.Create(o.journal, "lookalike "+version())
	}
	stem := "lookalike-dups-" + time.Now().Format("20060102-150405")
	if o.moveTo != "" {
		if err := os.MkdirAll(o.moveTo, 0o755); err != nil {
			return nil, err
		}
		stem = filepath.Join(o.moveTo, stem)
	}
	for name, n := stem+".jsonl", 2; ; n++ {
		j, err := dedup.Create(name, "lookalike "+version())
		if !errors.Is(err, fs.ErrExist) {
			return j, err
		}
		name = fmt.Sprintf("%s-%d.jsonl", stem, n)
	}
}

// absolute is where the file of a picture is, for the journal.
func (c *collection) absolute(row int) string {
	path := c.path(row)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// withoutPath takes the operation off an error of the file system, whose path is
// shown beside it.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// printGroups prints the groups for a person to read.
func (a *app) printGroups(c *collection, d *dupsFound, from string, o dupsOptions) error {
	var b strings.Builder
	others, freed, largest := 0, int64(0), 0.0
	for _, g := range d.Groups {
		for _, other := range g.Others {
			others++
			freed += other.Bytes
			largest = max(largest, math.Abs(other.Distance))
		}
	}
	digits, width := decimals(largest), terminalWidth(a.out)
	for _, g := range d.Groups {
		fmt.Fprintf(&b, "best    %11s  %9s  %s\n", fmt.Sprintf("%dx%d", g.Best.Width, g.Best.Height), bytesOf(g.Best.Bytes), shorten(printable(g.Best.Path), width-32))
		for _, other := range g.Others {
			away := fmt.Sprintf("%.*f", digits, other.Distance)
			if other.SameAs != "" {
				away = "same"
			}
			fmt.Fprintf(&b, "%-8s%11s  %9s  %s\n", away, fmt.Sprintf("%dx%d", other.Width, other.Height), bytesOf(other.Bytes), shorten(printable(other.Path), width-32))
			switch {
			case other.State == "left" && other.Reason != "" && d.Applied:
				fmt.Fprintf(&b, "%32s%s\n", "left: ", other.Reason)
			case other.Target != "" && other.State != "left":
				verb := map[string]string{"moveplanned": "would go to", "movedone": "now", "hardlinkplanned": "would become a link to", "hardlinkdone": "now a link to"}[d.Action+other.State]
				fmt.Fprintf(&b, "%30s%s %s\n", "", verb, printable(other.Target))
			}
		}
		b.WriteString("\n")
	}
	what := "of the same bytes"
	if d.Within != nil {
		what = fmt.Sprintf("at a %s distance of at most %.4g (%s)", d.Metric, *d.Within, from)
	}
	if len(d.Groups) == 0 {
		fmt.Fprintf(&b, "No duplicates among %s in %s, %s.\n", count(d.Pictures, "picture"), printable(c.root), what)
	} else {
		fmt.Fprintf(&b, "%s with %s of %s, among %s in %s, %s.\n", count(len(d.Groups), "group"), count(others, "duplicate"), bytesOf(freed), count(d.Pictures, "picture"), printable(c.root), what)
	}
	if d.Action != "none" && len(d.Groups) > 0 {
		planned, done, left := 0, 0, 0
		for _, g := range d.Groups {
			for _, other := range g.Others {
				switch other.State {
				case "planned":
					planned++
				case "done":
					done++
				default:
					left++
				}
			}
		}
		verb := map[string]string{"move": "moved", "hardlink": "linked"}[d.Action]
		switch {
		case !d.Applied && planned > 0:
			fmt.Fprintf(&b, "Nothing was touched: %s would be %s. To do it, add --apply.\n", count(planned, "file"), verb)
		case !d.Applied:
			fmt.Fprintf(&b, "There is nothing to be %s.\n", verb)
		default:
			fmt.Fprintf(&b, "%s %s, %d left.\n", count(done, "file"), verb, left+planned)
			if d.Journal != "" {
				fmt.Fprintf(&b, "To take it back: %s\n", typed("dups", "--undo", d.Journal))
			}
		}
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}

// bytesOf writes a size for a person to read.
func bytesOf(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// drawGroups writes the sheet and the page. Pictures that have been moved are shown
// from where they are now.
func (a *app) drawGroups(ctx context.Context, c *collection, groups []dedup.Group, d *dupsFound, o dupsOptions) error {
	if o.sheet != "" {
		total, longest := 0, 0
		for _, g := range groups {
			total += 1 + len(g.Others)
			longest = max(longest, 1+len(g.Others))
		}
		if total > sheetMost {
			return fmt.Errorf("%d pictures are too many for a sheet, which has at most %d; write a page with --html", total, sheetMost)
		}
		var lists [][]sheet.Cell
		for i := range groups {
			cards, err := a.groupCards(ctx, c, groups[i], d, i, 4*sheet.DefaultHeight, sheet.DefaultHeight)
			if err != nil {
				return err
			}
			var cells []sheet.Cell
			for _, card := range cards {
				cells = append(cells, sheet.Cell{Image: card.Picture, Title: card.Badge})
			}
			lists = append(lists, cells)
		}
		if err := sheet.Write(o.sheet, sheet.Rows(lists, sheet.Options{Columns: min(longest, 2*sheetColumns)})); err != nil {
			return err
		}
	}
	if o.html == "" {
		return nil
	}
	var failed error
	duplicates, freed := 0, int64(0)
	for _, g := range d.Groups {
		duplicates += len(g.Others)
		for _, other := range g.Others {
			freed += other.Bytes
		}
	}
	p := webpage.Page{
		Title: fmt.Sprintf("%s of near duplicates", count(len(groups), "group")),
		Lead:  fmt.Sprintf("%s of %s, among %s in %s", count(duplicates, "duplicate"), bytesOf(freed), count(d.Pictures, "picture"), c.root),
		Facts: []webpage.Fact{{Name: "Described by", Value: source(c.Recipe)}, {Name: "Distance", Value: d.Metric}},
		Foot:  "Made by lookalike " + version() + ". The number on each picture is its distance from the best copy of its group.",
		Groups: func(yield func(webpage.Group) bool) {
			for i := range groups {
				cards, err := a.groupCards(ctx, c, groups[i], d, i, webpage.Side, webpage.Side)
				if err != nil {
					failed = err
					return
				}
				if !yield(webpage.Group{Title: printable(d.Groups[i].Best.Path), Note: count(len(groups[i].Others), "duplicate"), Cards: cards}) {
					return
				}
			}
		},
	}
	if d.Within != nil {
		p.Facts = append(p.Facts, webpage.Fact{Name: "At most", Value: fmt.Sprintf("%.4g", *d.Within)})
	}
	return atomicfile.Write(o.html, func(w io.Writer) error { return errors.Join(webpage.Write(w, p), failed) })
}

// groupCards shows the pictures of a group.
func (a *app) groupCards(ctx context.Context, c *collection, g dedup.Group, d *dupsFound, i, width, height int) ([]webpage.Card, error) {
	found := d.Groups[i]
	files := []string{c.path(g.Best)}
	open := []func() (io.ReadCloser, error){func() (io.ReadCloser, error) { return c.open(g.Best) }}
	for k, other := range g.Others {
		file, read := c.path(other.Row), func() (io.ReadCloser, error) { return c.open(other.Row) }
		if d.Action == "move" && found.Others[k].State == "done" {
			file = found.Others[k].Target
			read = func() (io.ReadCloser, error) { return os.Open(file) }
		}
		files, open = append(files, file), append(open, read)
	}
	small, errs, err := thumbnails(ctx, open, c.options(), width, height)
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
		card := webpage.Card{Name: printable(p.Path), Note: fmt.Sprintf("%d × %d, %s", p.Width, p.Height, bytesOf(p.Bytes)), Badge: badge, Lead: k == 0, Link: files[k]}
		if m != nil {
			card.Picture = m
		}
		if errs[k] != nil {
			a.warn("warning: not shown: %s: %v", printable(p.Path), errs[k])
			a.skipped++
			card.Missing, card.Link = "cannot be read", ""
		}
		cards = append(cards, card)
	}
	return cards, nil
}

// undoDups takes back what a run of dups did.
func (a *app) undoDups(cmd *cobra.Command, o dupsOptions) error {
	for _, name := range []string{"move-to", "hardlink", "within", "exact", "sheet", "html", "json", "model", "photos", "journal"} {
		if cmd.Flags().Changed(name) {
			return usagef("--%s has no meaning beside --undo", name)
		}
	}
	if o.apply && o.dryRun {
		return usagef("give only one of --apply and --dry-run")
	}
	back, left := 0, 0
	err := dedup.Undo(cmd.Context(), o.undo, o.dryRun, func(u dedup.Undone) {
		if u.Err != nil {
			left++
			a.warn("left %s: %v", printable(u.Path), u.Err)
			return
		}
		back++
		fmt.Fprintf(a.out, "%s\n", printable(u.Path))
	})
	if err != nil && cmd.Context().Err() != nil {
		return stoppedError(fmt.Sprintf("stopped after %s; to go on, give the same command again", count(back, "file")))
	}
	if err != nil {
		return err
	}
	verb := "is as it was"
	if back != 1 {
		verb = "are as they were"
	}
	if o.dryRun {
		verb = "would be as before"
	}
	fmt.Fprintf(a.out, "%s %s\n", count(back, "file"), verb)
	if left > 0 {
		return fmt.Errorf("%s could not be taken back; when what is in the way is gone, give the same command again", count(left, "file"))
	}
	return nil
}
