// Package gallery keeps the index of a collection of pictures on disk: which
// pictures, their vectors, and how the vectors were made.
//
// An index is one file, a store of go.etcd.io/bbolt with two buckets. "index" has
// the state (JSON: root, recipe, how many pictures) and the arrays of principal
// components, "pictures" has blocks of pictures (see block.go), sorted by path.
// Every value has a checksum.
//
// Update writes to it, a transaction at a time; while it does, another one gets
// ErrBusy and any number of programs may read (see snapshot.go).
//
// In WebAssembly an index is only read, for bbolt does not build there: Save,
// SaveThreshold, Update and Remake return [errors.ErrUnsupported].
package gallery

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"lookalike/internal/atomicfile"
	"lookalike/internal/f32"
	"lookalike/internal/hugepages"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/internal/regular"
	"lookalike/knn/pca"
	"lookalike/tensor"
	"lookalike/weights"
)

const (
	format  = "lookalike gallery"
	version = 2

	indexBucket    = "index"
	picturesBucket = "pictures"
	stateKey       = "state"

	readTries = 50
)

// doubtTries is within how many tries a header that is being written is whole; a
// variable for tests only.
var doubtTries = 10

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
	// saved last may be missing. Update brings back what is missing and makes both
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

// state is what an index says of itself.
type state struct {
	Format     string `json:"format"`
	Version    int    `json:"version"`
	Root       string `json:"root"`
	Recipe     Recipe `json:"recipe"`
	Width      int    `json:"width"`                // values in a vector
	Components int    `json:"components,omitempty"` // that the vectors have been or are to be brought to
	Pictures   int    `json:"pictures"`
	Blocks     int    `json:"blocks"`
	Sum        uint32 `json:"sum"` // of all blocks' checksums, by exclusive or

	Thresholds []Threshold `json:"thresholds,omitempty"`

	Unfinished bool `json:"unfinished,omitempty"` // Remake is at work on it
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
// leave no way but another name or Remake.
var (
	ErrDamaged = errors.New("damaged index")
	ErrOld     = errors.New("index made by an older version of this program")
	ErrOther   = errors.New("index made another way")

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

// open is Open, with or without pictures.
func open(path string, pictures bool) (*Gallery, *state, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("gallery: %w", err)
	}
	defer f.Close()
	for try := range readTries {
		if try > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		g, s, old, err := read(f, pictures)
		switch {
		case old || err == nil && g.Doubtful && try < doubtTries:
			continue
		case errors.Is(err, errNoStore):
			err = notAnIndex(path, err)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("gallery: %s: %w", path, err)
		}
		return g, s, nil
	}
	return nil, nil, fmt.Errorf("gallery: %s is being written to more often than it can be read; try again later", path)
}

// notAnIndex says what another file is, if it can.
func notAnIndex(path string, reason error) error {
	f, err := weights.Open(path)
	if err != nil {
		return reason
	}
	defer f.Close()
	if f.Metadata()["format"] == format {
		return ErrOld
	}
	return fmt.Errorf("%w; is it a model?", errNoStore)
}

// read reads a store. It is old if another transaction has come in between, and
// then of no use.
func read(f *os.File, pictures bool) (g *Gallery, state *state, old bool, err error) {
	s, buckets, err := openSnapshot(f)
	if err == nil {
		g, state, err = gather(f, buckets, pictures)
	}
	if s != nil {
		if now, e := lastMeta(f); e != nil || now.serial != s.serial {
			return nil, nil, true, nil
		}
	}
	if err == nil {
		g.Doubtful = s.doubtful
	}
	return g, state, false, err
}

// gather reads what a store holds, with or without the pictures.
func gather(file io.ReaderAt, buckets map[string][]item, pictures bool) (*Gallery, *state, error) {
	_, hasIndex := buckets[indexBucket]
	_, hasPictures := buckets[picturesBucket]
	switch both := hasIndex && hasPictures; {
	case len(buckets) != 2 || !hasIndex && !hasPictures:
		return nil, nil, errNoStore // another program's
	case !both:
		return nil, nil, damaged(errors.New("a bucket of another name"))
	}
	values := map[string][]byte{}
	for _, i := range buckets[indexBucket] {
		b := make([]byte, i.size)
		if _, err := file.ReadAt(b, i.offset); err != nil {
			return nil, nil, err
		}
		values[i.key] = b
	}
	var s state
	if err := s.decode(values[stateKey]); err != nil {
		return nil, nil, err
	}
	arrays := map[string]*tensor.Tensor{}
	for key, b := range values {
		if key != stateKey {
			var err error
			if arrays[key], err = decodeArray(b); err != nil {
				return nil, nil, damaged(fmt.Errorf("%s: %w", key, err))
			}
		}
	}
	g := &Gallery{Root: s.Root, Recipe: s.Recipe, Thresholds: s.Thresholds}
	if len(arrays) > 0 {
		var err error
		if g.PCA, err = components(arrays); err != nil {
			return nil, nil, damaged(fmt.Errorf("principal components: %w", err))
		}
	}
	blocks, err := s.blocks(file, buckets[picturesBucket])
	if err != nil {
		return nil, nil, damaged(err)
	}
	g.Vectors = tensor.New(0, s.Width)
	if pictures {
		if err := memory.Allows(int64(s.Pictures) * int64(4*s.Width+knownBytes)); err != nil {
			return nil, nil, err
		}
		if err := g.read(file, blocks, s.Width); err != nil {
			return nil, nil, damaged(err)
		}
	}
	if err := g.fits(); err != nil {
		return nil, nil, damaged(err)
	}
	return g, &s, nil
}

// knownBytes is about what is in memory of a picture besides its vector and its path.
const knownBytes = int(unsafe.Sizeof(Entry{}) + unsafe.Sizeof(File{}))

// block is a block in the file, and the rows that it has in the index.
type block struct {
	item
	from, to int
}

// blocks makes sure that the blocks of a store are as many as are on record, and
// of as many pictures.
func (s *state) blocks(file io.ReaderAt, items []item) ([]block, error) {
	bytes, sum, n, blocks := int64(0), uint32(0), 0, make([]block, len(items))
	for i, b := range items {
		var header [blockHeader]byte
		if b.size < blockHeader {
			return nil, fmt.Errorf("a block of %d bytes", b.size)
		}
		if _, err := file.ReadAt(header[:], b.offset); err != nil {
			return nil, err
		}
		if n := blockLen(header[:]); n < 0 || int64(n) > b.size/recordSize {
			return nil, fmt.Errorf("a block of %d bytes for %d pictures", b.size, uint32(n))
		}
		bytes += b.size
		sum ^= blockCRC(header[:])
		blocks[i] = block{b, n, n + blockLen(header[:])}
		n = blocks[i].to
	}
	// The file has all bytes, so memory is bounded by its size.
	if n != s.Pictures || len(blocks) != s.Blocks || sum != s.Sum || s.Width < 1 || int64(n) > bytes/recordSize || int64(s.Width) > bytes/4/int64(max(n, 1)) && n > 0 {
		return nil, fmt.Errorf("%d pictures in %d blocks of %d bytes, sum %08x; on record are %d of %d values in %d, %08x", n, len(blocks), bytes, sum, s.Pictures, s.Width, s.Blocks, s.Sum)
	}
	if s.Width > math.MaxInt32 {
		return nil, fmt.Errorf("vectors of %d values", s.Width)
	}
	return blocks, nil
}

// read reads all pictures, several blocks at a time.
func (g *Gallery) read(file io.ReaderAt, blocks []block, d int) error {
	n := 0
	if len(blocks) > 0 {
		n = blocks[len(blocks)-1].to
	}
	// The collector, which reads what may hold pointers, is often the first to touch their
	// pages, and at the first write to such a page all processors wait for each other.
	// So there are to be few pages. The vectors' would be dear where the system must get
	// them from its host (bench/NOTES.md).
	g.Entries, g.Files = hugepages.Make[Entry](n), hugepages.Make[File](n)
	g.Vectors = tensor.From(make([]float32, n*d), n, d)
	errs := make([]error, len(blocks))
	parallel.Spans(len(blocks), 32, func(lo, hi int) {
		var buf []byte
		for i := lo; i < hi; i++ {
			b := blocks[i]
			buf, errs[i] = readBlock(file, b, d, g.Entries[b.from:b.to], g.Files[b.from:b.to], g.Vectors.Data()[b.from*d:b.to*d], buf)
		}
	})
	for i, err := range errs {
		if err == nil && i > 0 {
			err = follows(g.Entries[blocks[i].from].Path, g.Entries[blocks[i].from-1].Path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follows makes sure that paths ascend from block to block.
func follows(path, before string) error {
	if path <= before {
		return fmt.Errorf("path %q after %q", path, before)
	}
	return nil
}

// readBlock reads a block's pictures, and their vectors, of d values, straight to
// their place, if there is one. It returns the buffer for the next.
func readBlock(file io.ReaderAt, b block, d int, entries []Entry, files []File, vectors []float32, buf []byte) ([]byte, error) {
	size := b.size - 4*int64(len(vectors))
	if size < blockHeader {
		return buf, fmt.Errorf("a block of %d bytes for %d vectors", b.size, b.to-b.from)
	}
	buf = slices.Grow(buf[:0], int(size))[:size]
	if _, err := file.ReadAt(buf, b.offset); err != nil {
		return buf, err
	}
	tail := f32.Bytes(vectors) // read into without a copy; decodeVectors makes numbers of it
	if _, err := file.ReadAt(tail, b.offset+size); err != nil {
		return buf, err
	}
	if err := checkBlock(buf, tail, d); err != nil {
		return buf, err
	}
	if blockLen(buf) != b.to-b.from {
		return buf, errors.New("a block that has changed")
	}
	decodeVectors(vectors, tail)
	if err := decodeBlock(buf, entries, files); err != nil {
		return buf, err
	}
	if entries[0].Path != b.key {
		return buf, fmt.Errorf("block %q begins with %q", b.key, entries[0].Path)
	}
	return buf, nil
}

// fits makes sure that vectors, recipe and principal components belong together.
func (g *Gallery) fits() error {
	if p := g.PCA; p != nil {
		c, mean := p.Components.Shape(), p.Mean.Shape()
		if len(c) != 2 || len(mean) != 1 || mean[0] != c[1] || c[0] != g.Vectors.Dim(1) {
			return fmt.Errorf("vectors of shape %v, principal components of shape %v and a mean of shape %v do not fit", g.Vectors.Shape(), c, mean)
		}
	}
	if fingerprint := g.fingerprint(); g.Recipe.PCA != fingerprint {
		return fmt.Errorf("the recipe speaks of the principal components %q, the index has %q", g.Recipe.PCA, fingerprint)
	}
	return nil
}

// encode writes the state as the value of a store.
func (s *state) encode() ([]byte, error) {
	if !utf8.ValidString(s.Root) {
		return nil, fmt.Errorf("the folder's name %q is not UTF-8", s.Root)
	}
	text, err := json.Marshal(s)
	return sealed(text), err
}

func (s *state) decode(b []byte) error {
	text, err := unsealed(b)
	if err != nil {
		return damaged(fmt.Errorf("what it says of itself: %w", err))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(s); err != nil {
		return damaged(err)
	}
	if s.Format != format {
		return errNoStore
	}
	for _, t := range s.Thresholds {
		if err := t.validate(); err != nil {
			return damaged(err)
		}
	}
	if s.Version != version {
		return fmt.Errorf("index of version %d, this program reads version %d: make the index again", s.Version, version)
	}
	return nil
}

// sealed is content with its checksum in front.
func sealed(content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(content, castagnoli)), content...)
}

func unsealed(b []byte) ([]byte, error) {
	if len(b) < 4 || binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return nil, errors.New("the checksum is not that of the content")
	}
	return b[4:], nil
}

// encodeArray writes an array as the value of a store: rank, shape, values.
func encodeArray(a *tensor.Tensor) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(a.Shape())))
	for _, n := range a.Shape() {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b, _ = binary.Append(b, binary.LittleEndian, a.Data()) // cannot fail for float32
	return sealed(b)
}

func decodeArray(b []byte) (*tensor.Tensor, error) {
	b, err := unsealed(b)
	if err != nil {
		return nil, err
	}
	next := func() int64 {
		if len(b) < 4 {
			return -1
		}
		n := binary.LittleEndian.Uint32(b)
		b = b[4:]
		return int64(n)
	}
	rank := next()
	if rank != 1 && rank != 2 {
		return nil, fmt.Errorf("rank %d", rank)
	}
	var shape []int
	size := int64(1)
	for range rank {
		n := next()
		if n < 0 || n > int64(len(b)) {
			return nil, fmt.Errorf("a dimension of %d in %d bytes", n, len(b))
		}
		shape = append(shape, int(n))
		size *= n
	}
	if size*4 != int64(len(b)) {
		return nil, fmt.Errorf("shape %v in %d bytes", shape, len(b))
	}
	a := tensor.New(shape...)
	_, err = binary.Decode(b, binary.LittleEndian, a.Data())
	return a, err
}

// writeArray writes an array's shape and bytes to a hash.
func writeArray(h hash.Hash, a *tensor.Tensor) {
	fmt.Fprintln(h, a.Shape())
	var buf []byte
	for chunk := range slices.Chunk(a.Data(), 16<<10) {
		buf, _ = binary.Append(buf[:0], binary.LittleEndian, chunk) // cannot fail for float32
		h.Write(buf)
	}
}

// Save writes the gallery as a new index. The file appears whole or not at all;
// if there is something at path, also if it appears meanwhile, it stays as it is,
// and the error is [fs.ErrExist]. Entries need not be sorted; without Files,
// nothing is known of these.
func (g *Gallery) Save(path string) error {
	if err := g.save(path); err != nil {
		return fmt.Errorf("gallery: write %s: %w", path, err)
	}
	return nil
}

// Complete returns an error unless every picture has a vector and, if there are files,
// one of these.
func (g *Gallery) Complete() error {
	if g == nil {
		return errors.New("the gallery is nil")
	}
	if shape := g.Vectors.Shape(); len(shape) != 2 || shape[0] != len(g.Entries) || shape[1] < 1 {
		return fmt.Errorf("%d pictures and vectors of shape %v, want [%[1]d, d]", len(g.Entries), shape)
	}
	if g.Files != nil && len(g.Files) != len(g.Entries) {
		return fmt.Errorf("%d pictures and %d files", len(g.Entries), len(g.Files))
	}
	return nil
}

func (g *Gallery) save(path string) error {
	if err := g.Complete(); err != nil {
		return err
	}
	if err := g.fits(); err != nil {
		return err
	}
	if err := memory.Allows(takes(len(g.Entries), g.Vectors.Dim(1))); err != nil {
		return err
	}
	sorted := make([]int, len(g.Entries))
	for i, e := range g.Entries {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("picture %d: %w", i, err)
		}
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int { return strings.Compare(g.Entries[a].Path, g.Entries[b].Path) })
	for k := 1; k < len(sorted); k++ {
		if path := g.Entries[sorted[k]].Path; path == g.Entries[sorted[k-1]].Path {
			return fmt.Errorf("path %q comes twice", path)
		}
	}
	for _, t := range g.Thresholds {
		if err := t.validate(); err != nil {
			return err
		}
	}
	s := state{Root: g.Root, Recipe: g.Recipe, Width: g.Vectors.Dim(1), Thresholds: g.Thresholds}
	if g.PCA != nil {
		s.Components = s.Width
	}
	return create(path, s, g.arrays(), len(sorted), func(k int) Row {
		i := sorted[k]
		r := Row{Entry: g.Entries[i], Vector: g.Vectors.Row(i)}
		if g.Files != nil {
			r.File = g.Files[i]
		}
		return r
	})
}
