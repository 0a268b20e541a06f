package gallery

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"lookalike/internal/parallel"
	"lookalike/picture"
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

func update(ctx context.Context, path string, photos *picture.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []picture.Skip, error) {
	h := d.head(root)
	w, err := Write(path, h)
	if err != nil {
		return Changes{}, nil, err
	}
	return bring(ctx, w, h, photos, d, watch, fitBytes)
}

func remake(ctx context.Context, path string, photos *picture.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []picture.Skip, error) {
	if err := d.reach(photos); err != nil {
		return Changes{}, nil, err
	}
	h := d.head(root)
	w, err := Rewrite(path, h)
	if err != nil {
		return Changes{}, nil, err
	}
	return bring(ctx, w, h, photos, d, watch, fitBytes)
}

// head is what an index of the describer's vectors says of itself.
func (d Describer) head(root string) Head {
	return Head{Root: root, Recipe: d.Recipe, Width: d.Width, Components: d.Components}
}

// bring brings an index up to date that is open for writing.
func bring(ctx context.Context, w *Writer, h Head, photos *picture.Set, d Describer, watch Watch, fitBytes int) (Changes, []picture.Skip, error) {
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
func (d Describer) reach(photos *picture.Set) error {
	if most := min(photos.Len(), d.Width); d.Components < 0 || d.Components > most {
		return fmt.Errorf("gallery: %d principal components are asked for; %d files with %d values each have 1 to %d", d.Components, photos.Len(), d.Width, most)
	}
	return nil
}

// updater is one run of Update.
type updater struct {
	w     *Writer
	head  Head // what the index is to say of itself
	d     Describer
	watch Watch

	changes Changes
	worked  worked
	skips   []picture.Skip
	done    int // files dealt with

	pending   []Row
	waiting   Changes   // that the pending rows make
	described int       // pictures
	saved     time.Time // when the last transaction ended
}

func (u *updater) run(ctx context.Context, photos *picture.Set, fitBytes int) error {
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

// plan is what has to be done.
type plan struct {
	copies   []copied
	describe []described
	gone     []string // paths
	renamed  int      // of those gone: whose contents are there under another name
}

// described is a file that has to be described.
type described struct {
	i     int  // in the set
	known bool // the index has a picture of its path
}

// copied is a file whose vector the index has.
type copied struct {
	described
	file File
	from string // path in the index
}

// candidate is a file that is not as the index has it, but may have moved.
type candidate struct {
	described
	file File // its hash is still to be taken
	own  File // of its path in the index, if known
}

// plan compares the files with the index, both by ascending path.
func (u *updater) plan(ctx context.Context, photos *picture.Set) (plan, error) {
	var p plan
	var changed []candidate
	var unreadable []string // folders, as the beginnings of their files' paths
	missing, there := 0, -1 // how many files are not there any more, and one that was
	i := 0
	compare := func(known bool, own File) {
		c := candidate{described{i, known}, File{}, own}
		info, err := photos.Stat(i)
		switch {
		case err == nil:
			there = i
		case errors.Is(err, fs.ErrNotExist):
			missing++
		}
		switch {
		case known && err != nil && !errors.Is(err, fs.ErrNotExist):
			u.changes.Kept++
			u.skips = append(u.skips, picture.Skip{Path: photos.Path(i), Reason: err})
		case err != nil: // for the report
			p.describe = append(p.describe, c.described)
		case info.IsDir(): // which is listed only if it cannot be read; for the report
			unreadable = append(unreadable, photos.Path(i)+"/")
			p.describe = append(p.describe, c.described)
		case known && info.Size() == own.Size && !info.ModTime().IsZero() && info.ModTime().Equal(own.Modified):
		case u.w.Len() == 0:
			p.describe = append(p.describe, c.described)
		default:
			c.file = File{Size: info.Size(), Modified: info.ModTime()}
			changed = append(changed, c)
		}
		i++
	}
	err := u.w.Scan(ctx, func(e Entry, own File) {
		for i < photos.Len() && photos.Path(i) < e.Path {
			compare(false, File{})
		}
		switch {
		case i < photos.Len() && photos.Path(i) == e.Path:
			compare(true, own)
		case slices.ContainsFunc(unreadable, func(folder string) bool { return strings.HasPrefix(e.Path, folder) }):
			u.changes.Kept++
		default:
			p.gone = append(p.gone, e.Path)
		}
	})
	for ; err == nil && i < photos.Len(); compare(false, File{}) {
		if i%someFiles == 0 {
			err = context.Cause(ctx)
		}
		if i > 0 && photos.Path(i) <= photos.Path(i-1) {
			return p, fmt.Errorf("gallery: the files are not in order: %q after %q", photos.Path(i), photos.Path(i-1))
		}
	}
	if err == nil && missing > 0 {
		// One that was there may be gone by now, too.
		if there >= 0 {
			_, err = photos.Stat(there)
		}
		if there < 0 || errors.Is(err, fs.ErrNotExist) {
			return p, fmt.Errorf("gallery: the files in %s were listed and are not there any more, as on a disk that was taken out; the index stays as it was: %w", u.head.Root, fs.ErrNotExist)
		}
		err = nil
	}
	if err == nil && len(changed) > 0 {
		err = u.recognise(ctx, photos, changed, &p)
	}
	slices.SortFunc(p.describe, func(a, b described) int { return a.i - b.i })
	return p, err
}

// recognise finds files that are in the index already, by size and then content.
func (u *updater) recognise(ctx context.Context, photos *picture.Set, changed []candidate, p *plan) error {
	sizes := map[int64]bool{} // whether the index has such a file
	for _, c := range changed {
		sizes[c.file.Size] = false
	}
	paths := map[[32]byte]string{} // of those of such a size
	if err := u.w.Scan(ctx, func(e Entry, f File) {
		if _, wanted := sizes[f.Size]; wanted {
			paths[f.SHA256], sizes[f.Size] = e.Path, true
		}
	}); err != nil {
		return err
	}
	for some := range slices.Chunk(changed, someFiles) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		from := make([]string, len(some)) // "" if the content is new
		parallel.For(len(some), func(k int) {
			c := &some[k]
			if !sizes[c.file.Size] {
				return
			}
			sum, err := contents(photos, c.i)
			if err != nil {
				return // it will fail again, for the report
			}
			c.file.SHA256 = sum
			if from[k] = paths[sum]; c.known && c.own.SHA256 == sum {
				from[k] = photos.Path(c.i)
			}
		})
		for k, c := range some {
			switch {
			case from[k] == "":
				p.describe = append(p.describe, c.described)
			case c.known && c.file == c.own: // there was no time to tell
			default:
				p.copies = append(p.copies, copied{c.described, c.file, from[k]})
			}
		}
	}
	return nil
}

// contents returns the SHA-256 of a file.
func contents(photos *picture.Set, i int) (sum [32]byte, err error) {
	f, err := photos.Open(i)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// copy enters files whose vectors the index has.
func (u *updater) copy(ctx context.Context, photos *picture.Set, p *plan) error {
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
		var rows []Row
		moved := 0
		for k, c := range some {
			r := sources[k]
			if r == nil || r.SHA256 != c.file.SHA256 {
				// Files that have changed places: an edit before has overwritten it.
				p.describe = append(p.describe, c.described)
				continue
			}
			path := photos.Path(c.i)
			if path != c.from {
				moved++
			}
			if at, gone := slices.BinarySearch(p.gone, c.from); gone && !found[at] {
				found[at] = true
				p.renamed++
			}
			rows = append(rows, Row{
				Entry:  Entry{Path: path, Label: photos.Label(c.i), Width: r.Width, Height: r.Height},
				File:   c.file,
				Vector: slices.Clone(r.Vector),
			})
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
func (u *updater) describe(ctx context.Context, photos *picture.Set, files []described) error {
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
		u.skips = append(u.skips, picture.Skip{Path: path, Reason: reason})
		if files[k].known {
			bad = append(bad, path)
		}
		return nil
	}
	at := 0 // rows come in the order of the files
	deliver := func(rows []Row) error {
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
	worked, err := d.run(ctx, photos.Len(), load, func(int) { u.tell(1) }, skip, deliver)
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

func (u *updater) commit(rows []Row, gone []string) error {
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
