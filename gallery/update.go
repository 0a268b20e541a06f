//go:build !wasm

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

	"go.etcd.io/bbolt"

	"lookalike/internal/atomicfile"
	"lookalike/internal/parallel"
	"lookalike/knn/pca"
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

func update(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	out, err := reserve(path)
	if err != nil {
		return Changes{}, nil, err
	}
	defer release(out)
	s := state{Root: root, Recipe: d.Recipe, Width: d.Width, Components: d.Components}
	return bring(ctx, path, out, 0o644, s, photos, d, watch, fitBytes)
}

// bring brings an index up to date that is reserved. A new one begins as s, with the
// permissions mode, and gets its name with its first pictures.
func bring(ctx context.Context, path string, out *atomicfile.Output, mode fs.FileMode, s state, photos *album.Set, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	w, g, err := openWriter(path, out)
	if errors.Is(err, fs.ErrNotExist) && out != nil {
		if err := d.reach(photos); err != nil {
			return Changes{}, nil, err
		}
		g = &Gallery{Root: s.Root}
		if w, err = begin(path, out, mode, s, nil); err != nil {
			err = fmt.Errorf("gallery: write %s: %w", path, err)
		}
	}
	if err != nil {
		return Changes{}, nil, err
	}
	w.state.Unfinished = s.Unfinished // should Remake have been killed just before its end
	u := &updater{w: w, d: d, watch: watch, pca: g.PCA}
	returned := false
	defer func() {
		if !returned { // a function of the caller has panicked; others may write again
			w.db.Close()
		}
	}()
	err = u.run(ctx, g, photos, s.Root, fitBytes)
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("gallery: %s: %w", path, err)
	}
	u.changes.Pictures = w.state.Pictures
	if watch.Worked != nil {
		watch.Worked(u.worked.all, u.worked.network)
	}
	if w.hidden() {
		err = cmp.Or(err, fmt.Errorf("gallery: no picture that could be read among the %d files in %s", photos.Len(), s.Root))
	}
	if err != nil && !u.changed {
		w.wrote = false // a refusal changes nothing
	}
	returned = true
	return u.changes, u.skips, w.plain(cmp.Or(err, w.close()))
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
	w     *writer
	d     Describer
	watch Watch
	pca   *pca.PCA

	changes Changes
	worked  worked
	skips   []album.Skip
	done    int  // files dealt with
	changed bool // the index may be another now

	pending   []edit
	waiting   Changes   // that the pending edits make
	described int       // pictures
	saved     time.Time // when the last transaction ended
}

func (u *updater) run(ctx context.Context, head *Gallery, photos *album.Set, root string, fitBytes int) error {
	if err := u.check(); err != nil {
		return err
	}
	plan, err := u.plan(ctx, photos, root)
	if err != nil {
		return err
	}
	if n := u.w.state.Pictures; n > 0 && len(plan.gone) == n && len(plan.copies) == 0 && head.Root != root {
		return fmt.Errorf("gallery: the index is of the pictures in %s, of which %s has none; choose another name for this folder's index", head.Root, root)
	}
	u.changed = true
	if err := u.header(root); err != nil {
		return err
	}
	u.saved = time.Now()
	if n := u.w.state.Pictures; n > 0 && u.watch.Saved != nil {
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

	if u.d.Components > 0 && u.pca == nil {
		// The sample first; then the others can be brought to its components.
		first, rest := sample(plan.describe, photos.Len(), max(fitBytes/4/u.d.Width, 2*u.d.Components))
		if err := u.describe(ctx, photos, first); err != nil {
			return err
		}
		if u.w.state.Pictures == 0 {
			return nil
		}
		if err := u.fit(); err != nil {
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

// check refuses to add vectors that were made another way.
func (u *updater) check() error {
	s, name := &u.w.state, u.w.name
	if !s.Recipe.takes(u.d.Recipe) {
		return fmt.Errorf("gallery: %s: %w: %w", name, ErrOther, &RecipeError{s.Recipe, u.d.Recipe.brought(s.Recipe), "this run", ""})
	}
	if s.Components != u.d.Components {
		return fmt.Errorf("gallery: %s: %w: it holds %s, this run makes %s", name, ErrOther, held(s.Components), held(u.d.Components))
	}
	if width := u.d.Width; u.pca == nil && s.Width != width || u.pca != nil && u.pca.Mean.Len() != width {
		return fmt.Errorf("gallery: %s: %w: its vectors are of another length than %d", name, ErrOther, width)
	}
	return nil
}

// held says in words what an index holds of the vectors.
func held(components int) string {
	if components == 0 {
		return "whole vectors"
	}
	return fmt.Sprintf("%d principal components", components)
}

// brought is the recipe of a run whose vectors are brought to the principal components
// of an index.
func (r Recipe) brought(index Recipe) Recipe {
	r.PCA = index.PCA
	return r
}

// takes tells whether a run may add its vectors to an index.
func (r Recipe) takes(run Recipe) bool { return r.Fingerprint() == run.brought(r).Fingerprint() }

// header notes where pictures and weights are now.
func (u *updater) header(root string) error {
	s := &u.w.state
	recipe := u.d.Recipe
	recipe.PCA = s.Recipe.PCA
	if s.Root == root && s.Recipe == recipe {
		return nil
	}
	s.Root, s.Recipe = root, recipe
	return u.w.commit(nil)
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
func (u *updater) plan(ctx context.Context, photos *album.Set, root string) (plan, error) {
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
			u.skips = append(u.skips, album.Skip{Path: photos.Path(i), Reason: err})
		case err != nil: // for the report
			p.describe = append(p.describe, c.described)
		case info.IsDir(): // which is listed only if it cannot be read; for the report
			unreadable = append(unreadable, photos.Path(i)+"/")
			p.describe = append(p.describe, c.described)
		case known && info.Size() == own.Size && !info.ModTime().IsZero() && info.ModTime().Equal(own.Modified):
		case u.w.state.Pictures == 0:
			p.describe = append(p.describe, c.described)
		default:
			c.file = File{Size: info.Size(), Modified: info.ModTime()}
			changed = append(changed, c)
		}
		i++
	}
	err := u.w.scan(ctx, func(e Entry, own File) {
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
			return p, fmt.Errorf("gallery: the files in %s were listed and are not there any more, as on a disk that was taken out; the index stays as it was: %w", root, fs.ErrNotExist)
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
func (u *updater) recognise(ctx context.Context, photos *album.Set, changed []candidate, p *plan) error {
	sizes := map[int64]bool{} // whether the index has such a file
	for _, c := range changed {
		sizes[c.file.Size] = false
	}
	paths := map[[32]byte]string{} // of those of such a size
	if err := u.w.scan(ctx, func(e Entry, f File) {
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
func contents(photos *album.Set, i int) (sum [32]byte, err error) {
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
		sources, err := u.w.rows(paths)
		if err != nil {
			return err
		}
		var edits []edit
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
			edits = append(edits, edit{path, &row{
				Entry:  Entry{Path: path, Label: photos.Label(c.i), Width: r.Width, Height: r.Height},
				File:   c.file,
				vector: slices.Clone(r.vector),
			}})
		}
		if err := u.commit(edits); err != nil {
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
		edits := make([]edit, len(some))
		for i, path := range some {
			edits[i] = edit{path: path}
		}
		if err := u.commit(edits); err != nil {
			return err
		}
		u.changes.Dropped += len(some)
	}
	return nil
}

// describe enters files that have to be described.
func (u *updater) describe(ctx context.Context, photos *album.Set, files []described) error {
	d := u.d
	if p := u.pca; p != nil {
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
	var bad []edit
	skip := func(k int, reason error) error {
		u.tell(1)
		path := photos.Path(k)
		u.skips = append(u.skips, album.Skip{Path: path, Reason: reason})
		if files[k].known {
			bad = append(bad, edit{path: path})
		}
		return nil
	}
	at := 0 // rows come in the order of the files
	deliver := func(rows []row) error {
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
			u.pending = append(u.pending, edit{r.Path, &r})
		}
		if u.watch.Described != nil {
			u.watch.Described(u.described)
		}
		wait := pendingTime + time.Duration(u.w.state.Pictures*(4*u.w.state.Width+recordSize))*time.Second/readingSpeed
		if n := len(u.pending); n < pendingMost && 4*n*u.w.state.Width < pendingBytes && time.Since(u.saved) < wait {
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
		if err = u.commit(bad); err == nil {
			u.changes.Dropped += len(bad)
		}
	}
	return err
}

func (u *updater) flush() error {
	edits, made := u.pending, u.waiting
	u.pending, u.waiting = nil, Changes{}
	if len(edits) == 0 {
		return nil
	}
	if err := u.commit(edits); err != nil {
		return err
	}
	u.changes.Added += made.Added
	u.changes.Changed += made.Changed
	return nil
}

func (u *updater) commit(edits []edit) error {
	if err := u.w.commit(edits); err != nil {
		return err
	}
	u.saved = time.Now()
	if u.watch.Saved != nil {
		u.watch.Saved(u.w.state.Pictures)
	}
	return nil
}

// tell reports that n more files have been dealt with.
func (u *updater) tell(n int) {
	if u.done += n; u.watch.Done != nil {
		u.watch.Done(u.done)
	}
}

// fit brings the vectors of the index to principal components, all in one
// transaction.
func (u *updater) fit() error {
	g, s, err := u.w.read(true)
	if err != nil {
		return err
	}
	g.PCA, err = pca.Fit(g.Vectors, u.d.Components, pca.Options{})
	if err != nil {
		return fmt.Errorf("gallery: %d principal components of %d pictures: %w", u.d.Components, len(g.Entries), err)
	}
	g.Vectors = g.PCA.Transform(g.Vectors)
	s.Recipe.PCA, s.Width = g.fingerprint(), u.d.Components
	s.Pictures, s.Blocks, s.Sum, s.Thresholds = 0, 0, 0, nil // of other vectors
	rows := make([]row, len(g.Entries))
	for i := range rows {
		rows[i] = row{g.Entries[i], g.Files[i], g.Vectors.Row(i)}
	}
	before := u.w.state
	u.w.state = s
	err = u.w.transact(func(tx *bbolt.Tx) error {
		for name, a := range g.arrays() {
			if err := tx.Bucket([]byte(indexBucket)).Put([]byte(name), encodeArray(a)); err != nil {
				return err
			}
		}
		if err := tx.DeleteBucket([]byte(picturesBucket)); err != nil {
			return err
		}
		if _, err := tx.CreateBucket([]byte(picturesBucket)); err != nil {
			return err
		}
		return u.w.append(tx, rows)
	})
	if err != nil {
		u.w.state = before
		return fmt.Errorf("gallery: write %s: %w", u.w.name, err)
	}
	u.pca = g.PCA
	return nil
}
