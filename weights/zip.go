package weights

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// archive is the entries of a zip archive by name, folders left out.
type archive map[string]entry

// entry is a file in an archive.
type entry struct {
	*zip.File
	raw *input // its bytes as they are in the archive, compressed or not
}

const (
	maxDirectory = 16 << 20 // bytes of an archive's list of entries: 300,000 of them
	maxInflation = 1032     // what deflate can make of a byte at most
)

// directoryReader refuses what zip.NewReader would take too much memory for.
type directoryReader struct {
	io.ReaderAt
	left int // bytes that may be read; no limit if negative
}

func (r *directoryReader) ReadAt(b []byte, offset int64) (int, error) {
	if r.left >= 0 {
		if r.left -= len(b); r.left < 0 {
			return 0, fmt.Errorf("the list of entries is longer than %d bytes", maxDirectory)
		}
	}
	return r.ReaderAt.ReadAt(b, offset)
}

// openZip reads an archive's list of entries and checks it: no name twice, no
// entry beyond the file, none larger than it can be.
func openZip(in *input) (archive, error) {
	limited := &directoryReader{in, maxDirectory}
	r, err := zip.NewReader(limited, in.size)
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w: the file is cut short or damaged", err)
	}
	limited.left = -1
	a := archive{}
	total := int64(0)
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		raw, err := locate(in, f)
		if err == nil {
			if total += raw.size; total > in.size {
				err = errors.New("entries overlap")
			} else if _, twice := a[f.Name]; twice {
				err = errors.New("comes twice")
			}
		}
		if err != nil {
			return nil, fmt.Errorf("zip archive: entry %q: %w", f.Name, err)
		}
		a[f.Name] = entry{f, raw}
	}
	return a, nil
}

// locate returns the place of an entry's bytes.
func locate(in *input, f *zip.File) (*input, error) {
	compressed, size := f.CompressedSize64, f.UncompressedSize64
	switch {
	case f.Flags&1 != 0:
		return nil, errors.New("is encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, fmt.Errorf("is compressed by method %d; only deflate is known here", f.Method)
	case compressed > uint64(in.size) || f.Method == zip.Store && size != compressed || size > compressed*maxInflation:
		return nil, fmt.Errorf("claims %d bytes out of %d in a file of %d: the file is damaged", size, compressed, in.size)
	}
	offset, err := f.DataOffset()
	if err != nil {
		return nil, err
	}
	return in.section(offset, int64(compressed))
}

// stored says whether the entry is not compressed.
func (e entry) stored() bool { return e.Method == zip.Store }

// names returns the entries' names, sorted.
func (a archive) names() []string { return slices.Sorted(maps.Keys(a)) }

// find returns the one entry whose name without folders is base, and the
// folders; ok is false if there is none or more than one.
func (a archive) find(base string) (folder string, ok bool) {
	for name := range a {
		if rest, found := strings.CutSuffix(name, base); found && (rest == "" || strings.HasSuffix(rest, "/")) {
			if ok {
				return "", false
			}
			folder, ok = rest, true
		}
	}
	return folder, ok
}
