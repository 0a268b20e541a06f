//go:build !wasm

package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"lookalike/internal/atomicfile"
	"lookalike/knn/pca"
)

// Writer writes to an index, a transaction at a time, and nobody else does meanwhile.
// Readers are not disturbed. It is not for several goroutines at once.
//
// What is written belongs together: Note comes before anything else that writes, and
// refuses vectors that were made another way than those of the index.
type Writer struct {
	store  *store
	pca    *pca.PCA
	doubt  bool // a header is damaged, and nobody has compared the index since
	noted  bool
	ended  bool
	held   closers      // until writing ends
	finish func() error // at the end, unless there was an error
}

// closers give back what is held, the last first.
type closers []func()

func (c closers) close() {
	for _, f := range slices.Backward(c) {
		f()
	}
}

// Write opens the index at path for writing. If there is none it begins one, which gets
// its name with its first pictures, unless there is something of that name by then:
// [fs.ErrExist]. The error is ErrBusy while somebody else writes to the index. Abandon
// or End must be called.
func Write(path string, h Head) (*Writer, error) {
	if err := h.validate(); err != nil {
		return nil, err
	}
	out, err := reserve(path)
	if err != nil {
		return nil, err
	}
	w, err := openOrBegin(path, out, 0o644, h.state())
	if err != nil {
		release(out)
		return nil, err
	}
	w.held = closers{func() { release(out) }}
	return w, nil
}

// openOrBegin opens an index that is reserved. A new one begins as s, with the
// permissions mode.
func openOrBegin(path string, out *atomicfile.Output, mode fs.FileMode, s state) (*Writer, error) {
	w, g, err := openExisting(path, out)
	if errors.Is(err, fs.ErrNotExist) && out != nil {
		g = &Gallery{}
		if w, err = begin(path, out, mode, s, nil); err != nil {
			err = fmt.Errorf("gallery: write %s: %w", path, err)
		}
	}
	if err != nil {
		return nil, err
	}
	w.state.Unfinished = s.Unfinished // should Rewrite's have been killed just before its end
	return &Writer{store: w, pca: g.PCA, doubt: g.Doubtful}, nil
}

func (h Head) validate() error {
	if h.Width < 1 || h.Width > math.MaxInt32 {
		return fmt.Errorf("gallery: vectors of %d values", h.Width)
	}
	return nil
}

func (h Head) state() state {
	h.Recipe.PCA = "" // it has none yet
	return state{Root: h.Root, Recipe: h.Recipe, Width: h.Width, Components: h.Components}
}

// Head returns what the index says of itself.
func (w *Writer) Head() Head { return w.store.state.head(w.pca) }

// Len returns how many pictures the index has.
func (w *Writer) Len() int { return w.store.state.Pictures }

// Bytes returns about how many bytes its pictures take.
func (w *Writer) Bytes() int { return w.Len() * (4*w.store.state.Width + recordSize) }

// PCA returns what vectors are brought to principal components by; nil: they are not.
func (w *Writer) PCA() *pca.PCA { return w.pca }

// Hidden tells whether the index has no name yet, as it is new and has no pictures.
func (w *Writer) Hidden() bool { return w.store.hidden() }

// Check returns an error, which is ErrOther, unless vectors that are made as a head says
// can be added to those of the index.
func (w *Writer) Check(h Head) error {
	s, name := &w.store.state, w.store.name
	if !s.Recipe.takes(h.Recipe) {
		return fmt.Errorf("gallery: %s: %w: %w", name, ErrOther, &RecipeError{s.Recipe, h.Recipe.brought(s.Recipe), "this run", ""})
	}
	if s.Components != h.Components {
		return fmt.Errorf("gallery: %s: %w: it holds %s, this run makes %s", name, ErrOther, held(s.Components), held(h.Components))
	}
	if w.Head().Width != h.Width {
		return fmt.Errorf("gallery: %s: %w: its vectors are of another length than %d", name, ErrOther, h.Width)
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

// Note notes where pictures and weights are now, and with which program the vectors are
// made that come, all of which a head says that passes Check. Before Note the index stays
// as it is.
func (w *Writer) Note(h Head) error {
	if err := w.usable(); err != nil {
		return err
	}
	if err := w.Check(h); err != nil {
		return err
	}
	if w.doubt {
		return doubtful(w.store.name)
	}
	w.noted = true
	s := &w.store.state
	recipe := h.Recipe.brought(s.Recipe)
	if s.Root == h.Root && s.Recipe == recipe {
		return nil
	}
	s.Root, s.Recipe = h.Root, recipe
	return w.store.commit(nil)
}

// Scan visits all pictures by ascending path. Some at a time are in memory.
func (w *Writer) Scan(ctx context.Context, visit func(Entry, File)) error {
	if err := w.usable(); err != nil {
		return err
	}
	err := w.store.scan(ctx, visit)
	w.doubt = w.doubt && err != nil
	return err
}

// Rows returns the pictures of some paths, in their order, nil where there is none. It is
// fastest if they ascend.
func (w *Writer) Rows(paths []string) ([]*Row, error) {
	if err := w.usable(); err != nil {
		return nil, err
	}
	return w.store.rows(paths)
}

// Commit writes pictures, in place of those of the same paths, and takes out others, all
// or none. When it returns without an error that is on the disk, and the index has its
// name if it has pictures.
func (w *Writer) Commit(rows []Row, gone []string) error {
	if err := w.writable(); err != nil {
		return err
	}
	edits := make([]edit, 0, len(rows)+len(gone))
	for i := range rows {
		r := &rows[i]
		if err := r.Validate(); err != nil {
			return fmt.Errorf("gallery: write %s: %w", w.store.name, err)
		}
		if len(r.Vector) != w.store.state.Width {
			return fmt.Errorf("gallery: write %s: %q: a vector of %d values among those of %d", w.store.name, r.Path, len(r.Vector), w.store.state.Width)
		}
		edits = append(edits, edit{r.Path, r})
	}
	for _, path := range gone {
		edits = append(edits, edit{path: path})
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.path, b.path) })
	for i := 1; i < len(edits); i++ {
		if edits[i].path == edits[i-1].path {
			return fmt.Errorf("gallery: write %s: path %q comes twice", w.store.name, edits[i].path)
		}
	}
	return w.store.commit(edits)
}

// Reduce brings all vectors to the principal components that the index is to have, which
// are fitted to them, in one transaction. Thresholds, which are of the vectors before, go.
func (w *Writer) Reduce() error {
	if err := w.writable(); err != nil {
		return err
	}
	if w.pca != nil || w.store.state.Components < 1 {
		return fmt.Errorf("gallery: write %s: its vectors are not to be brought to principal components", w.store.name)
	}
	p, err := w.store.reduce()
	if err != nil {
		return err
	}
	w.pca = p
	return nil
}

// End ends writing. A file that is mostly free is made smaller, and an index of Rewrite
// takes the old one's place if it has pictures. err is why the caller cannot go on, nil if
// all is done, and comes back. Without Note the index stays as it was.
func (w *Writer) End(err error) error {
	if e := w.usable(); e != nil {
		return cmp.Or(err, e)
	}
	w.ended = true
	defer func() { w.held.close() }()
	if errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("gallery: %s: %w", w.store.name, err)
	}
	if !w.noted {
		w.store.wrote = false // a refusal changes nothing
	}
	switch err = w.store.plain(cmp.Or(err, w.store.close())); {
	case err != nil || w.finish == nil:
		return err
	case !w.noted || w.Hidden():
		return fmt.Errorf("gallery: %s: nothing was written to the new index, so that the old one stays", w.store.name)
	}
	return w.finish()
}

// Abandon ends writing where it is, as a kill would; what was committed stays. After End
// it does nothing.
func (w *Writer) Abandon() {
	if w.usable() == nil {
		w.ended = true
		w.store.db.Close()
		w.held.close()
	}
}

// usable returns an error unless the index is open.
func (w *Writer) usable() error {
	if w == nil || w.store == nil || w.ended {
		return errors.New("gallery: the index is not open for writing, or no more")
	}
	return nil
}

// writable returns an error unless pictures can be added.
func (w *Writer) writable() error {
	if err := w.usable(); err != nil {
		return err
	}
	if !w.noted {
		return fmt.Errorf("gallery: write %s: call Note first, which tells whether the vectors are alike", w.store.name)
	}
	return nil
}
