package hdf5

import (
	"fmt"
	"math"
)

// How values are laid out; the numbers are the format's.
const (
	layoutCompact    = 0
	layoutContiguous = 1
	layoutChunked    = 2
	layoutVirtual    = 3
)

// layout says where a dataset's values are. It has been checked: they are within
// the file and as many as the shape asks for.
type layout struct {
	class  byte
	data   []byte  // compact
	at     int64   // contiguous: offset in the file
	chunk  []int   // chunked: a chunk's shape
	chunks []chunk // in no particular order
	stored int64   // bytes in the file
}

// readLayout reads a layout message, and the index of the chunks if there is
// one.
func (f *File) readLayout(b *block, o *object) error {
	b.what = "data layout"
	if o.typ == nil || o.space == nil {
		b.failf("a dataset without type or shape")
		return b.err
	}
	version := b.u8()
	if version != 3 && version != 4 {
		b.failf("version %d, only 3 and 4 are known", version)
	}
	l := &layout{class: b.u8()}
	need := o.space.count
	if need > math.MaxInt64/8/int64(o.typ.Size) || need > math.MaxInt/8 {
		b.failf("shape %v is more than any file holds", o.space.dims)
		return b.err
	}
	need *= int64(o.typ.Size)
	switch l.class {
	case layoutCompact:
		l.data = b.take(int(b.u16()))
		if int64(len(l.data)) < need {
			b.failf("%d bytes for shape %v of %v", len(l.data), o.space.dims, o.typ)
		}
		l.stored = need
	case layoutContiguous:
		at, n := b.offset(), b.length()
		switch {
		case need == 0:
		case at == undefined:
			b.failf("the values were never written")
		case n < need:
			b.failf("%d bytes for shape %v of %v", n, o.space.dims, o.typ)
		case at > f.size-f.base || need > f.size-f.base-at:
			b.failf("%d bytes at byte %d are not within the file's %d bytes", need, uint64(f.base)+uint64(at), f.size)
		}
		l.at, l.stored = f.base+at, need
	case layoutChunked:
		if err := f.readChunked(b, version, l, o); err != nil {
			return err
		}
	case layoutVirtual:
		b.failf("virtual datasets are not read")
	default:
		b.failf("class %d is not known", l.class)
	}
	if l.class != layoutChunked && len(o.filters) > 0 {
		b.failf("filters without chunks")
	}
	o.layout = l
	return b.err
}

// readChunked reads the rest of a chunked layout and lists all chunks.
func (f *File) readChunked(b *block, version byte, l *layout, o *object) error {
	index, err := readIndex(b, version, l, o)
	if err != nil || o.space.count == 0 {
		return err
	}
	if index.at == undefined {
		b.failf("the values were never written")
		return b.err
	}
	if l.chunks, err = f.listChunks(b, index, l, o); err != nil {
		return err
	}
	for _, c := range l.chunks {
		l.stored += c.stored
	}
	if l.stored > f.size {
		b.failf("chunks of %d bytes in a file of %d", l.stored, f.size)
	}
	return b.err
}

// readIndex reads the shape of chunks and what kind of index lists them.
func readIndex(b *block, version byte, l *layout, o *object) (*chunkIndex, error) {
	index := &chunkIndex{kind: indexTree1, filtered: len(o.filters) > 0}
	if version == 3 {
		rank := int(b.u8())
		index.at = b.offset()
		index.bytes = readChunkShape(b, rank, 4, l, o)
		return index, b.err
	}
	flags := b.u8()
	rank, width := int(b.u8()), int(b.u8())
	if width < 1 || width > 8 {
		b.failf("dimensions of %d bytes", width)
	}
	index.bytes = readChunkShape(b, rank, width, l, o)
	index.kind = b.u8()
	switch index.kind {
	case indexSingle:
		index.single.stored = index.bytes
		if flags&2 != 0 {
			index.single.stored = b.length()
			index.single.mask = b.u32()
		} else if index.filtered {
			b.failf("a filtered chunk without a size")
		}
	case indexImplicit:
	case indexFixed:
		b.skip(1)
	case indexExtensible:
		b.skip(5)
	case indexTree2:
		b.skip(6)
	default:
		b.failf("a chunk index of type %d is not known", index.kind)
	}
	if flags&1 != 0 && index.filtered {
		b.failf("filtered chunks with edges that are not filtered are not read")
	}
	index.at = b.offset()
	return index, b.err
}

// readChunkShape reads the shape of chunks, whose numbers are width bytes wide,
// and the size of their elements. It returns how many bytes a chunk has.
func readChunkShape(b *block, rank, width int, l *layout, o *object) int64 {
	if rank-1 != len(o.space.dims) || rank < 2 {
		b.failf("chunks of %d dimensions for shape %v", rank-1, o.space.dims)
		return 0
	}
	for range rank - 1 {
		d := b.uint(width)
		if d < 1 || d > min(math.MaxUint32, math.MaxInt) {
			b.failf("chunks with a dimension of %d", d)
			return 0
		}
		l.chunk = append(l.chunk, int(d))
	}
	if size := b.uint(width); size != uint64(o.typ.Size) {
		b.failf("chunks of elements of %d bytes for %v", size, o.typ)
	}
	count := product(l.chunk)
	if count > math.MaxUint32 {
		b.failf("chunks of shape %v", l.chunk)
		return 0
	}
	return count * int64(o.typ.Size)
}

// grid counts the chunks along each dimension.
func grid(dims, chunk []int) []int {
	n := make([]int, len(dims))
	for i, d := range dims {
		n[i] = (d-1)/chunk[i] + 1
		if d == 0 {
			n[i] = 0
		}
	}
	return n
}

// listChunks reads the index and checks that every chunk is there once, within
// the file, and of a size that can be.
func (f *File) listChunks(b *block, index *chunkIndex, l *layout, o *object) ([]chunk, error) {
	counts := grid(o.space.dims, l.chunk)
	total := product(counts)
	if total > f.size {
		b.failf("shape %v makes %d chunks of %v: more than a file of %d bytes holds", o.space.dims, total, l.chunk, f.size)
		return nil, b.err
	}
	// A chunk may be larger than the dataset, which can grow; but not at will,
	// because a whole one is taken into memory.
	if index.bytes > 1<<20 && index.bytes/4 > o.space.count*int64(o.typ.Size) {
		b.failf("chunks of %v for shape %v", l.chunk, o.space.dims)
		return nil, b.err
	}
	deflated := 0
	for _, filter := range o.filters {
		if filter.id == filterDeflate {
			deflated++
		}
	}
	if deflated > 1 {
		b.failf("values are deflated %d times", deflated)
		return nil, b.err
	}
	if err := f.take(total); err != nil {
		return nil, err
	}
	chunks := []chunk{}
	seen := make([]bool, total)
	err := f.eachChunk(index, l, o, func(at []int, c chunk) error {
		place := 0
		for i, n := range counts {
			if at[i] >= n {
				return nil // left from when the dataset was larger
			}
			place = place*n + at[i]
		}
		switch {
		case c.at == undefined:
			return nil
		case seen[place]:
			return fmt.Errorf("chunk %v is there twice", at)
		case c.at < 0 || c.stored < 0 || c.at > f.size-f.base || c.stored > f.size-f.base-c.at:
			return fmt.Errorf("chunk %v, %d bytes at byte %d, is not within the file's %d bytes", at, c.stored, uint64(f.base)+uint64(c.at), f.size)
		case deflated == 0 && c.stored < index.bytes, c.stored < index.bytes/maxDeflate-64:
			return fmt.Errorf("chunk %v has %d bytes, which cannot make %d", at, c.stored, index.bytes)
		}
		seen[place] = true
		c.at += f.base
		c.place = place
		chunks = append(chunks, c)
		return f.take(40)
	})
	if err != nil {
		return nil, fmt.Errorf("%s at byte %d: %w", b.what, b.at, err)
	}
	if int64(len(chunks)) < total {
		b.failf("%d of %d chunks were never written", total-int64(len(chunks)), total)
	}
	return chunks, b.err
}
