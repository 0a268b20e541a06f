//go:build !wasm

package indexing

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/picture/album"
)

// many is a file system of n small pictures, 1000 in a folder, that holds none of
// them in memory.
type many struct {
	n    int
	data []byte
}

func (m many) Open(name string) (fs.File, error) {
	return &oneOfMany{Reader: bytes.NewReader(m.data), many: m, name: name}, nil
}

func (m many) ReadDir(name string) (entries []fs.DirEntry, err error) {
	var folder int
	if _, err := fmt.Sscanf(name, "folder-of-photographs-%d", &folder); err != nil {
		for k := range (m.n + 999) / 1000 {
			entries = append(entries, fs.FileInfoToDirEntry(oneOfMany{many: m, name: fmt.Sprintf("folder-of-photographs-%04d", k), dir: true}))
		}
		return entries, nil
	}
	for k := range min(1000, m.n-1000*folder) {
		entries = append(entries, fs.FileInfoToDirEntry(oneOfMany{many: m, name: fmt.Sprintf("photograph-%03d.png", k)}))
	}
	return entries, nil
}

func (m many) Stat(name string) (fs.FileInfo, error) {
	return oneOfMany{many: m, name: name, dir: name == "."}, nil
}

// oneOfMany is a file or a folder, open, and what is said of it.
type oneOfMany struct {
	*bytes.Reader
	many
	name string
	dir  bool
}

func (f *oneOfMany) Stat() (fs.FileInfo, error) { return *f, nil }
func (f oneOfMany) Close() error                { return nil }
func (f oneOfMany) Name() string                { return f.name }
func (f oneOfMany) Size() int64                 { return int64(len(f.data)) }
func (f oneOfMany) ModTime() time.Time          { return time.Unix(1e9, 0) }
func (f oneOfMany) IsDir() bool                 { return f.dir }
func (f oneOfMany) Sys() any                    { return nil }
func (f oneOfMany) Mode() fs.FileMode {
	if f.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

var _ io.Reader = (*oneOfMany)(nil)

// The memory that Update holds is what it says: for each file its path and some
// fifty bytes, besides what some batches of pictures take, when the index is made and when it is
// brought up to date.
func TestMemory(t *testing.T) {
	n := sweeptest.Cases(10_000, 100_000, 100_000)
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := many{n, plain(t, 1, 1, color.RGBA{}).Data}
	held := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	photos, err := album.Folder(files, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if photos.Len() != n {
		t.Fatalf("%d files", photos.Len())
	}
	const pathBytes = len("folder-of-photographs-0000/photograph-000.png") + 16 // of the string itself
	most := before + uint64(n*(pathBytes+56)) + 8<<20                           // pictures and vectors are small here
	for _, run := range []string{"a new index", "one with nothing new"} {
		var mu sync.Mutex // Done and Saved come from goroutines of their own
		highest := uint64(0)
		look := func() {
			mu.Lock()
			defer mu.Unlock()
			highest = max(highest, held())
		}
		if _, _, err := Update(t.Context(), path, photos, "photos", new(pixels).describer(), Watch{Saved: func(int) { look() }, Done: func(done int) {
			if done%(n/10) == 0 || done < 2 {
				look()
			}
		}}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s of %d pictures: %.1f MB held, %.1f allowed; %.0f bytes a file", run, n, float64(highest-before)/1e6, float64(most-before)/1e6, float64(highest-before)/float64(n))
		if highest == 0 || highest > most {
			t.Errorf("%s: %d bytes held, %d allowed", run, highest, most)
		}
	}
	runtime.KeepAlive(photos)
}
