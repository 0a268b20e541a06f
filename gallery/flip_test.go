//go:build !wasm

package gallery

import (
	"bytes"
	"errors"
	"fmt"
	"go.etcd.io/bbolt"
	"hash/fnv"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/internal/sweeptest"
)

// branched returns an index of some pictures in blocks so small that their tree has
// branches of branches, and the pictures.
func branched(t *testing.T) (content []byte, g *Gallery, files fstest.MapFS) {
	t.Helper()
	files = fstest.MapFS{}
	for i := range 70 {
		path := fmt.Sprintf("%s/%03d.png", strings.Repeat("long", 100), i)
		files[path] = plain(t, 1, 1, color.RGBA{R: uint8(i), G: 1})
		files[path].ModTime = time.Unix(int64(i+1), 0)
	}
	g, _, err := build(t, folder(t, files), "photos", new(pixels).describer())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "photos.idx")
	empty := *g
	empty.Entries, empty.Files, empty.Vectors = nil, nil, example(0, 3).Vectors
	if err := empty.Save(path); err != nil {
		t.Fatal(err)
	}
	w, _, err := openWriter(path, nil)
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
	return content, g, files
}

// Whatever bit is flipped, in a branch too, an index is read as it was or called
// damaged, and what brings it up to date ends, and leaves either what a new index
// would be or, with an error that calls it damaged, the file as it was.
func TestFlips(t *testing.T) {
	defer func(o bbolt.Options) { storeOptions = o }(storeOptions)
	storeOptions.NoSync = true // no power is cut here
	alone(t)
	content, before, files := branched(t)
	for path := range files {
		switch {
		case strings.HasSuffix(path, "/020.png"):
			delete(files, path)
		case strings.HasSuffix(path, "/010.png"):
			files[path] = plain(t, 2, 1, color.RGBA{B: 5})
		case strings.HasSuffix(path, "/040.png"):
			files[path+"-new.png"] = plain(t, 3, 1, color.RGBA{B: 6})
		}
	}
	after, _, err := build(t, folder(t, files), "photos", new(pixels).describer())
	if err != nil {
		t.Fatal(err)
	}
	step := sweeptest.Cases(331, 197, 1)
	path := filepath.Join(t.TempDir(), "photos.idx")
	rng := rand.New(rand.NewPCG(11, 12))
	flips, refused := 0, 0
	for at := 0; at < len(content); at += step {
		bit := rng.IntN(8)
		flipped := bytes.Clone(content)
		flipped[at] ^= 1 << bit
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		flips++
		where := fmt.Sprintf("bit %d of byte %d of page %d", bit, at%pageSize, at/pageSize)
		got, opened := Open(path)
		switch {
		case opened != nil && !errors.Is(opened, ErrDamaged):
			t.Errorf("%s: read with the error %v", where, opened)
		case opened == nil && !(reflect.DeepEqual(got.Entries, before.Entries) && reflect.DeepEqual(got.Files, before.Files) && reflect.DeepEqual(got.Vectors, before.Vectors)):
			t.Errorf("%s: read as another index", where)
		}
		updated := make(chan error, 1)
		go func() {
			_, _, err := Update(t.Context(), path, folder(t, files), "photos", new(pixels).describer(), Watch{})
			updated <- err
		}()
		var err error
		select {
		case err = <-updated:
		case <-time.After(5 * time.Minute):
			t.Fatalf("%s: the update hangs", where)
		}
		if (err == nil) != (opened == nil) {
			t.Errorf("%s: read with the error %v, updated with %v", where, opened, err)
		}
		if err != nil {
			refused++
			if now, e := os.ReadFile(path); !errors.Is(err, ErrDamaged) || e != nil || !bytes.Equal(now, flipped) {
				t.Errorf("%s: the update ends with the error %v; the file is as it was: %v", where, err, bytes.Equal(now, flipped))
			}
		} else if got, err := Open(path); err != nil || !reflect.DeepEqual(got, after) {
			t.Errorf("%s: of no use after an update: %v", where, err)
		}
	}
	t.Logf("%d flips in %d bytes, %d found out", flips, len(content), refused)
	if refused == 0 {
		t.Error("nothing was found out")
	}
}

// alone says that nobody writes to the indexes of a test that could have a header half
// written.
func alone(t *testing.T) {
	old := doubtTries
	doubtTries = 0
	t.Cleanup(func() { doubtTries = old })
}

// A run that has come to its end leaves two headers that say the same: whichever is
// damaged, nothing is lost, and it is said.
func TestDamagedHeader(t *testing.T) {
	alone(t)
	path := filepath.Join(t.TempDir(), "photos.idx")
	photos := folder(t, colours(t, 20))
	update := func() {
		t.Helper()
		if _, _, err := Update(t.Context(), path, photos, "photos", new(pixels).describer(), Watch{}); err != nil {
			t.Fatal(err)
		}
	}
	update()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2*8*metaSize; i++ {
		at := i/(8*metaSize)*pageSize + pageHeader + i/8%metaSize
		flipped := bytes.Clone(content)
		flipped[at] ^= 1 << (i % 8)
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err != nil || !got.Doubtful || !reflect.DeepEqual(got.Entries, want.Entries) {
			t.Errorf("bit %d of byte %d: %v, doubtful %v", i%8, at, err, got != nil && got.Doubtful)
		}
	}
	update() // and nothing new
	if g, err := Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("an update has not made the headers whole: %v", err)
	}
}

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
			if _, err := Open(path); !errors.Is(err, ErrDamaged) && !errors.Is(err, errNoStore) {
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

// A run that was killed leaves two headers that differ. If the newer is damaged, the
// state before is what there is: that is said, an update brings back what is missing,
// and until then nothing is written that would hide it.
func TestDamagedHeaderAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := colours(t, 20)
	update := func() {
		t.Helper()
		if _, _, err := Update(t.Context(), path, folder(t, files), "photos", new(pixels).describer(), Watch{}); err != nil {
			t.Fatal(err)
		}
	}
	update()
	want, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := openWriter(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	var gone []edit
	for _, e := range want.Entries[:15] {
		gone = append(gone, edit{path: e.Path})
	}
	if err := w.commit(gone); err != nil {
		t.Fatal(err)
	}
	serial := func(page int) uint64 {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return order.Uint64(b[page*pageSize+pageHeader+48:])
	}
	rows := []edit{}
	for i, e := range want.Entries[:15] {
		rows = append(rows, edit{e.Path, &Row{e, want.Files[i], want.Vectors.Row(i)}})
	}
	if err := w.commit(rows); err != nil {
		t.Fatal(err)
	}
	w.db.Close() // as a kill would end it
	newest := 0
	if serial(1) > serial(0) {
		newest = 1
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteAt([]byte{0xa5}, int64(newest*pageSize+pageHeader+20))
	g, err := Open(path)
	if err != nil || !g.Doubtful || len(g.Entries) != 5 {
		t.Fatalf("%v, %+v", err, g)
	}
	if err := g.SaveThreshold(path, Threshold{Metric: "euclidean", Method: FromLabels}); err == nil || !strings.Contains(err.Error(), "headers") {
		t.Errorf("a threshold was saved: %v", err)
	}
	if g, err := Open(path); err != nil || !g.Doubtful {
		t.Errorf("afterwards: %v", err)
	}
	update()
	if g, err := Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("brought up to date: %v", err)
	}
}
