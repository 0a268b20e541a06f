package hdf5

import (
	"fmt"
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
	rank := len(l.chunk)
	at := make([]int, rank)
	switch index.kind {
	case indexTree1:
		return f.eachChild(index.at, treeOfChunks, 8+8*(rank+1), -1, func(key *block, child int64) error {
			c := chunk{at: child, stored: int64(key.u32()), mask: key.u32()}
			for i := range at {
				v := key.uint(8)
				if v%uint64(l.chunk[i]) != 0 {
					key.failf("a chunk at %d, where chunks have %d", v, l.chunk[i])
				}
				at[i] = int(min(v/uint64(l.chunk[i]), math.MaxInt))
			}
			if key.err != nil {
				return key.err
			}
			return visit(at, c)
		})
	case indexSingle:
		index.single.at = index.at
		return visit(at, index.single)
	case indexTree2:
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

	// The others are arrays: a chunk's place is counted row by row in the grid that
	// the largest shape makes. In an extensible array the dimension without limit
	// counts first.
	limits := o.space.maxDims
	if limits == nil {
		limits = o.space.dims
	}
	order := make([]int, rank) // of dimensions, slowest first
	for i := range order {
		order[i] = i
	}
	counts := grid(limits, l.chunk)
	for i, d := range limits {
		if d == -1 {
			if index.kind != indexExtensible {
				return fmt.Errorf("an array of chunks for a dataset without limit")
			}
			copy(order[1:], order[:i])
			order[0] = i
			counts[i] = math.MaxInt
			break
		}
	}
	number := 0
	next := func(c chunk) error {
		rest := number
		for i := rank - 1; i >= 0; i-- {
			d := order[i]
			if counts[d] < 1 {
				return fmt.Errorf("shape %v is larger than its limit %v", o.space.dims, limits)
			}
			at[d] = rest % counts[d]
			rest /= counts[d]
		}
		number++
		if rest > 0 {
			return nil // beyond the largest shape
		}
		return visit(at, c)
	}
	switch index.kind {
	case indexImplicit:
		for range product(counts) {
			if err := f.take(8); err != nil {
				return err
			}
			if err := next(chunk{at: index.at + int64(number)*index.bytes, stored: index.bytes}); err != nil {
				return err
			}
		}
		return nil
	case indexFixed:
		return f.eachFixed(index, next)
	}
	return f.eachExtensible(index, &number, next)
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

// checkArray reads what all parts of arrays begin with after the signature.
func (index *chunkIndex) checkArray(b *block) {
	b.version(0)
	want := byte(0)
	if index.filtered {
		want = 1
	}
	if got := b.u8(); got != want {
		b.failf("client %d, want %d", got, want)
	}
}

// checkElement compares the size of an array's elements with what they hold.
func (f *File) checkElement(b *block, index *chunkIndex, size int) (sizeBytes int) {
	want := f.offsetSize
	if index.filtered {
		sizeBytes = index.sizeBytes()
		want += sizeBytes + 4
	}
	if size != want {
		b.failf("elements of %d bytes, want %d", size, want)
	}
	return sizeBytes
}

// eachFixed visits the elements of a fixed array.
func (f *File) eachFixed(index *chunkIndex, visit func(chunk) error) error {
	b, err := f.readSigned("fixed array", "FAHD", index.at, int64(4+4+f.lengthSize+f.offsetSize+4))
	if err != nil {
		return err
	}
	index.checkArray(b)
	size := int(b.u8())
	pageBits := b.u8()
	n, at := b.length(), b.offset()
	sizeBytes := f.checkElement(b, index, size)
	if pageBits > 40 || n > f.size {
		b.failf("%d elements in a file of %d bytes", n, f.size)
	}
	if b.err != nil {
		return b.err
	}
	prefix := int64(4 + 2 + f.offsetSize)
	page := int64(1) << pageBits
	if n <= page {
		return f.eachElement("data block of a fixed array", "FADB", at, prefix, n, size, func(b *block) error {
			return visit(index.readElement(b, sizeBytes))
		})
	}
	pages := (n-1)/page + 1
	bitmap := (pages + 7) / 8
	head, err := f.readSigned("data block of a fixed array", "FADB", at, prefix+bitmap+4)
	if err != nil {
		return err
	}
	head.skip(int(prefix) - 4)
	initialised := head.take(int(bitmap))
	if head.err != nil {
		return head.err
	}
	at += prefix + bitmap + 4
	for i := range pages {
		count := min(page, n-i*page)
		if initialised[i/8]&(0x80>>(i%8)) == 0 {
			return fmt.Errorf("chunks from number %d on were never written", i*page)
		}
		if err := f.eachElement("page of a fixed array", "", at, 0, count, size, func(b *block) error {
			return visit(index.readElement(b, sizeBytes))
		}); err != nil {
			return err
		}
		at += page*int64(size) + 4
	}
	return nil
}

// eachElement visits n elements of a block: after skip bytes from the signature
// on, before the checksum.
func (f *File) eachElement(what, signature string, at, skip, n int64, size int, visit func(*block) error) error {
	b, err := f.readSigned(what, signature, at, skip+n*int64(size)+4)
	if err != nil {
		return err
	}
	b.skip(int(skip) - len(signature))
	for range n {
		element := b.sub("element of an array", size)
		if element.err != nil {
			return element.err
		}
		if err := visit(element); err != nil {
			return err
		}
	}
	return b.err
}

// eachExtensible visits the elements of an extensible array: some in its index
// block, then in data blocks of growing size, which the index block lists and,
// further on, super blocks. *number says how many have been visited.
func (f *File) eachExtensible(index *chunkIndex, number *int, visit func(chunk) error) error {
	b, err := f.readSigned("extensible array", "EAHD", index.at, int64(4+2+6+6*f.lengthSize+f.offsetSize+4))
	if err != nil {
		return err
	}
	index.checkArray(b)
	size := int(b.u8())
	maxBits, inIndex, minBlock := int(b.u8()), int64(b.u8()), int64(b.u8())
	minPointers, pageBits := int(b.u8()), int(b.u8())
	b.skip(4 * f.lengthSize)
	used := b.length() // one more than the highest element that was set
	b.skip(f.lengthSize)
	at := b.offset()
	sizeBytes := f.checkElement(b, index, size)
	power := func(n int) bool { return n > 0 && n&(n-1) == 0 }
	if maxBits < 1 || maxBits > 62 || !power(int(minBlock)) || !power(minPointers) || pageBits > 40 || used > f.size {
		b.failf("%d bits, blocks of %d and more elements, %d and more pointers, %d page bits, %d elements", maxBits, minBlock, minPointers, pageBits, used)
	}
	supers := 1 + maxBits - (bits.Len64(uint64(minBlock)) - 1)
	direct := 2 * (bits.Len(uint(minPointers)) - 1) // super blocks whose data blocks the index block lists itself
	if supers < direct {
		b.failf("%d super blocks, %d in the index block", supers, direct)
	}
	if b.err != nil {
		return b.err
	}

	element := func(b *block) error {
		if int64(*number) >= used {
			return nil
		}
		return visit(index.readElement(b, sizeBytes))
	}
	offsetBytes := (maxBits + 7) / 8
	prefix := int64(4 + 2 + f.offsetSize)
	blocks := 2 * (minPointers - 1)
	n := prefix + inIndex*int64(size) + int64((blocks+supers-direct)*f.offsetSize) + 4
	root, err := f.readSigned("index block of an extensible array", "EAIB", at, n)
	if err != nil {
		return err
	}
	root.skip(int(prefix) - 4)
	for range inIndex {
		if err := element(root.sub("element of an array", size)); err != nil {
			return err
		}
	}
	page := int64(1) << pageBits
	dataBlock := func(at, n int64, initialised func(page int64) bool) error {
		const what = "data block of an extensible array"
		if at == undefined {
			return fmt.Errorf("chunks from number %d on were never written", *number)
		}
		prefix := prefix + int64(offsetBytes)
		if n <= page {
			return f.eachElement(what, "EADB", at, prefix, n, size, element)
		}
		if _, err := f.readSigned(what, "EADB", at, prefix+4); err != nil {
			return err
		}
		at += prefix + 4
		for i := range n / page {
			if int64(*number) >= used {
				break
			}
			if !initialised(i) {
				return fmt.Errorf("chunks from number %d on were never written", *number)
			}
			if err := f.eachElement("page of an extensible array", "", at, 0, page, size, element); err != nil {
				return err
			}
			at += page*int64(size) + 4
		}
		return nil
	}
	for super := range supers {
		if int64(*number) >= used {
			break
		}
		count := int64(1) << (super / 2)
		perBlock := minBlock << ((super + 1) / 2)
		list, initialised := root, func(int64, int64) bool { return true }
		if super >= direct {
			at := root.offset()
			if root.err != nil {
				return root.err
			}
			if at == undefined {
				return fmt.Errorf("chunks from number %d on were never written", *number)
			}
			var pages, bitmap int64 // of each data block; the bits stand close together, the bytes are counted by block
			if perBlock > page {
				pages = perBlock / page
				bitmap = (pages + 7) / 8
			}
			if count > f.size || bitmap > f.size {
				return fmt.Errorf("extensible array at byte %d: super block %d is larger than the file", b.at, super)
			}
			prefix := prefix + int64(offsetBytes)
			list, err = f.readSigned("super block of an extensible array", "EASB", at, prefix+count*bitmap+count*int64(f.offsetSize)+4)
			if err != nil {
				return err
			}
			list.skip(int(prefix) - 4)
			bits := list.take(int(count * bitmap))
			initialised = func(block, page int64) bool {
				bit := block*pages + page
				return bits[bit/8]&(0x80>>(bit%8)) != 0
			}
		}
		for i := range count {
			if int64(*number) >= used {
				break
			}
			at := list.offset()
			if list.err != nil {
				return list.err
			}
			if err := dataBlock(at, perBlock, func(page int64) bool { return initialised(i, page) }); err != nil {
				return err
			}
		}
	}
	return nil
}
