//go:build !wasm

package gallery

import (
	"bytes"
	"errors"
	"hash/fnv"
	"math"
	"os"
	"testing"
)

// What bbolt would take, for its checksum is right, and this program has not written is
// refused: a number of a transaction from which bbolt cannot count on, pages of another
// size.
func TestForeignHeader(t *testing.T) {
	path := save(t, example(20, 7))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, which := range [][]int{{0}, {1}, {0, 1}} {
		for name, change := range map[string]func(meta []byte, i int){
			"the last transaction": func(meta []byte, i int) { order.PutUint64(meta[48:], math.MaxUint64-uint64(i)) },
			"pages of 8192 bytes":  func(meta []byte, _ int) { order.PutUint32(meta[8:], 8192) },
			"pages of no bytes":    func(meta []byte, _ int) { order.PutUint32(meta[8:], 0) },
		} {
			damaged := bytes.Clone(content)
			for _, i := range which {
				meta := damaged[i*pageSize+pageHeader:][:metaSize]
				change(meta, i)
				sum := fnv.New64a()
				sum.Write(meta[:56])
				order.PutUint64(meta[56:], sum.Sum64())
			}
			if err := os.WriteFile(path, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(path); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotIndex) {
				t.Errorf("%s in %v: %v", name, which, err)
			}
			if err := amend(path, func(*state) error { return nil }); err == nil {
				t.Errorf("%s in %v: written to", name, which)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, damaged) {
				t.Errorf("%s in %v: the file has changed (%v)", name, which, err)
			}
		}
	}
}
