package hdf5

import "math"

// What the records of a B-tree of version 2 are.
const (
	treeHugeObjects    = 1
	treeLinkNames      = 5
	treeAttributeNames = 8
	treePlainChunks    = 10
	treeFilteredChunks = 11
)

// tree2 is a B-tree of version 2. Its inner nodes say how many records their
// children have, in numbers as wide as the largest possible count asks for.
type tree2 struct {
	f                     *File
	kind                  byte
	nodeBytes, recordSize int64
	countBytes            int   // for the records of one child
	totalBytes            []int // for the records under a child, by the child's depth
}

// eachRecord visits the records of the tree at an address, in order.
func (f *File) eachRecord(at int64, kind byte, visit func(*block) error) error {
	b, err := f.readSigned("B-tree header", "BTHD", at, int64(4+2+4+2+2+2+f.offsetSize+2+f.lengthSize+4))
	if err != nil {
		return err
	}
	t := &tree2{f: f, kind: kind}
	t.checkKind(b)
	t.nodeBytes, t.recordSize = int64(b.u32()), int64(b.u16())
	depth := int(b.u16())
	b.skip(2)
	root := b.offset()
	n := int64(b.u16())
	const overhead = 10 // signature, version, type, checksum
	if t.recordSize < 1 || t.nodeBytes < overhead+t.recordSize || depth > 32 {
		b.failf("nodes of %d bytes for records of %d, depth %d", t.nodeBytes, t.recordSize, depth)
	}
	if b.err != nil || root == undefined || n == 0 {
		return b.err
	}
	most := uint64(t.nodeBytes-overhead) / uint64(t.recordSize) // in a leaf
	t.countBytes = bytesFor(most)
	t.totalBytes = []int{0}
	total := most
	for d := 1; d <= depth; d++ {
		pointer := uint64(f.offsetSize + t.countBytes + t.totalBytes[d-1])
		room := uint64(t.nodeBytes - overhead)
		if room < pointer {
			b.failf("nodes of %d bytes are too small for inner nodes", t.nodeBytes)
			return b.err
		}
		most := (room - pointer) / (uint64(t.recordSize) + pointer)
		if total > math.MaxUint32 { // no file has so many; the next product would overflow
			b.failf("depth %d with nodes of %d bytes", depth, t.nodeBytes)
			return b.err
		}
		total = (most+1)*total + most
		t.totalBytes = append(t.totalBytes, bytesFor(total))
	}
	return t.each(root, n, depth, visit)
}

func (t *tree2) checkKind(b *block) {
	b.version(0)
	if got := b.u8(); got != t.kind {
		b.failf("records of type %d, want %d", got, t.kind)
	}
}

func (t *tree2) each(at, n int64, depth int, visit func(*block) error) error {
	signature, pointer := "BTLF", 0
	if depth > 0 {
		signature, pointer = "BTIN", t.f.offsetSize+t.countBytes+t.totalBytes[depth-1]
	}
	size := 10 + n*t.recordSize
	if depth > 0 {
		size += (n + 1) * int64(pointer)
	}
	if size > t.nodeBytes {
		size = -1 // refused below, by name and place
	}
	b, err := t.f.readSigned("B-tree node", signature, at, size)
	if err != nil {
		return err
	}
	t.checkKind(b)
	records := b.sub("B-tree records", int(n*t.recordSize))
	for i := range n + 1 {
		if depth > 0 {
			child := b.offset()
			count := int64(b.uint(t.countBytes))
			b.skip(t.totalBytes[depth-1])
			if b.err != nil {
				return b.err
			}
			if err := t.each(child, count, depth-1, visit); err != nil {
				return err
			}
		}
		if i < n {
			record := records.sub("B-tree record", int(t.recordSize))
			if record.err != nil {
				return record.err
			}
			if err := visit(record); err != nil {
				return err
			}
		}
	}
	return b.err
}
