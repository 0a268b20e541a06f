package lookalike

import (
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"sync"

	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/picture/album"
)

// PhotosError is that the pictures of an index are not where they should be, or that it
// does not say where. See [Photos].
type PhotosError struct {
	Index string // its file
	Root  string // where they should be, "" if that is not known
	Err   error  // which does not name it
}

func (e *PhotosError) Error() string {
	switch {
	case e.Root == "":
		return e.Index + " does not say where its pictures are"
	case errors.Is(e.Err, fs.ErrNotExist):
		return fmt.Sprintf("the pictures of %s are not at %s", e.Index, e.Root)
	}
	return fmt.Sprintf("the pictures of %s cannot be read at %s: %v", e.Index, e.Root, e.Err)
}

func (e *PhotosError) Unwrap() error { return e.Err }

// openPhotos opens the pictures of an index.
func openPhotos(index, root string) (*album.Source, error) {
	if root == "" {
		return nil, &PhotosError{Index: index}
	}
	s, err := album.Open(root)
	if err != nil {
		return nil, &PhotosError{index, root, words.Cause(err)}
	}
	return s, nil
}

// Root is the folder or archive that the paths of the pictures begin at, "" if it is not
// known, or the index has been closed.
func (x *Index) Root() string {
	v, err := x.enter()
	if err != nil {
		return ""
	}
	defer v.guard.Leave()
	return v.root
}

// Source is where the pictures of the index lie, opened; a [*PhotosError] if they are not
// there. The index closes it, when it is closed or reloaded.
func (x *Index) Source() (*album.Source, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	return v.photos.get()
}

// OpenPicture opens the file of a picture of the index, by its row. The caller closes
// it; it can be read even after the index has been reloaded or closed.
func (x *Index) OpenPicture(row int) (io.ReadCloser, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	if row < 0 || row >= len(v.g.Entries) {
		return nil, noRow(row, len(v.g.Entries))
	}
	return v.openPicture(row)
}

func (v *version) openPicture(row int) (io.ReadCloser, error) {
	s, err := v.photos.get()
	if err != nil {
		return nil, err
	}
	f, err := s.FS.Open(v.g.Entries[row].Path)
	if err != nil {
		return nil, err
	}
	return &opened{f, sync.OnceValue(v.photos.hold().drop)}, nil
}

// opened is a file that keeps open what it lies in, such as an archive.
type opened struct {
	io.ReadCloser
	drop func() error
}

func (o *opened) Close() error { return errors.Join(o.ReadCloser.Close(), o.drop()) }

// Load reads a picture of the index by its row, with EXIF's orientation as the index has
// it. If a size is given, not the zero point, the picture may be smaller than it is in the
// file, but is at least that large: that is faster for thumbnails. Errors do not name the
// picture.
func (x *Index) Load(row int, size image.Point) (*picture.Image, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	if row < 0 || row >= len(v.g.Entries) {
		return nil, noRow(row, len(v.g.Entries))
	}
	o := v.g.Recipe.Options()
	o.Thumbnail = size
	return decode(func() (io.ReadCloser, error) { return v.openPicture(row) }, o)
}
