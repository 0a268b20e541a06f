package gallery

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"testing"
)

// failing is a file whose read number at fails as on a broken disk, and all after it.
type failing struct {
	io.ReaderAt
	at atomic.Int64
}

var errBroken = errors.New("input/output error")

func (f *failing) ReadAt(b []byte, offset int64) (int, error) {
	if f.at.Add(-1) < 0 {
		return 0, &fs.PathError{Op: "read", Path: "photos.idx", Err: errBroken}
	}
	return f.ReaderAt.ReadAt(b, offset)
}

// That the disk fails does not make an index a damaged one, which is to be made again.
func TestFailedRead(t *testing.T) {
	file, err := os.Open(save(t, example(3000, 70)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; ; at++ {
		f := &failing{ReaderAt: file}
		f.at.Store(int64(at))
		_, buckets, err := openSnapshot(f, info.Size())
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
