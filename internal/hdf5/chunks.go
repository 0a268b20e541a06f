package hdf5

import (
	"math"
	"math/bits"
)

// Kinds of chunk index; the numbers are those of layout version 4, except 0 for
// the B-tree of version 1 that layout version 3 has.
const (
	indexTree1      = 0
	indexSingle     = 1
	indexImplicit   = 2
	indexFixed      = 3
	indexExtensible = 4
	indexTree2      = 5
)

// chunk is a piece of a dataset in the file.
type chunk struct {
	at, stored int64
	place      int    // in the grid of chunks, counted row by row
	mask       uint32 // bit i: filter i was left out
}

type chunkIndex struct {
	kind     byte
	at       int64
	bytes    int64 // of a whole chunk, without filters
	filtered bool
	single   chunk
}

// eachChunk visits the chunks of an index with their places in the grid. The
// slice is used again for the next.
func (f *File) eachChunk(index *chunkIndex, l *layout, o *object, visit func(at []int, c chunk) error) error {
	switch index.kind {
	case indexTree1:
		return f.eachOfTree1(index, l.chunk, visit)
	case indexTree2:
		return f.eachOfTree2(index, len(l.chunk), visit)
	case indexSingle:
		index.single.at = index.at
		return visit(make([]int, len(l.chunk)), index.single)
	}
	w, err := newArrayWalk(index, l, o, visit)
	if err != nil {
		return err
	}
	switch index.kind {
	case indexImplicit:
		return f.eachImplicit(index, w)
	case indexFixed:
		return f.eachFixed(index, w)
	}
	return f.eachExtensible(index, w)
}

// eachOfTree1 visits chunks of the given shape that a B-tree of version 1 lists.
func (f *File) eachOfTree1(index *chunkIndex, shape []int, visit func(at []int, c chunk) error) error {
	at := make([]int, len(shape))
	return f.eachChild(index.at, treeOfChunks, 8+8*(len(shape)+1), -1, func(key *block, child int64) error {
		c := chunk{at: child, stored: int64(key.u32()), mask: key.u32()}
		for i, side := range shape {
			v := key.uint(8)
			if v%uint64(side) != 0 {
				key.failf("a chunk at %d, where chunks have %d", v, side)
			}
			at[i] = int(min(v/uint64(side), math.MaxInt))
		}
		if key.err != nil {
			return key.err
		}
		return visit(at, c)
	})
}

// eachOfTree2 visits chunks that a B-tree of version 2 lists.
func (f *File) eachOfTree2(index *chunkIndex, rank int, visit func(at []int, c chunk) error) error {
	at := make([]int, rank)
	kind, sizeBytes := byte(treePlainChunks), 0
	if index.filtered {
		kind, sizeBytes = treeFilteredChunks, index.sizeBytes()
	}
	return f.eachRecord(index.at, kind, func(b *block) error {
		c := index.readElement(b, sizeBytes)
		for i := range at {
			at[i] = int(min(b.uint(8), math.MaxInt))
		}
		if b.err != nil {
			return b.err
		}
		return visit(at, c)
	})
}

// sizeBytes is how wide the sizes of filtered chunks are.
func (index *chunkIndex) sizeBytes() int {
	return min(8, 1+(bits.Len64(uint64(index.bytes))-1+8)/8)
}

// readElement reads a chunk's address, and size and mask if there are filters.
func (index *chunkIndex) readElement(b *block, sizeBytes int) chunk {
	c := chunk{at: b.offset(), stored: index.bytes}
	if index.filtered {
		c.stored = int64(b.uint(sizeBytes))
		c.mask = b.u32()
	}
	return c
}
