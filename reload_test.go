package lookalike_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"weak"

	"lookalike"
	"lookalike/gallery"
	"lookalike/tensor"
)

// slow is a reader that waits until it may go on.
type slow struct {
	io.Reader
	reading, proceed chan struct{}
	once             sync.Once
	proceeded        atomic.Bool
}

func (s *slow) Read(b []byte) (int, error) {
	s.once.Do(func() {
		close(s.reading)
		<-s.proceed
		s.proceeded.Store(true)
	})
	return s.Reader.Read(b)
}

// A search that takes long holds up no Reload, and Close waits for it, though it is on
// what the index was before.
func TestReloadDuringSearch(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	data, err := os.ReadFile(filepath.Join(photos, filepath.FromSlash(x.Entries()[0].Path)))
	if err != nil {
		t.Fatal(err)
	}
	s := &slow{Reader: bytes.NewReader(data), reading: make(chan struct{}), proceed: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		if found, err := x.Search(t.Context(), lookalike.Reader(s), 1); err != nil || found[0].Distance != 0 {
			t.Errorf("%+v, %v", found, err)
		}
	})
	<-s.reading
	before := x.Len()
	if err := os.WriteFile(filepath.Join(photos, "new.png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	update(t, path, photos, lookalike.Perceptual())
	if err := x.Reload(); err != nil || x.Len() != before+1 {
		t.Errorf("%d pictures, %v", x.Len(), err)
	}
	for range 2 {
		all.Go(func() {
			if err := x.Close(); err != nil || !s.proceeded.Load() {
				t.Errorf("closed with a search in flight: %v (%v)", !s.proceeded.Load(), err)
			}
		})
	}
	for x.Len() > 0 { // until a Close has begun
		runtime.Gosched()
	}
	for range 1000 {
		runtime.Gosched()
	}
	close(s.proceed)
	all.Wait()
}

// Of those that reload at once, none brings back what was there before.
func TestReloadsTogether(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "photos.idx")
	hold := func(n int) { // ever smaller ones, so that who has begun to read earlier ends later
		g := &gallery.Gallery{Recipe: gallery.Recipe{Model: gallery.Imported}, Vectors: tensor.New(n, 1<<18)}
		for i := range n {
			g.Entries = append(g.Entries, gallery.Entry{Path: fmt.Sprintf("%02d.png", i)})
		}
		next := filepath.Join(dir, "next.idx")
		if err := errors.Join(g.Save(next), os.Rename(next, path)); err != nil {
			t.Fatal(err)
		}
	}
	const most = 8
	hold(most)
	x := open(t, path)
	var others sync.WaitGroup
	defer others.Wait()
	var end atomic.Bool
	defer end.Store(true)
	for range 3 {
		others.Go(func() {
			for !end.Load() {
				if err := x.Reload(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := most - 1; n > 0; n-- {
		hold(n)
		if err := x.Reload(); err != nil {
			t.Error(err)
		}
		for range 1000 {
			if got := x.Len(); got != n {
				t.Fatalf("%d pictures after Reload, want %d", got, n)
			}
			runtime.Gosched()
		}
	}
}

// A model that is kept from reload to reload keeps none of the earlier vectors.
func TestReloadForgets(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	path := filepath.Join(dir, "photos.idx")
	update(t, path, photos, codes(t, filepath.Join(dir, "model.safetensors"), 1))
	x := open(t, path)
	before := weak.Make(&x.Entries()[0])
	if err := x.Reload(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if runtime.GC(); before.Value() == nil {
			return
		}
	}
	t.Error("what was read first is still in memory")
}

// A picture of an archive that has been opened can be read to its end, whatever becomes
// of the index.
func TestOpenPictureStays(t *testing.T) {
	archive, path := filepath.Join(t.TempDir(), "photos.zip"), filepath.Join(t.TempDir(), "photos.idx")
	zipped(t, archive, drawn(t, 1))
	update(t, path, archive, lookalike.Perceptual())
	x := open(t, path)
	var pictures []io.ReadCloser
	for row := range 2 {
		f, err := x.OpenPicture(row)
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, f)
	}
	if err := x.Reload(); err != nil {
		t.Fatal(err)
	}
	if found, err := x.Search(t.Context(), lookalike.Reader(pictures[0]), 1); err != nil || found[0].Row != 0 {
		t.Errorf("after Reload: %+v, %v", found, err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(pictures[1]); err != nil || len(data) == 0 {
		t.Errorf("after Close: %d bytes, %v", len(data), err)
	}
	for _, f := range pictures {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		f.Close()
	}
}

// zipped writes the files of a folder to an archive.
func zipped(t *testing.T, archive, folder string) {
	t.Helper()
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	if err := errors.Join(w.AddFS(os.DirFS(folder)), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Pictures that are away, as on a disk that is not mounted, are found when they are back.
func TestPicturesComeBack(t *testing.T) {
	photos, path := drawn(t, 1), filepath.Join(t.TempDir(), "photos.idx")
	update(t, path, photos, lookalike.Perceptual())
	x := open(t, path)
	if err := os.Rename(photos, photos+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := x.OpenPicture(0); err == nil {
		t.Error("a picture that is away is opened")
	}
	if err := os.Rename(photos+".away", photos); err != nil {
		t.Fatal(err)
	}
	f, err := x.OpenPicture(0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}
