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
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"lookalike/internal/atomicfile"
	"lookalike/internal/parallel"
	"lookalike/tensor"
)

// store is an index that is open for writing, and nobody else writes to it meanwhile.
type store struct {
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

// openExisting opens an existing index and returns what it says of itself, without
// its pictures.
func openExisting(path string, out *atomicfile.Output) (*store, *Gallery, error) {
	for range readTries {
		// bbolt is given none but sound files.
		if _, _, err := open(path, false); err != nil {
			return nil, nil, err
		}
		w := &store{name: path, out: out, path: path}
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

// doubtful is the error for an index that is, and that nobody has compared.
func doubtful(name string) error {
	return fmt.Errorf("gallery: %s: one of its two headers is damaged, so that pictures may be missing; bring it up to date first", name)
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
	w, g, err := openExisting(path, out)
	if err != nil {
		return err
	}
	if g.Doubtful { // to write would hide that
		err = doubtful(path)
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

// last reads what the last transaction has left, and hands it to f.
func (w *store) last(f func(file *os.File, last *snapshot, buckets map[string][]item) error) error {
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

func (w *store) read(pictures bool) (g *Gallery, s state, err error) {
	err = w.last(func(file *os.File, last *snapshot, buckets map[string][]item) error {
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
func (w *store) scan(ctx context.Context, visit func(Entry, File)) error {
	return w.last(func(file *os.File, _ *snapshot, buckets map[string][]item) error {
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
func begin(path string, out *atomicfile.Output, mode fs.FileMode, s state, arrays map[string]*tensor.Tensor) (*store, error) {
	w := &store{name: path, out: out, path: out.Temporary(), state: s}
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

// hidden tells whether the index has no name yet.
func (w *store) hidden() bool { return w.out != nil && w.path == w.out.Temporary() }

// plain gives an error of the temporary file the index's name: that one tells the reader
// nothing. (bbolt's errors have it in their text only.)
func (w *store) plain(err error) error {
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
func (w *store) publish() error {
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
func (w *store) close() error {
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
func (w *store) settle() error {
	if !w.wrote {
		return nil
	}
	err := guard(func() error { return repeat(w.db) })
	w.wrote = err != nil
	return err
}

// owns makes sure that the file that is open is still that of the path.
func (w *store) owns() error {
	now, err := os.Stat(w.path)
	if err != nil {
		return fmt.Errorf("gallery: the index %s has gone while it was being written to: %w", w.name, err)
	}
	if !os.SameFile(now, w.file) {
		return fmt.Errorf("gallery: %s has been replaced by another program while it was being written to", w.name)
	}
	return nil
}
