//go:build !wasm

package gallery

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.etcd.io/bbolt"
)

// What tests outside of this package need of the inside: they bring indexes up to date,
// and the package that does imports this one.

// PageSize, PageHeader and MetaSize say where the two headers of an index are.
const (
	PageSize   = pageSize
	PageHeader = pageHeader
	MetaSize   = metaSize
)

// Serial returns the number of a header's transaction.
func Serial(header []byte) uint64 { return order.Uint64(header[PageHeader+48:]) }

// StoreOptions are what bbolt opens an index with until the end of a test.
func StoreOptions(t *testing.T) *bbolt.Options {
	old := storeOptions
	t.Cleanup(func() { storeOptions = old })
	return &storeOptions
}

// Alone says that nobody writes to the indexes of a test that could have a header half
// written.
func Alone(t *testing.T) {
	old := doubtTries
	doubtTries = 0
	t.Cleanup(func() { doubtTries = old })
}

// Branched returns an index of a gallery in blocks of two pictures, so small that their
// tree has branches of branches.
func Branched(t *testing.T, g *Gallery) (content []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.idx")
	empty := *g
	empty.Entries, empty.Files, empty.Vectors = nil, nil, example(0, 3).Vectors
	if err := empty.Save(path); err != nil {
		t.Fatal(err)
	}
	w, _, err := openExisting(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(g.Entries); i += 10 {
		if err := w.transact(func(tx *bbolt.Tx) error {
			for k := i; k < i+10; k += 2 {
				rows := []Row{{g.Entries[k], g.Files[k], g.Vectors.Row(k)}, {g.Entries[k+1], g.Files[k+1], g.Vectors.Row(k + 1)}}
				if err := w.append(tx, rows); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last, err := lastMeta(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	content = content[:last.pages*pageSize] // no page behind is in use or free
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	above := 0 // branches that lead to branches
	for page := content[firstTreePage*pageSize:]; len(page) > 0; page = page[pageSize:] {
		if order.Uint16(page[8:]) == branchPage && order.Uint16(content[order.Uint64(page[pageHeader+8:])*pageSize+8:]) == branchPage {
			above++
		}
	}
	if back, err := Open(path); err != nil || !reflect.DeepEqual(back, g) || above == 0 {
		t.Fatalf("%d branches of branches, %v", above, err)
	}
	return content
}
