// Package gallery keeps the index of a collection of pictures on disk: which
// pictures, their vectors, and how the vectors were made.
//
// An index is one file, a store of go.etcd.io/bbolt with two buckets. "index" has
// the state (JSON: root, recipe, how many pictures) and the arrays of principal
// components, "pictures" has blocks of pictures (see block.go), sorted by path.
// Every value has a checksum.
//
// A [Writer] writes to it, a transaction at a time; while it does, another one gets
// ErrBusy and any number of programs may read (see snapshot.go).
//
// In WebAssembly an index is only read, for bbolt does not build there: Save,
// SaveThreshold, Write and Rewrite return [errors.ErrUnsupported].
//
// Package gallery/indexing describes pictures and brings an index up to date with them,
// gallery/exchange writes its vectors for other programs and reads theirs.
package gallery

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"lookalike/internal/atomicfile"
	"lookalike/knn/pca"
	"lookalike/tensor"
)

// Gallery is a collection of pictures, each with a vector, sorted by path.
type Gallery struct {
	Root    string // folder of the pictures
	Recipe  Recipe
	Entries []Entry
	Files   []File         // of each entry, as it was when it was described
	Vectors *tensor.Tensor // [len(Entries), d], d >= 1
	PCA     *pca.PCA       // what brought them to d principal components; nil: nothing

	Thresholds []Threshold // at most one for each metric and method

	// Doubtful is set if one of the two headers of the index that was read is
	// damaged, or was not written to its end when the machine stopped: what was
	// saved last may be missing. An update brings back what is missing and makes both
	// headers whole.
	Doubtful bool
}

// Entry is one picture.
type Entry struct {
	Path   string `json:"path"`            // relative to the root, with slashes
	Label  string `json:"label,omitempty"` // its class, if known
	Width  int    `json:"width"`           // in pixels, upright
	Height int    `json:"height"`
}

// File is what a picture lay in.
type File struct {
	Size     int64
	Modified time.Time // zero if not known
	SHA256   [32]byte  // of its bytes
}

// Sum returns the SHA-256 of a file that is opened for it, as a File has it.
func Sum(open func() (io.ReadCloser, error)) (sum [32]byte, err error) {
	f, err := open()
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// Head is what an index says of itself, apart from its pictures.
type Head struct {
	Root       string // folder of the pictures
	Recipe     Recipe
	Width      int // values in a vector, before it is brought to principal components
	Components int // to which vectors are brought; 0: they stay whole
}

// Open reads an index whole and checks it. It may be written to at the same
// time: what is read is as one transaction left it.
func Open(path string) (*Gallery, error) {
	g, _, err := open(path, true)
	return g, err
}

// What may be wrong with an index, for errors.Is. ErrDamaged, ErrOld and ErrOther
// leave no way but another name or Rewrite.
var (
	ErrDamaged = errors.New("damaged index")
	ErrOld     = errors.New("index made by an older version of this program")
	ErrOther   = errors.New("index made another way")

	// ErrNotIndex is for a file that holds something else.
	ErrNotIndex = errors.New("not an index of pictures")

	// ErrBusy is for an index that another program, or another part of this one, is
	// writing to.
	ErrBusy = atomicfile.ErrBusy
)

// damaged says that an index is, unless the system could not read it, which tells
// nothing of what is in the file.
func damaged(reason error) error {
	if unread(reason) {
		return reason
	}
	return fmt.Errorf("%w: %w", ErrDamaged, reason)
}

// unread tells whether an error is the system's, such as a disk's that fails.
func unread(err error) bool {
	_, is := errors.AsType[*fs.PathError](err)
	return is
}

// Inspect reads what an index says of itself, and no pictures, which may take much
// memory: there are no entries and 0 vectors, [0, d].
func Inspect(path string) (*Gallery, error) {
	g, _, err := open(path, false)
	return g, err
}

// ReadHead reads what an index says of itself, with nothing of its vectors.
func ReadHead(path string) (Head, error) {
	g, s, err := open(path, false)
	if err != nil {
		return Head{}, err
	}
	return s.head(g.PCA), nil
}
