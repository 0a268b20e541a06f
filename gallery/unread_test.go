package gallery

import (
	"errors"
	"io/fs"
	"os"
	"sync/atomic"
	"testing"
)

// failing is a file whose read number at fails as on a broken disk, and all after it.
type failing struct {
	storeFile
	at atomic.Int64
}

var errBroken = errors.New("input/output error")

func (f *failing) ReadAt(b []byte, offset int64) (int, error) {
	if f.at.Add(-1) < 0 {
		return 0, &fs.PathError{Op: "read", Path: "photos.idx", Err: errBroken}
	}
	return f.storeFile.ReadAt(b, offset)
}

// That the disk fails does not make an index a damaged one, which is to be made again.
func TestFailedRead(t *testing.T) {
	file, err := os.Open(save(t, example(3000, 70)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for at := 0; ; at++ {
		f := &failing{storeFile: file}
		f.at.Store(int64(at))
		_, buckets, err := openSnapshot(f)
		if err == nil {
			_, _, err = gather(f, buckets, true)
		}
		if err == nil {
			if at < 20 {
				t.Errorf("only %d reads", at)
			}
			return
		}
		if !errors.Is(err, errBroken) || errors.Is(err, ErrDamaged) {
			t.Fatalf("read %d: %v", at, err)
		}
	}
}

// growing is a store that a writer lets grow just before its headers are read.
type growing struct {
	*os.File
	grow func()
}

func (g *growing) ReadAt(b []byte, at int64) (int, error) {
	if g.grow != nil {
		g.grow()
		g.grow = nil
	}
	return g.File.ReadAt(b, at)
}

// An index that grows while it is opened is not a damaged one.
func TestGrowingWhileOpened(t *testing.T) {
	small, large := save(t, example(3, 70)), save(t, example(3000, 70))
	content, err := os.ReadFile(large)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(small)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Size() >= int64(len(content)) {
		t.Fatal(err, "it does not grow")
	}
	g := &growing{file, func() {
		if err := os.WriteFile(small, content, 0o644); err != nil {
			t.Error(err)
		}
	}}
	if _, _, err := openSnapshot(g); err != nil {
		t.Error(err)
	}
}
