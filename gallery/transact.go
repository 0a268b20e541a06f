//go:build !wasm

package gallery

import (
	"cmp"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"lookalike/knn/pca"
)

// edit is a picture to be written or, without a row, taken out.
type edit struct {
	path string
	row  *Row
}

// commit writes and takes out pictures, all or none. When it returns without an
// error, they are on the disk, and the index has its name if there are any.
func (w *store) commit(edits []edit) error {
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
func (w *store) transact(f func(tx *bbolt.Tx) error) error {
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

func (w *store) putState(tx *bbolt.Tx) error {
	b, err := w.state.encode()
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(indexBucket)).Put([]byte(stateKey), b)
}

// change makes sorted edits. The blocks that they fall into are written anew.
func (w *store) change(b *bbolt.Bucket, edits []edit) error {
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
func (w *store) put(b *bbolt.Bucket, rows []Row) error {
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

func (w *store) append(tx *bbolt.Tx, rows []Row) error {
	return w.put(tx.Bucket([]byte(picturesBucket)), rows)
}

// rows returns those of some paths, in their order, nil where there is none.
func (w *store) rows(paths []string) (found []*Row, err error) {
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
func (w *store) reduce() (*pca.PCA, error) {
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
