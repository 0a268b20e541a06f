package indexing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

const (
	// Pictures are written when so many wait, or so much, or when the last time was so long
	// ago: pendingTime, and what it may take to read the index, so that readers
	// find time between two transactions.
	pendingMost  = 1024
	pendingBytes = 16 << 20  // of vectors
	readingSpeed = 200 << 20 // bytes a second

	// someFiles are hashed or copied before ctx is asked, and written in one
	// transaction.
	someFiles = 256
)

// pendingTime is a variable for tests only.
var pendingTime = time.Second

// head is what an index of the describer's vectors says of itself.
func (d Describer) head(root string) gallery.Head {
	return gallery.Head{Root: root, Recipe: d.Recipe, Width: d.Width, Components: d.Components}
}

// bring brings an index up to date that is open for writing.
func bring(ctx context.Context, w *gallery.Writer, h gallery.Head, photos *album.Set, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	defer w.Abandon() // should a function of the caller panic, others may write again
	if w.Hidden() {
		if err := d.reach(photos); err != nil {
			return Changes{}, nil, err
		}
	}
	u := &updater{w: w, head: h, d: d, watch: watch}
	err := u.run(ctx, photos, fitBytes)
	u.changes.Pictures = w.Len()
	if watch.Worked != nil {
		watch.Worked(u.worked.all, u.worked.network)
	}
	if w.Hidden() {
		err = cmp.Or(err, fmt.Errorf("gallery: no picture that could be read among the %d files in %s", photos.Len(), h.Root))
	}
	return u.changes, u.skips, w.End(err)
}

// reach makes sure that the vectors can be brought to as many principal components
// as are wanted.
func (d Describer) reach(photos *album.Set) error {
	if most := min(photos.Len(), d.Width); d.Components < 0 || d.Components > most {
		return fmt.Errorf("gallery: %d principal components are asked for; %d files with %d values each have 1 to %d", d.Components, photos.Len(), d.Width, most)
	}
	return nil
}

// updater is one run of Update.
type updater struct {
	w     *gallery.Writer
	head  gallery.Head // what the index is to say of itself
	d     Describer
	watch Watch

	changes Changes
	worked  worked
	skips   []album.Skip
	done    int // files dealt with
	read    int // pictures, to be described

	pending   []gallery.Row
	waiting   Changes   // that the pending rows make
	described int       // pictures
	saved     time.Time // when the last transaction ended
}

func (u *updater) run(ctx context.Context, photos *album.Set, fitBytes int) error {
	if err := u.w.Check(u.head); err != nil {
		return err
	}
	plan, err := u.plan(ctx, photos)
	if err != nil {
		return err
	}
	had, root := u.w.Head().Root, u.head.Root
	if n := u.w.Len(); n > 0 && len(plan.gone) == n && len(plan.copies) == 0 && had != root {
		return fmt.Errorf("gallery: the index is of the pictures in %s, of which %s has none; choose another name for this folder's index", had, root)
	}
	if err := u.w.Note(u.head); err != nil {
		return err
	}
	u.saved = time.Now()
	if n := u.w.Len(); n > 0 && u.watch.Saved != nil {
		u.watch.Saved(n)
	}
	if err := u.copy(ctx, photos, &plan); err != nil {
		return err
	}
	if err := u.drop(ctx, plan.gone); err != nil {
		return err
	}
	u.changes.Dropped -= plan.renamed
	u.tell(photos.Len() - len(plan.describe))

	if u.d.Components > 0 && u.w.PCA() == nil {
		// The sample first; then the others can be brought to its components.
		first, rest := sample(plan.describe, photos.Len(), max(fitBytes/4/u.d.Width, 2*u.d.Components))
		if err := u.describe(ctx, photos, first); err != nil {
			return err
		}
		if u.w.Len() == 0 {
			return nil
		}
		if err := u.w.Reduce(); err != nil {
			return err
		}
		plan.describe = rest
	}
	return u.describe(ctx, photos, plan.describe)
}

// sample parts files into m that are evenly spaced among all n of the set, or all if
// there are no more, and the others.
func sample(files []described, n, m int) (in, out []described) {
	if m >= n {
		return files, nil
	}
	for _, f := range files {
		if k := (f.i*m + n - 1) / n; k*n/m == f.i { // file k*n/m is in the sample
			in = append(in, f)
		} else {
			out = append(out, f)
		}
	}
	return in, out
}

// copy enters files whose vectors the index has.
func (u *updater) copy(ctx context.Context, photos *album.Set, p *plan) error {
	found := make([]bool, len(p.gone)) // under another name
	for some := range slices.Chunk(p.copies, someFiles) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		paths := make([]string, len(some))
		for k, c := range some {
			paths[k] = c.from
		}
		sources, err := u.w.Rows(paths)
		if err != nil {
			return err
		}
		var rows []gallery.Row
		moved := 0
		for k, c := range some {
			r := sources[k]
			if r == nil || r.SHA256 != c.file.SHA256 {
				// Files that have changed places: an edit before has overwritten it.
				p.describe = append(p.describe, c.described)
				continue
			}
			path := photos.Path(c.i)
			e := gallery.Entry{Path: path, Label: photos.Label(c.i), Width: r.Width, Height: r.Height}
			if e.Validate() != nil { // for the report
				p.describe = append(p.describe, c.described)
				continue
			}
			if path != c.from {
				moved++
			}
			if at, gone := slices.BinarySearch(p.gone, c.from); gone && !found[at] {
				found[at] = true
				p.renamed++
			}
			rows = append(rows, gallery.Row{Entry: e, File: c.file, Vector: slices.Clone(r.Vector)})
		}
		if err := u.commit(rows, nil); err != nil {
			return err
		}
		u.changes.Moved += moved
	}
	slices.SortFunc(p.describe, func(a, b described) int { return a.i - b.i })
	return nil
}

// drop takes pictures out.
func (u *updater) drop(ctx context.Context, paths []string) error {
	for some := range slices.Chunk(paths, someFiles) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := u.commit(nil, some); err != nil {
			return err
		}
		u.changes.Dropped += len(some)
	}
	return nil
}

// describe enters files that have to be described.
func (u *updater) describe(ctx context.Context, photos *album.Set, files []described) error {
	d := u.d
	if p := u.w.PCA(); p != nil {
		whole := d
		d.Width = p.Components.Dim(0)
		d.Describe = func(ctx context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
			v, err := whole.vectors(ctx, batch)
			if err != nil {
				return nil, err
			}
			return p.Transform(v), nil
		}
	}
	numbers := make([]int, len(files))
	for k, f := range files {
		numbers[k] = f.i
	}
	photos = photos.Pick(numbers)
	var bad []string // paths
	skip := func(k int, reason error) error {
		u.tell(1)
		path := photos.Path(k)
		u.skips = append(u.skips, album.Skip{Path: path, Reason: reason})
		if files[k].known {
			bad = append(bad, path)
		}
		return nil
	}
	at := 0 // rows come in the order of the files
	deliver := func(rows []gallery.Row) error {
		for _, r := range rows {
			for photos.Path(at) != r.Path {
				at++ // was skipped
			}
			if files[at].known {
				u.waiting.Changed++
			} else {
				u.waiting.Added++
			}
			u.described++
			u.pending = append(u.pending, r)
		}
		if u.watch.Described != nil {
			u.watch.Described(u.described)
		}
		wait := pendingTime + time.Duration(u.w.Bytes())*time.Second/readingSpeed
		if n := len(u.pending); n < pendingMost && 4*n*d.Width < pendingBytes && time.Since(u.saved) < wait {
			return nil
		}
		return u.flush()
	}
	load := func(k int) loaded { return d.load(photos, k) }
	read := func(int) {
		if u.read++; u.watch.Read != nil {
			u.watch.Read(u.read) // before Done is told of the file
		}
		u.tell(1)
	}
	worked, err := d.run(ctx, photos.Len(), load, read, skip, deliver)
	u.worked.all += worked.all
	u.worked.network += worked.network
	// What has been described is not lost, whatever has ended the work.
	if e := u.flush(); e != nil {
		return cmp.Or(err, e)
	}
	if err == nil && len(bad) > 0 {
		if err = u.commit(nil, bad); err == nil {
			u.changes.Dropped += len(bad)
		}
	}
	return err
}

func (u *updater) flush() error {
	rows, made := u.pending, u.waiting
	u.pending, u.waiting = nil, Changes{}
	if len(rows) == 0 {
		return nil
	}
	if err := u.commit(rows, nil); err != nil {
		return err
	}
	u.changes.Added += made.Added
	u.changes.Changed += made.Changed
	return nil
}

func (u *updater) commit(rows []gallery.Row, gone []string) error {
	if err := u.w.Commit(rows, gone); err != nil {
		return err
	}
	u.saved = time.Now()
	if u.watch.Saved != nil {
		u.watch.Saved(u.w.Len())
	}
	return nil
}

// tell reports that n more files have been dealt with.
func (u *updater) tell(n int) {
	if u.done += n; u.watch.Done != nil {
		u.watch.Done(u.done)
	}
}
