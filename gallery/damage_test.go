//go:build !wasm

package gallery_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/gallery/internal/gallerytest"
	"lookalike/internal/sweeptest"
)

// describer describes pictures by a pixel.
func describer() indexing.Describer {
	var p gallerytest.Pixels
	return indexing.Describer{Recipe: p.Recipe(), Width: p.Width(), Prepare: p.Prepare, Describe: p.Describe}
}

// update brings an index up to date with some files.
func update(t *testing.T, path string, files fstest.MapFS) error {
	_, _, err := indexing.Update(t.Context(), path, gallerytest.Folder(t, files), "photos", describer(), indexing.Watch{})
	return err
}

// build returns what an index of some files is when it is made anew.
func build(t *testing.T, files fstest.MapFS) *gallery.Gallery {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.idx")
	if err := update(t, path, files); err != nil {
		t.Fatal(err)
	}
	g, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Whatever bit is flipped, in a branch too, an index is read as it was or called
// damaged, and what brings it up to date ends, and leaves either what a new index
// would be or, with an error that calls it damaged, the file as it was.
func TestFlips(t *testing.T) {
	gallery.StoreOptions(t).NoSync = true // no power is cut here
	gallery.Alone(t)
	files := fstest.MapFS{}
	for i := range 70 {
		path := fmt.Sprintf("%s/%03d.png", strings.Repeat("long", 100), i)
		files[path] = gallerytest.Plain(t, 1, 1, color.RGBA{R: uint8(i), G: 1})
		files[path].ModTime = time.Unix(int64(i+1), 0)
	}
	before := build(t, files)
	content := gallery.Branched(t, before)
	for path := range files {
		switch {
		case strings.HasSuffix(path, "/020.png"):
			delete(files, path)
		case strings.HasSuffix(path, "/010.png"):
			files[path] = gallerytest.Plain(t, 2, 1, color.RGBA{B: 5})
		case strings.HasSuffix(path, "/040.png"):
			files[path+"-new.png"] = gallerytest.Plain(t, 3, 1, color.RGBA{B: 6})
		}
	}
	after := build(t, files)
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
		where := fmt.Sprintf("bit %d of byte %d of page %d", bit, at%gallery.PageSize, at/gallery.PageSize)
		got, opened := gallery.Open(path)
		switch {
		case opened != nil && !errors.Is(opened, gallery.ErrDamaged):
			t.Errorf("%s: read with the error %v", where, opened)
		case opened == nil && !(reflect.DeepEqual(got.Entries, before.Entries) && reflect.DeepEqual(got.Files, before.Files) && reflect.DeepEqual(got.Vectors, before.Vectors)):
			t.Errorf("%s: read as another index", where)
		}
		updated := make(chan error, 1)
		go func() {
			updated <- update(t, path, files)
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
			if now, e := os.ReadFile(path); !errors.Is(err, gallery.ErrDamaged) || e != nil || !bytes.Equal(now, flipped) {
				t.Errorf("%s: the update ends with the error %v; the file is as it was: %v", where, err, bytes.Equal(now, flipped))
			}
		} else if got, err := gallery.Open(path); err != nil || !reflect.DeepEqual(got, after) {
			t.Errorf("%s: of no use after an update: %v", where, err)
		}
	}
	t.Logf("%d flips in %d bytes, %d found out", flips, len(content), refused)
	if refused == 0 {
		t.Error("nothing was found out")
	}
}

// A run that has come to its end leaves two headers that say the same: whichever is
// damaged, nothing is lost, and it is said.
func TestDamagedHeader(t *testing.T) {
	gallery.Alone(t)
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := gallerytest.Colours(t, 20)
	if err := update(t, path, files); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 2*8*gallery.MetaSize; i++ {
		at := i/(8*gallery.MetaSize)*gallery.PageSize + gallery.PageHeader + i/8%gallery.MetaSize
		flipped := bytes.Clone(content)
		flipped[at] ^= 1 << (i % 8)
		if err := os.WriteFile(path, flipped, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := gallery.Open(path)
		if err != nil || !got.Doubtful || !reflect.DeepEqual(got.Entries, want.Entries) {
			t.Errorf("bit %d of byte %d: %v, doubtful %v", i%8, at, err, got != nil && got.Doubtful)
		}
	}
	if err := update(t, path, files); err != nil { // and nothing new
		t.Fatal(err)
	}
	if g, err := gallery.Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("an update has not made the headers whole: %v", err)
	}
}

// A run that was killed leaves two headers that differ. If the newer is damaged, the
// state before is what there is: that is said, an update brings back what is missing,
// and until then nothing is written that would hide it.
func TestDamagedHeaderAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := gallerytest.Colours(t, 20)
	if err := update(t, path, files); err != nil {
		t.Fatal(err)
	}
	want, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	h := gallery.Head{Root: want.Root, Recipe: want.Recipe, Width: want.Vectors.Dim(1)}
	w, err := gallery.Write(path, h)
	if err != nil {
		t.Fatal(err)
	}
	var gone []string
	var rows []gallery.Row
	for i, e := range want.Entries[:15] {
		gone = append(gone, e.Path)
		rows = append(rows, gallery.Row{Entry: e, File: want.Files[i], Vector: want.Vectors.Row(i)})
	}
	if err := cmp.Or(w.Note(h), w.Commit(nil, gone), w.Commit(rows, nil)); err != nil {
		t.Fatal(err)
	}
	serial := func(page int) uint64 {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return gallery.Serial(b[page*gallery.PageSize:])
	}
	w.Abandon() // as a kill would end it
	newest := 0
	if serial(1) > serial(0) {
		newest = 1
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteAt([]byte{0xa5}, int64(newest*gallery.PageSize+gallery.PageHeader+20))
	g, err := gallery.Open(path)
	if err != nil || !g.Doubtful || len(g.Entries) != 5 {
		t.Fatalf("%v, %+v", err, g)
	}
	if err := g.SaveThreshold(path, gallery.Threshold{Metric: "euclidean", Method: gallery.FromLabels}); err == nil || !strings.Contains(err.Error(), "headers") {
		t.Errorf("a threshold was saved: %v", err)
	}
	if g, err := gallery.Open(path); err != nil || !g.Doubtful {
		t.Errorf("afterwards: %v", err)
	}
	if err := update(t, path, files); err != nil {
		t.Fatal(err)
	}
	if g, err := gallery.Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("brought up to date: %v", err)
	}
}

// A disk that is full (here: the limit of a store's size) is an error; what was
// saved before stays.
func TestFull(t *testing.T) {
	gallery.StoreOptions(t).MaxSize = 256 << 10
	path := filepath.Join(t.TempDir(), "photos.idx")
	safe := 0
	_, _, err := indexing.Update(t.Context(), path, gallerytest.Folder(t, gallerytest.Colours(t, 3000)), "photos", describer(), indexing.Watch{Saved: func(n int) { safe = n }})
	if err == nil || safe == 0 || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v with %d pictures", err, safe)
	}
	if g, err := gallery.Open(path); err != nil || len(g.Entries) != safe {
		t.Errorf("%v, %d pictures were safe", err, safe)
	}
}
