//go:build !wasm

package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"lookalike/internal/atomicfile"
	"lookalike/internal/parallel"
	"lookalike/knn/pca"
	"lookalike/tensor"
)

const (
	// lockWait is how long a writer waits for another one to end.
	lockWait = 300 * time.Millisecond

	// slackBytes is the size from which a file is written anew if more than half
	// of what was written of it is free. (bbolt lets it end in pages not written yet.)
	slackBytes = 4 << 20
)

var storeOptions = bbolt.Options{Timeout: lockWait, PageSize: pageSize, FreelistType: bbolt.FreelistMapType}

// edit is a picture to be written or, without a row, taken out.
type edit struct {
	path string
	row  *Row
}

// writer writes to an index, and nobody else meanwhile.
type writer struct {
	name  string             // of the index, as the caller has given it
	out   *atomicfile.Output // its reservation; nil in a folder that cannot be written to
	path  string             // of the file now, which gets its name with its first pictures
	db    *bbolt.DB
	file  fs.FileInfo // the index that is open
	state state
	wrote bool // since both headers were equal
}

// reserve makes sure that this run alone writes the index at path. Programs older
// than reservations hold bbolt's lock only, and in a folder that cannot be written to
// there can be none, so that this lock must do: then the reservation is nil.
func reserve(path string) (*atomicfile.Output, error) {
	out, err := atomicfile.Reserve(path)
	if errors.Is(err, fs.ErrPermission) {
		if _, e := os.Stat(path); e == nil {
			return nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	return out, nil
}

// release ends a reservation, if there is one.
func release(out *atomicfile.Output) {
	if out != nil {
		out.Close()
	}
}

// openWriter opens an existing index and returns what it says of itself, without
// its pictures.
func openWriter(path string, out *atomicfile.Output) (*writer, *Gallery, error) {
	for range readTries {
		// bbolt is given none but sound files.
		if _, _, err := open(path, false); err != nil {
			return nil, nil, err
		}
		w := &writer{name: path, out: out, path: path}
		if out != nil {
			w.path = out.Path()
		}
		var err error
		if w.db, w.file, err = openStore(w.path, existing, storeOptions); err != nil {
			return nil, nil, fmt.Errorf("gallery: cannot write to the index %s: %w", path, err)
		}
		if w.owns() != nil { // a writer of an older program has ended in between, and written the file anew
			w.db.Close()
			continue
		}
		g, state, err := w.read(false)
		if err != nil {
			w.db.Close()
			return nil, nil, fmt.Errorf("gallery: %s: %w", path, err)
		}
		w.state, w.wrote = state, g.Doubtful
		return w, g, nil
	}
	return nil, nil, fmt.Errorf("gallery: %s is replaced again and again by another program", path)
}

// amend changes what an index says of itself.
func amend(path string, change func(*state) error) error {
	out, err := reserve(path)
	if err != nil {
		return err
	}
	defer release(out)
	return amendReserved(path, out, change)
}

func amendReserved(path string, out *atomicfile.Output, change func(*state) error) error {
	w, g, err := openWriter(path, out)
	if err != nil {
		return err
	}
	if g.Doubtful { // to write would hide that
		err = fmt.Errorf("gallery: %s: one of its two headers is damaged, so that pictures may be missing; bring it up to date first", path)
	}
	if err == nil {
		err = change(&w.state)
	}
	if err == nil {
		err = w.commit(nil)
	} else {
		w.wrote = false
	}
	return cmp.Or(err, w.close())
}

// store reads what the last transaction has left, and hands it to f.
func (w *writer) store(f func(file *os.File, last *snapshot, buckets map[string][]item) error) error {
	file, err := os.Open(w.path)
	if err != nil {
		return err
	}
	defer file.Close()
	s, buckets, err := openSnapshot(file)
	if err != nil {
		return err
	}
	return f(file, s, buckets)
}

func (w *writer) read(pictures bool) (g *Gallery, s state, err error) {
	err = w.store(func(file *os.File, last *snapshot, buckets map[string][]item) error {
		var now *state
		g, now, err = gather(file, buckets, pictures)
		if err == nil {
			s, g.Doubtful = *now, last.doubtful
		}
		return err
	})
	return g, s, err
}

// scan visits all pictures, but for their vectors, by ascending path. Some blocks
// at a time are in memory.
func (w *writer) scan(ctx context.Context, visit func(Entry, File)) error {
	return w.store(func(file *os.File, _ *snapshot, buckets map[string][]item) error {
		blocks, err := w.state.blocks(file, buckets[picturesBucket])
		if err != nil {
			return damaged(err)
		}
		type pictures struct {
			entries []Entry
			files   []File
			err     error
		}
		var buffers sync.Pool
		read := func(i int) pictures {
			b := blocks[i]
			p := pictures{entries: make([]Entry, b.to-b.from), files: make([]File, b.to-b.from)}
			buf, _ := buffers.Get().(*[]byte)
			if buf == nil {
				buf = new([]byte)
			}
			*buf, p.err = readBlock(file, b, w.state.Width, p.entries, p.files, nil, *buf)
			buffers.Put(buf)
			return p
		}
		last := ""
		return parallel.Ordered(ctx, len(blocks), read, func(i int, p pictures) error {
			if p.err == nil && i > 0 {
				p.err = follows(p.entries[0].Path, last)
			}
			if p.err != nil {
				return damaged(p.err)
			}
			for k, e := range p.entries {
				visit(e, p.files[k])
			}
			last = p.entries[len(p.entries)-1].Path
			return nil
		})
	})
}

const (
	existing fs.FileMode = 0     // stands for the permissions of a store that is there
	writable fs.FileMode = 0o600 // are what a new one needs until it is whole
)

// openStore opens a store for writing: one that is there, or a new one with the
// permissions mode less the umask, where nothing may be.
func openStore(path string, mode fs.FileMode, o bbolt.Options) (db *bbolt.DB, info fs.FileInfo, err error) {
	var file *os.File
	o.OpenFile = func(name string, flags int, mode os.FileMode) (_ *os.File, err error) {
		if flags &^= os.O_CREATE; mode != existing {
			flags |= os.O_CREATE | os.O_EXCL
		}
		file, err = os.OpenFile(name, flags, mode)
		return file, err
	}
	err = guard(func() (err error) {
		db, err = bbolt.Open(path, mode, &o)
		return err
	})
	if err == nil {
		if info, err = file.Stat(); err != nil {
			db.Close()
		}
	}
	if err != nil && file != nil {
		file.Close() // which bbolt leaves open, and locked, when it panics
	}
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrBusy
	}
	return db, info, err
}

// guard calls f and returns as an error what bbolt panics with or where it reads
// beside its file.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, cause)
		}
	}()
	return f()
}

// create writes a new index of n rows, whose file appears whole, where nothing may be.
// Some rows at a time are in memory.
func create(path string, s state, arrays map[string]*tensor.Tensor, n int, at func(int) Row) error {
	out, err := atomicfile.Reserve(path)
	if err != nil {
		return errors.Unwrap(err) // which names path
	}
	defer out.Close()
	if _, err := os.Lstat(out.Path()); err == nil {
		return fs.ErrExist // before any work
	}
	w, err := begin(path, out, 0o644, s, arrays)
	if err != nil {
		return err
	}
	rows := make([]Row, 0, saveRows(s.Width))
	for i := 0; i < n && err == nil; i += len(rows) {
		for rows = rows[:0]; len(rows) < cap(rows) && i+len(rows) < n; {
			rows = append(rows, at(i+len(rows)))
		}
		err = w.transact(func(tx *bbolt.Tx) error { return w.append(tx, rows) })
	}
	if err == nil {
		err = w.settle()
	}
	if err = cmp.Or(err, w.db.Close()); err != nil {
		return w.plain(err)
	}
	return out.Publish()
}

// begin makes a new index that has no name yet: see publish.
func begin(path string, out *atomicfile.Output, mode fs.FileMode, s state, arrays map[string]*tensor.Tensor) (*writer, error) {
	w := &writer{name: path, out: out, path: out.Temporary(), state: s}
	w.state.Format, w.state.Version = format, version
	if err := removeIfThere(w.path); err != nil {
		return nil, err
	}
	o := storeOptions
	o.FreelistType = bbolt.FreelistArrayType // which gives the same gallery the same bytes
	var err error
	if w.db, w.file, err = openStore(w.path, mode|writable, o); err != nil {
		return nil, w.plain(err)
	}
	err = w.transact(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(indexBucket))
		if err != nil {
			return err
		}
		for name, a := range arrays {
			if err := b.Put([]byte(name), encodeArray(a)); err != nil {
				return err
			}
		}
		_, err = tx.CreateBucket([]byte(picturesBucket))
		return err
	})
	if err != nil {
		w.db.Close()
		return nil, w.plain(err)
	}
	return w, nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// hidden tells whether the index has no name yet.
func (w *writer) hidden() bool { return w.out != nil && w.path == w.out.Temporary() }

// plain gives an error of the temporary file the index's name: that one tells the reader
// nothing. (bbolt's errors have it in their text only.)
func (w *writer) plain(err error) error {
	if err == nil || w.out == nil || !strings.Contains(err.Error(), w.out.Temporary()) {
		return err
	}
	return reworded{err, strings.ReplaceAll(err.Error(), w.out.Temporary(), w.name)}
}

// reworded is an error with another text.
type reworded struct {
	error
	text string
}

func (r reworded) Error() string { return r.text }
func (r reworded) Unwrap() error { return r.error }

// publish gives a new index its name, unless there is something of that name. The
// file is closed for that, as Windows renames none that is open; the reservation
// stays.
func (w *writer) publish() error {
	if err := w.db.Close(); err != nil {
		return err
	}
	if err := w.out.Publish(); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another program has written it meanwhile, and it is not replaced: %w", fs.ErrExist)
	} else if err != nil {
		return err
	}
	w.path = w.out.Path()
	db, file, err := openStore(w.path, existing, storeOptions)
	if err != nil {
		return err
	}
	if !os.SameFile(file, w.file) {
		db.Close()
		return errors.New("another program has replaced it")
	}
	w.db = db
	return nil
}

// close ends writing. A file that is mostly free pages is written anew first; should
// that fail, as on a full disk, it stays large and the next run tries again.
func (w *writer) close() error {
	var written, free int64
	err := w.db.View(func(tx *bbolt.Tx) error {
		written = tx.Size()
		free = int64(w.db.Stats().FreePageN+w.db.Stats().PendingPageN) * pageSize
		return nil
	})
	// Windows replaces no file that is open, and it must stay so for its lock.
	anew := err == nil && written >= slackBytes && free > written/2 && runtime.GOOS != "windows" && w.compact() == nil
	if err == nil && !anew {
		err = w.settle()
	}
	if err = cmp.Or(err, w.db.Close()); err != nil {
		err = fmt.Errorf("gallery: write %s: %w", w.name, err)
	}
	return err
}

// settle makes both headers of what was written say the same, so that one of them is
// enough.
func (w *writer) settle() error {
	if !w.wrote {
		return nil
	}
	err := guard(func() error { return repeat(w.db) })
	w.wrote = err != nil
	return err
}

// repeat is a transaction without changes.
func repeat(db *bbolt.DB) error { return db.Update(func(*bbolt.Tx) error { return nil }) }

func (w *writer) compact() error {
	if w.out == nil || w.hidden() {
		return errors.ErrUnsupported
	}
	if err := w.owns(); err != nil {
		return err
	}
	temporary := w.out.Temporary()
	if err := removeIfThere(temporary); err != nil {
		return err
	}
	small, _, err := openStore(temporary, w.file.Mode().Perm()|writable, storeOptions)
	if err != nil {
		return err
	}
	err = guard(func() error { return w.copyTo(small) })
	if err == nil {
		err = repeat(small)
	}
	if err = cmp.Or(err, small.Close()); err == nil {
		err = w.out.Replace()
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("gallery: write %s: %w", w.name, err)
	}
	return nil
}

// copyTo copies all buckets to an empty store. (bbolt.Compact reads its source by way of
// memory that is mapped, and so has all of it in memory in the end.)
func (w *writer) copyTo(to *bbolt.DB) error {
	return w.store(func(file *os.File, _ *snapshot, buckets map[string][]item) error {
		for name, left := range buckets {
			for begun := false; !begun || len(left) > 0; begun = true {
				err := to.Update(func(tx *bbolt.Tx) error {
					b, err := tx.CreateBucketIfNotExists([]byte(name))
					for size := int64(0); err == nil && len(left) > 0 && size < saveBlocks*blockBytes; left = left[1:] {
						value := make([]byte, left[0].size)
						if _, err = file.ReadAt(value, left[0].offset); err == nil {
							err = b.Put([]byte(left[0].key), value)
						}
						size += left[0].size
					}
					return err
				})
				if err != nil {
					return err
				}
				unload(to)
			}
		}
		return nil
	})
}

// owns makes sure that the file that is open is still that of the path.
func (w *writer) owns() error {
	now, err := os.Stat(w.path)
	if err != nil {
		return fmt.Errorf("gallery: the index %s has gone while it was being written to: %w", w.name, err)
	}
	if !os.SameFile(now, w.file) {
		return fmt.Errorf("gallery: %s has been replaced by another program while it was being written to", w.name)
	}
	return nil
}

// commit writes and takes out pictures, all or none. When it returns without an
// error, they are on the disk, and the index has its name if there are any.
func (w *writer) commit(edits []edit) error {
	if err := w.owns(); err != nil {
		return err
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.path, b.path) })
	before := w.state
	err := w.transact(func(tx *bbolt.Tx) error { return w.change(tx.Bucket([]byte(picturesBucket)), edits) })
	if err == nil && w.hidden() && w.state.Pictures > 0 {
		err = w.publish()
	}
	if err != nil {
		w.state = before
		return fmt.Errorf("gallery: write %s: %w", w.name, err)
	}
	return nil
}

// transact runs f and notes the state in one transaction.
func (w *writer) transact(f func(tx *bbolt.Tx) error) error {
	w.wrote = true
	return guard(func() error {
		err := w.db.Update(func(tx *bbolt.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return w.putState(tx)
		})
		unload(w.db)
		return err
	})
}

func (w *writer) putState(tx *bbolt.Tx) error {
	b, err := w.state.encode()
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(indexBucket)).Put([]byte(stateKey), b)
}

// change makes sorted edits. The blocks that they fall into are written anew.
func (w *writer) change(b *bbolt.Bucket, edits []edit) error {
	for len(edits) > 0 {
		key, value := blockWith(b, edits[0].path)
		n := len(edits)
		var rows []Row
		if key != nil {
			c := b.Cursor()
			c.Seek(key)
			if next, _ := c.Next(); next != nil {
				n, _ = slices.BinarySearchFunc(edits, string(next), func(e edit, next string) int { return cmp.Compare(e.path, next) })
			}
			if n == 0 { // or this would never end
				return damaged(fmt.Errorf("%q is not in the block %q that it belongs to", edits[0].path, key))
			}
			var err error
			if rows, err = blockOf(value, w.state.Width); err != nil {
				return damaged(err)
			}
			w.state.Sum ^= blockCRC(value)
			w.state.Blocks--
			w.state.Pictures -= len(rows)
			if err := b.Delete(slices.Clone(key)); err != nil {
				return err
			}
		}
		if err := w.put(b, merge(rows, edits[:n])); err != nil {
			return err
		}
		edits = edits[n:]
	}
	return nil
}

// blockWith returns the block that a path belongs to: the last that begins
// before it or with it, or the first. Its key is nil if there is none.
func blockWith(b *bbolt.Bucket, path string) (key, value []byte) {
	c := b.Cursor()
	switch key, value = c.Seek([]byte(path)); {
	case key == nil:
		return c.Last()
	case string(key) == path:
		return key, value
	}
	if k, v := c.Prev(); k != nil {
		return k, v
	}
	return key, value
}

// merge applies edits to rows; both are sorted by path.
func merge(rows []Row, edits []edit) []Row {
	var out []Row
	for len(rows) > 0 || len(edits) > 0 {
		switch {
		case len(edits) == 0 || len(rows) > 0 && rows[0].Path < edits[0].path:
			out, rows = append(out, rows[0]), rows[1:]
		default:
			if len(rows) > 0 && rows[0].Path == edits[0].path {
				rows = rows[1:]
			}
			if edits[0].row != nil {
				out = append(out, *edits[0].row)
			}
			edits = edits[1:]
		}
	}
	return out
}

// put writes sorted rows as blocks.
func (w *writer) put(b *bbolt.Bucket, rows []Row) error {
	for chunk := range slices.Chunk(rows, blockRows(w.state.Width)) {
		value := encodeBlock(chunk)
		if err := b.Put([]byte(chunk[0].Path), value); err != nil {
			return err
		}
		w.state.Sum ^= blockCRC(value)
		w.state.Blocks++
		w.state.Pictures += len(chunk)
	}
	return nil
}

func (w *writer) append(tx *bbolt.Tx, rows []Row) error {
	return w.put(tx.Bucket([]byte(picturesBucket)), rows)
}

// rows returns those of some paths, in their order, nil where there is none.
func (w *writer) rows(paths []string) (found []*Row, err error) {
	err = guard(func() error {
		return w.db.View(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(picturesBucket))
			var last string
			var rows []Row
			for _, path := range paths {
				key, value := blockWith(b, path)
				if key != nil && (rows == nil || string(key) != last) {
					if rows, err = blockOf(value, w.state.Width); err != nil {
						return damaged(err)
					}
					last = string(key)
				}
				i, ok := slices.BinarySearchFunc(rows, path, func(r Row, path string) int { return cmp.Compare(r.Path, path) })
				if ok {
					found = append(found, &rows[i])
				} else {
					found = append(found, nil)
				}
			}
			return nil
		})
	})
	return found, err
}

// reduce brings the vectors of the index to principal components, all in one
// transaction.
func (w *writer) reduce() (*pca.PCA, error) {
	g, s, err := w.read(true)
	if err != nil {
		return nil, err
	}
	g.PCA, err = pca.Fit(g.Vectors, s.Components, pca.Options{})
	if err != nil {
		return nil, fmt.Errorf("gallery: %d principal components of %d pictures: %w", s.Components, len(g.Entries), err)
	}
	g.Vectors = g.PCA.Transform(g.Vectors)
	s.Recipe.PCA, s.Width = g.fingerprint(), s.Components
	s.Pictures, s.Blocks, s.Sum, s.Thresholds = 0, 0, 0, nil // of other vectors
	rows := make([]Row, len(g.Entries))
	for i := range rows {
		rows[i] = Row{g.Entries[i], g.Files[i], g.Vectors.Row(i)}
	}
	before := w.state
	w.state = s
	err = w.transact(func(tx *bbolt.Tx) error {
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
		return w.append(tx, rows)
	})
	if err != nil {
		w.state = before
		return nil, fmt.Errorf("gallery: write %s: %w", w.name, err)
	}
	return g.PCA, nil
}
