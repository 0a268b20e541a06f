package lookalike

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"io"
	"sync/atomic"

	"lookalike/gallery"
	"lookalike/internal/regular"
	"lookalike/internal/words"
	"lookalike/picture"
)

// Query is what a search begins with: a picture, or its vector.
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

	// What describing it has made, and read: of a file of its own.
	known []float32
	by    string // the fingerprint of the recipe that known was made by
	sum   *[sha256.Size]byte
}

// File is a picture's file.
func File(path string) Query {
	return Opener(path, func() (io.ReadCloser, error) {
		f, err := regular.Open(path)
		if err != nil {
			return nil, regular.Reason(err)
		}
		return f, nil
	}).At(path)
}

// Opener is a picture's file that a function opens, such as one in an archive; errors
// call it by the name. If it is opened twice, it must be the same both times.
func Opener(name string, open func() (io.ReadCloser, error)) Query {
	return Query{name: name, open: open}
}

// Bytes is what a picture's file holds.
func Bytes(data []byte) Query {
	return Opener("the picture", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
}

// Reader is a picture's file that is read once: the query can be used for one search, and
// is an error in others. A search waits for the reader, whatever becomes of its context.
func Reader(r io.Reader) Query {
	read := new(atomic.Bool)
	return Opener("the picture", func() (io.ReadCloser, error) {
		switch {
		case r == nil:
			return nil, errors.New("the reader is nil")
		case read.Swap(true):
			return nil, errors.New("the reader has been read by another query; make each search a query of its own, or give Bytes")
		}
		return io.NopCloser(r), nil
	})
}

// Picture is a picture in memory, upright.
func Picture(m *picture.Image) Query { return Query{name: "the picture", pixels: m} }

// Vector is a vector that the model of the index has made.
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
	q.part, q.region, q.known = true, r, nil
	return q
}

// At says where the file of a query lies, so that [ExceptSelf] knows it in the index.
func (q Query) At(path string) Query {
	q.file = path
	return q
}

// Vector is what Describe has made of the query, or what [Vector] was given, else nil. It
// must not be changed.
func (q Query) Vector() []float32 {
	if q.vector != nil {
		return q.vector
	}
	return q.known
}

// forget drops what was made by another recipe than that of this fingerprint.
func (q *Query) forget(by string) {
	if q.by != by {
		q.known, q.by = nil, by
	}
}

// check finds a vector that is not one of so many values.
func (q *Query) check(width int) error {
	switch v := q.Vector(); {
	case q.vector != nil && !q.whole():
		return errors.New("lookalike: a vector has no region")
	case v != nil && len(v) != width:
		return fmt.Errorf("lookalike: the vector has %d values, not %d as others here", len(v), width)
	}
	return nil
}

// SHA256 is the hash of the query's file. It is an error if the query is not made of one.
// A query that has been described knows it of what was read then.
func (q Query) SHA256() (sum [sha256.Size]byte, err error) {
	switch {
	case q.sum != nil:
		return *q.sum, nil
	case q.open == nil:
		return sum, errors.New("it has no file of its own")
	}
	return gallery.Sum(q.open)
}

// whole tells whether the query is a whole picture, not a part of it.
func (q *Query) whole() bool { return !q.part }

// load reads the picture of a query; in opens a picture of the index, nil if there is none.
func (q *Query) load(ctx context.Context, in func(row int) (io.ReadCloser, error), o picture.Options) (m *picture.Image, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	switch {
	case q.pixels != nil:
		if m = q.pixels; m.Check() != nil {
			return nil, m.Check()
		}
	case q.inside && in != nil:
		m, err = decode(func() (io.ReadCloser, error) { return in(q.row) }, o)
	case q.open != nil:
		m, err = q.decode(o)
	case q.inside, q.path != "":
		return nil, errors.New("there is no index that it could be a picture of")
	default:
		return nil, errors.New("the query is empty; make it by File, Bytes, Reader, Picture, Vector, Row or Path")
	}
	if err != nil || q.whole() {
		return m, err
	}
	return cut(m, q.region)
}

// decode reads the picture's own file, once: a reader has its bytes no second time, and a
// file may be another one by then.
func (q *Query) decode(o picture.Options) (*picture.Image, error) {
	h := sha256.New()
	m, err := decode(func() (io.ReadCloser, error) {
		f, err := q.open()
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.TeeReader(f, h), f}, nil
	}, o)
	if err == nil {
		sum := [sha256.Size]byte(h.Sum(nil))
		q.sum = &sum
	}
	return m, err
}

// decode reads a picture. The error does not name it.
func decode(open func() (io.ReadCloser, error), o picture.Options) (*picture.Image, error) {
	f, err := open()
	if err != nil {
		return nil, words.Cause(err)
	}
	defer f.Close()
	m, err := picture.Decode(f, o)
	return m, words.Cause(err)
}

// cut returns a part of a picture.
func cut(m *picture.Image, r image.Rectangle) (*picture.Image, error) {
	if r.Empty() || !r.In(image.Rect(0, 0, m.Width, m.Height)) {
		return nil, fmt.Errorf("the region %v is empty or not within the picture's %dx%d pixels", r, m.Width, m.Height)
	}
	part := picture.New(r.Dx(), r.Dy())
	for y := range part.Height {
		from := (r.Min.Y+y)*m.Width + r.Min.X
		copy(part.Pix[3*y*part.Width:][:3*part.Width], m.Pix[3*from:])
		if m.Alpha != nil {
			part.Alpha = append(part.Alpha, m.Alpha[from:from+part.Width]...)
		}
		if m.Upper != nil {
			part.Upper = append(part.Upper, m.Upper[from:from+part.Width]...)
		}
	}
	return part, nil
}
