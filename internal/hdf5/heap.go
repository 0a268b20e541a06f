package hdf5

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// heap is a fractal heap: objects in direct blocks of growing size, which
// indirect blocks list in rows.
type heap struct {
	f                       *File
	at                      int64
	idBytes                 int
	checksums               bool // in direct blocks
	hugeAt                  int64
	huge                    map[uint64]extent
	width                   int64 // blocks in a row
	firstSize, maxDirect    int64 // bytes in a block of the first row, and in the largest with objects
	offsetBytes, lengthSize int   // of offsets and lengths in identifiers
	root                    int64
	rootRows                int // 0: the root is a direct block
	blocks                  map[int64]*block
}

type extent struct{ at, n int64 }

// openHeap reads the header of the heap at an address, whose identifiers have
// idBytes.
func (f *File) openHeap(at int64, idBytes int) (*heap, error) {
	const fixed = 4 + 1 + 2 + 2 + 1 + 4 + 2 + 2 + 2 + 2 + 4
	b, err := f.readSigned("fractal heap", "FRHP", at, int64(fixed+12*f.lengthSize+3*f.offsetSize))
	if err != nil {
		return nil, err
	}
	h := &heap{f: f, at: at, idBytes: idBytes, blocks: map[int64]*block{}}
	b.version(0)
	if got := int(b.u16()); got != idBytes {
		b.failf("identifiers of %d bytes, want %d", got, idBytes)
	}
	if b.u16() != 0 {
		b.failf("it is compressed, which is not read")
	}
	h.checksums = b.u8()&2 != 0
	maxObject := b.u32()
	b.skip(f.lengthSize)
	h.hugeAt = b.offset()
	b.skip(f.lengthSize)
	b.offset()
	b.skip(8 * f.lengthSize)
	h.width = int64(b.u16())
	h.firstSize, h.maxDirect = b.length(), b.length()
	heapBits := int(b.u16())
	b.skip(2)
	h.root = b.offset()
	h.rootRows = int(b.u16())
	power := func(n int64) bool { return n > 0 && n < 1<<40 && n&(n-1) == 0 }
	if !power(h.width) || !power(h.firstSize) || !power(h.maxDirect) || h.maxDirect < h.firstSize || heapBits < 1 || heapBits > 64 {
		b.failf("rows of %d blocks of %d to %d bytes, %d bits: not powers of 2 in order", h.width, h.firstSize, h.maxDirect, heapBits)
	}
	if b.err != nil {
		return nil, b.err
	}
	h.offsetBytes = (heapBits + 7) / 8
	h.lengthSize = min((bits.Len64(uint64(h.maxDirect))-1+7)/8, bytesFor(uint64(maxObject)))
	return h, nil
}

// object returns the object with an identifier.
func (h *heap) object(id *block, what string) (*block, error) {
	kind := id.u8()
	if kind>>6 != 0 {
		id.failf("version %d, only 0 is known", kind>>6)
	}
	switch kind >> 4 & 3 {
	case 0:
		at, n := int64(id.uint(h.offsetBytes)), int64(id.uint(h.lengthSize))
		if at < 0 {
			id.failf("offset %d in a heap", uint64(at))
		}
		if id.err != nil {
			return nil, id.err
		}
		return h.managed(at, n, what)
	case 1: // the identifiers read here are too short to say more than a number
		key := id.uint(min(h.idBytes-1, h.f.lengthSize))
		if id.err != nil {
			return nil, id.err
		}
		if err := h.readHuge(); err != nil {
			return nil, err
		}
		e, ok := h.huge[key]
		if !ok {
			id.failf("huge object %d is not in the heap", key)
			return nil, id.err
		}
		return h.f.read(what, e.at, e.n)
	case 2:
		b := id.sub(what, int(kind&15)+1)
		return b, b.err
	}
	id.failf("type 3 is not known")
	return nil, id.err
}

// readHuge lists the objects that are too large for the heap's blocks.
func (h *heap) readHuge() error {
	if h.huge != nil {
		return nil
	}
	h.huge = map[uint64]extent{}
	return h.f.eachRecord(h.hugeAt, treeHugeObjects, func(b *block) error {
		e := extent{b.offset(), b.length()}
		h.huge[b.uint(h.f.lengthSize)] = e
		if b.err != nil {
			return b.err
		}
		return h.f.take(64)
	})
}

// rowSize is how many bytes a block in a row has: the first two rows alike, then
// twice as many in each.
func (h *heap) rowSize(row int) int64 {
	if row >= 62-bits.Len64(uint64(h.firstSize)) {
		return 1 << 62 // more than any file
	}
	return h.firstSize << max(0, row-1)
}

// managed returns the object of n bytes at an offset in the heap's own space.
func (h *heap) managed(offset, n int64, what string) (*block, error) {
	at, start, size, rows := h.root, int64(0), h.rowSize(0), h.rootRows
	for depth := 0; rows > 0; depth++ {
		if depth > 64 {
			return nil, fmt.Errorf("fractal heap at byte %d: over 64 indirect blocks in one another", h.f.base+h.at)
		}
		b, err := h.indirect(at, start, rows)
		if err != nil {
			return nil, err
		}
		row, rest := 0, offset-start
		for row < rows && rest >= h.rowSize(row)*h.width && h.rowSize(row) < 1<<61/h.width {
			rest -= h.rowSize(row) * h.width
			row++
		}
		size = h.rowSize(row)
		column := rest / size
		if row >= rows || column >= h.width {
			return nil, fmt.Errorf("fractal heap at byte %d: nothing at offset %d", h.f.base+h.at, offset)
		}
		b.pos = int(int64(row)*h.width+column) * h.f.offsetSize
		if at = b.offset(); b.err != nil {
			return nil, b.err
		}
		start = offset - rest%size
		rows = 0
		if size > h.maxDirect {
			rows = bits.Len64(uint64(size)) - bits.Len64(uint64(h.firstSize*h.width)) + 1
			if rows < 1 {
				return nil, fmt.Errorf("fractal heap at byte %d: an indirect block without rows", h.f.base+h.at)
			}
		}
	}
	b, err := h.direct(at, start, size)
	if err != nil {
		return nil, err
	}
	b.pos = 0
	b.skip(int(min(offset-start, int64(len(b.b)))))
	o := b.sub(what, int(n))
	return o, o.err
}

// indirect returns the addresses in an indirect block.
func (h *heap) indirect(at, start int64, rows int) (*block, error) {
	if b := h.blocks[at]; b != nil {
		return &block{what: b.what, at: b.at, b: b.b, offsetSize: b.offsetSize}, nil
	}
	n := int64(h.prefixBytes()) + int64(rows)*h.width*int64(h.f.offsetSize) + 4
	b, err := h.f.readSigned("indirect block of a heap", "FHIB", at, n)
	if err != nil {
		return nil, err
	}
	h.checkPrefix(b, start)
	if b.err != nil {
		return nil, b.err
	}
	entries := b.sub(b.what, b.left())
	h.blocks[at] = entries
	return entries, h.f.take(128)
}

// direct returns a whole direct block: offsets count from its very first byte.
func (h *heap) direct(at, start, size int64) (*block, error) {
	if b := h.blocks[at]; b != nil {
		return &block{what: b.what, at: b.at, b: b.b, offsetSize: b.offsetSize, lengthSize: b.lengthSize}, nil
	}
	b, err := h.f.read("direct block of a heap", at, size)
	if err != nil {
		return nil, err
	}
	b.sign("FHDB")
	h.checkPrefix(b, start)
	if h.checksums {
		if sum := b.take(4); sum != nil {
			want := binary.LittleEndian.Uint32(sum)
			clear(sum) // the checksum is of the block with this field zero
			if got := lookup3(b.b); got != want && !b.unchecked {
				b.failf("the checksum is %08x, the file says %08x: damaged", got, want)
			}
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	h.blocks[at] = b
	return b, h.f.take(128)
}

func (h *heap) prefixBytes() int { return 4 + 1 + h.f.offsetSize + h.offsetBytes }

// checkPrefix reads what follows the signature of a heap's block: whose it is,
// and where in the heap.
func (h *heap) checkPrefix(b *block, start int64) {
	b.version(0)
	if got := b.offset(); got != h.at {
		b.failf("it belongs to the heap at byte %d, not %d", h.f.base+got, h.f.base+h.at)
	}
	if got := int64(b.uint(h.offsetBytes)); got != start {
		b.failf("it is for offset %d, not %d", got, start)
	}
}

// globalObject returns an object of a global heap: the text of a string of
// variable length.
func (f *File) globalObject(at int64, index uint16) ([]byte, error) {
	heap, ok := f.heaps[at]
	if !ok {
		var err error
		if heap, err = f.readGlobalHeap(at); err != nil {
			return nil, err
		}
		f.heaps[at] = heap
	}
	p, ok := heap[index]
	if !ok {
		return nil, fmt.Errorf("global heap at byte %d: there is no object %d", f.base+at, index)
	}
	return p, nil
}

func (f *File) readGlobalHeap(at int64) (map[uint16][]byte, error) {
	head := 8 + f.lengthSize
	b, err := f.read("global heap", at, int64(head))
	if err != nil {
		return nil, err
	}
	b.sign("GCOL")
	b.version(1)
	b.skip(3)
	size := b.length()
	if b.err != nil {
		return nil, b.err
	}
	if b, err = f.read("global heap", at, size); err != nil {
		return nil, err
	}
	b.skip(head)
	objects := map[uint16][]byte{}
	for b.left() >= head {
		index := b.u16()
		b.skip(6)
		n := b.length()
		if index == 0 {
			break // free space to the end
		}
		if n > int64(b.left()) {
			b.failf("object %d has %d bytes, %d are left", index, n, b.left())
			break
		}
		objects[index] = b.take(int(n))
		b.skip(min(b.left(), int(-n&7)))
		if err := f.take(64); err != nil {
			return nil, err
		}
	}
	return objects, b.err
}
