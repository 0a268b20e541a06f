//go:build !wasm

package gallery

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// slackBytes is the size from which a file is written anew if more than half
// of what was written of it is free. (bbolt lets it end in pages not written yet.)
const slackBytes = 4 << 20

func (w *store) compact() error {
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
func (w *store) copyTo(to *bbolt.DB) error {
	return w.last(func(file *os.File, _ *snapshot, buckets map[string][]item) error {
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
