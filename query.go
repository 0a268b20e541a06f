package lookalike

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"image"
	"io"
	"os"
	"sync/atomic"

	"lookalike/picture"
)

// Query is what a search begins with: a picture, or its vector. [File], [Bytes],
// [Reader], [Picture], [Vector], [Row] and [Path] make one.
type Query struct {
	name   string
	open   func() (io.ReadCloser, error) // of a file's bytes
	pixels *picture.Image                // decoded already
	vector []float32
	inside bool // the index has it, as the row
	row    int
	path   string // of the index, "" for none
	file   string // where the picture lies, "" if it lies in no file
	part   bool   // of the picture is asked for, the region
	region image.Rectangle
	sum    hash.Hash // of the file's bytes, taken as they are read; nil if nobody asks
}

// File is a picture's file.
func File(path string) Query {
	return Query{name: path, file: path, open: func() (io.ReadCloser, error) {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			return nil, errors.New("it is a folder, not a file")
		case !info.Mode().IsRegular(): // to open a pipe may wait for ever
			return nil, errors.New("it is no regular file")
		}
		return os.Open(path)
	}}
}

// Bytes is what a picture's file holds.
func Bytes(data []byte) Query {
	return Query{name: "the picture", open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// Reader is a picture's file that is read once: the query can be used for one search, and
// is an error in others. A search waits for the reader, whatever becomes of its context.
func Reader(r io.Reader) Query {
	read := new(atomic.Bool)
	return Query{name: "the picture", open: func() (io.ReadCloser, error) {
		switch {
		case r == nil:
			return nil, errors.New("the reader is nil")
		case read.Swap(true):
			return nil, errors.New("the reader has been read by another query; make each search a query of its own, or give Bytes")
		}
		return io.NopCloser(r), nil
	}}
}

// Picture is a picture in memory, upright.
func Picture(m *picture.Image) Query { return Query{name: "the picture", pixels: m} }

// Vector is a vector that the model of the index has made, as long as those of the
// index: of one with principal components, brought to these. It must not be changed
// while a search is at work.
func Vector(v []float32) Query { return Query{name: "the vector", vector: v} }

// Row is a picture of the index, by its number in [Index.Entries].
func Row(i int) Query {
	return Query{name: fmt.Sprintf("picture %d of the index", i), inside: true, row: i}
}

// Path is a picture of the index, by its path in [Index.Entries].
func Path(path string) Query { return Query{name: path, path: path} }

// Region is a part of a query's picture, in pixels of the upright picture from its top
// left corner. Of a query that is a region already it is another one, in pixels of the
// whole picture, too.
func (q Query) Region(r image.Rectangle) Query {
	q.part, q.region = true, r
	return q
}

// whole tells whether the query is a whole picture, not a part of it.
func (q *Query) whole() bool { return !q.part }

// load reads the picture of a query; in opens a picture of the index.
func (q *Query) load(ctx context.Context, in func(row int) (io.ReadCloser, error), o picture.Options) (m *picture.Image, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	switch {
	case q.pixels != nil:
		if m = q.pixels; m.Check() != nil {
			return nil, m.Check()
		}
	case q.inside:
		m, err = q.decode(func() (io.ReadCloser, error) { return in(q.row) }, o)
	case q.open != nil:
		m, err = q.decode(q.open, o)
	default:
		return nil, fmt.Errorf("the query is empty; make it by File, Bytes, Reader, Picture, Vector, Row or Path")
	}
	if err != nil || q.whole() {
		return m, err
	}
	return cut(m, q.region)
}

// decode reads a file once: a reader has its bytes no second time, and a file may be
// another one by then.
func (q *Query) decode(open func() (io.ReadCloser, error), o picture.Options) (*picture.Image, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if q.sum != nil {
		return picture.Decode(io.TeeReader(f, q.sum), o)
	}
	return picture.Decode(f, o)
}

// cut returns a part of a picture.
func cut(m *picture.Image, r image.Rectangle) (*picture.Image, error) {
	if r.Empty() || !r.In(image.Rect(0, 0, m.Width, m.Height)) {
		return nil, fmt.Errorf("the region %v is empty or not within the picture's %dx%d pixels", r, m.Width, m.Height)
	}
	part := picture.New(r.Dx(), r.Dy())
	for y := range part.Height {
		copy(part.Pix[3*y*part.Width:][:3*part.Width], m.Pix[3*((r.Min.Y+y)*m.Width+r.Min.X):])
	}
	return part, nil
}
