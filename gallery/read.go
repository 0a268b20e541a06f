package gallery

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"
	"unsafe"

	"lookalike/internal/f32"
	"lookalike/internal/hugepages"
	"lookalike/internal/memory"
	"lookalike/internal/parallel"
	"lookalike/internal/regular"
	"lookalike/tensor"
	"lookalike/weights"
)

// readTries is how often an index is read that changes meanwhile.
const readTries = 50

// doubtTries is within how many tries a header that is being written is whole; a
// variable for tests only.
var doubtTries = 10

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
		case errors.Is(err, ErrNotIndex):
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
	return fmt.Errorf("%w; is it a model?", ErrNotIndex)
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
		return nil, nil, ErrNotIndex // another program's
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
