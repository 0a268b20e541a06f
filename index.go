package lookalike

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/gallery/exchange"
	"lookalike/internal/closing"
	"lookalike/knn"
	"lookalike/picture/album"
)

// Index is an index that is open to be searched, by many goroutines at once. It holds the
// vectors in memory, and opens its model when the first picture is asked for.
type Index struct {
	path    string
	options openOptions

	reloading sync.Mutex // or an earlier Reload might end last, with what it read first

	mu      sync.Mutex // of what follows
	now     *version
	earlier sync.WaitGroup // versions that calls are in flight on
	ended   error          // of earlier versions
	closed  bool
}

// errClosed is the error of an index that has been closed.
const errClosed = closing.Error("lookalike: the index")

var errNoIndex = errors.New("lookalike: the index is nil or empty; Open makes one")

type openOptions struct{ model, photos, cache string }

// OpenOption says where what belongs to an index is now.
type OpenOption func(*openOptions)

// ModelFile is where the model of the index is, if it has moved: otherwise it is looked
// for where it was, beside the index, and where downloaded weights are kept.
func ModelFile(path string) OpenOption { return func(o *openOptions) { o.model = path } }

// Photos is where the pictures of the index are, if they have moved.
func Photos(dir string) OpenOption { return func(o *openOptions) { o.photos = dir } }

// Cache is the folder in which downloaded weights are looked for. Without it, it is that of
// the environment variable LOOKALIKE_CACHE, or else of the user.
func Cache(dir string) OpenOption { return func(o *openOptions) { o.cache = dir } }

// apply sets options; one that is nil sets nothing.
func apply[S any, O ~func(*S)](s *S, options []O) {
	for _, o := range options {
		if o != nil {
			o(s)
		}
	}
}

// version is an index as one transaction has left it.
type version struct {
	path   string
	guard  closing.Guard
	g      *gallery.Gallery
	model  *lender[Model]
	root   string // of the pictures
	photos *lender[*album.Source]

	mu        sync.Mutex
	searchers map[knn.Metric]*knn.Index
}

// lender opens something when it is first needed, and closes it when all who hold it
// have dropped it.
type lender[T io.Closer] struct {
	open func() (T, error)

	mu      sync.Mutex
	holders int
	opened  bool
	lent    T
}

// get opens it if it is not open yet. What failed is tried again.
func (l *lender[T]) get() (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened {
		lent, err := l.open()
		if err != nil {
			return lent, err
		}
		l.lent, l.opened = lent, true
	}
	return l.lent, nil
}

func (l *lender[T]) hold() *lender[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holders++
	return l
}

func (l *lender[T]) drop() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holders--; l.holders > 0 || !l.opened {
		return nil
	}
	return l.lent.Close()
}

// Open reads an index whole and checks it. Others may write to it meanwhile, and later:
// see [Index.Reload].
func Open(path string, options ...OpenOption) (*Index, error) {
	x := &Index{path: path}
	apply(&x.options, options)
	v, err := x.read(nil)
	if err != nil {
		return nil, err
	}
	x.now = v
	return x, nil
}

// read reads the index as it is now. It takes over the model of an earlier version that
// was made in the same way.
func (x *Index) read(earlier *version) (*version, error) {
	g, err := gallery.Open(x.path)
	if err != nil {
		return nil, err
	}
	v := &version{path: x.path, g: g, searchers: map[knn.Metric]*knn.Index{}}
	if earlier != nil && earlier.g.Recipe == g.Recipe {
		v.model = earlier.model.hold()
	} else {
		// Without the pictures, which the model outlives.
		head := &gallery.Gallery{Recipe: g.Recipe, PCA: g.PCA}
		l := &lender[Model]{open: func() (Model, error) {
			return describe.Like(head, describe.Place{Index: x.path, Model: x.options.model, Cache: x.options.cache})
		}}
		v.model = l.hold()
	}
	root := cmp.Or(x.options.photos, g.Root)
	v.root = root
	photos := &lender[*album.Source]{open: func() (*album.Source, error) { return openPhotos(x.path, root) }}
	v.photos = photos.hold()
	return v, nil
}

// enter begins a call, which v.guard.Leave ends.
func (x *Index) enter() (*version, error) {
	if x == nil {
		return nil, errNoIndex
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.closed:
		return nil, errClosed
	case x.now == nil:
		return nil, errNoIndex
	}
	x.now.guard.Enter() // it is open
	return x.now, nil
}

// Reload reads the index anew, as others have left it. Searches go on meanwhile; those
// that have begun end on what was read before, and Reload does not wait for them; those
// that begin later see what is there now. If it cannot be read, the index stays as it
// was.
func (x *Index) Reload() error {
	if x == nil {
		return errNoIndex
	}
	x.reloading.Lock()
	defer x.reloading.Unlock()
	was, err := x.enter()
	if err != nil {
		return err
	}
	v, err := x.read(was)
	was.guard.Leave()
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return errors.Join(error(errClosed), v.close())
	}
	x.now = v
	x.earlier.Go(func() {
		if err := was.close(); err != nil {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.ended = errors.Join(x.ended, err)
		}
	})
	return nil
}

// Close waits for calls in flight and gives back what the index holds. It may be called
// twice; later calls of other methods return ErrClosed. A function that is given to
// [Where] must not call it, for it would wait for itself.
func (x *Index) Close() error {
	if x == nil {
		return errNoIndex
	}
	x.mu.Lock()
	now := x.now
	x.closed = true
	x.mu.Unlock()
	if now == nil {
		return nil
	}
	err := now.close()
	x.earlier.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	err, x.ended = errors.Join(err, x.ended), nil
	return err
}

func (v *version) close() error {
	return v.guard.Close(func() error { return errors.Join(v.model.drop(), v.photos.drop()) })
}

// Len returns how many pictures the index has; 0 if it has been closed.
func (x *Index) Len() int {
	v, err := x.enter()
	if err != nil {
		return 0
	}
	defer v.guard.Leave()
	return len(v.g.Entries)
}

// Entries returns the pictures of the index, sorted by path; nil if it has been closed.
// They must not be changed. Their numbers are good for [Row] until the next [Index.Reload];
// their paths, for [Path], longer.
func (x *Index) Entries() []Entry {
	v, err := x.enter()
	if err != nil {
		return nil
	}
	defer v.guard.Leave()
	return v.g.Entries
}

// Recipe says how the vectors of the index were made.
func (x *Index) Recipe() (Recipe, error) {
	v, err := x.enter()
	if err != nil {
		return Recipe{}, err
	}
	defer v.guard.Leave()
	return v.g.Recipe, nil
}

// Doubtful tells whether pictures that were saved last may be missing, because one of the
// index's two headers is damaged. Update brings them back.
func (x *Index) Doubtful() bool {
	v, err := x.enter()
	if err != nil {
		return false
	}
	defer v.guard.Leave()
	return v.g.Doubtful
}

// Gallery is the index beneath, with its vectors, as it is now. It must not be changed,
// and stays as it is after Reload and Close.
func (x *Index) Gallery() (*gallery.Gallery, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	return v.g, nil
}

// Model is the model of the index, opened if it was not yet. The index closes it.
func (x *Index) Model() (Model, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	return v.model.get()
}

func noRow(row, n int) error {
	return fmt.Errorf("the index has no picture %d: it has %d, numbered from 0", row, n)
}

// Export writes the vectors, and which pictures they belong to, to a file, in the format
// that the end of its name says: .npz, .npy, .safetensors, .csv or .jsonl. It takes the
// place of one that is there (see [exchange.Export]).
func (x *Index) Export(path string) error {
	v, err := x.enter()
	if err != nil {
		return err
	}
	defer v.guard.Leave()
	return exchange.Export(v.g, path)
}

// searcher returns what searches the vectors by a metric.
func (v *version) searcher(metric knn.Metric) (*knn.Index, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.searchers[metric]; s != nil {
		return s, nil
	}
	s, err := knn.New(v.g.Vectors, metric)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", v.path, err)
	}
	v.searchers[metric] = s
	return s, nil
}
