package hdf5

import "fmt"

// link is one name in a group. Exactly one of the three is meant: an address,
// the path of a soft link, or what it is instead.
type link struct {
	at      int64
	soft    string
	refused string
	where   int64 // of the link itself, for messages
}

// addLink enters a link; a name can be there once only.
func (f *File) addLink(b *block, o *object, name string, l link) error {
	if err := f.take(int64(len(name)) + 96); err != nil {
		return err
	}
	if o.links == nil {
		o.links = map[string]link{}
	}
	if _, twice := o.links[name]; twice {
		b.failf("the name %q is there twice", name)
	}
	if name == "" {
		b.failf("a link without a name")
	}
	o.links[name] = l
	return b.err
}

// readLink reads a link message, from a header or a heap.
func (f *File) readLink(b *block, o *object) error {
	b.version(1)
	flags := b.u8()
	var kind byte
	if flags&(1<<3) != 0 {
		kind = b.u8()
	}
	if flags&(1<<2) != 0 {
		b.skip(8) // creation order
	}
	if flags&(1<<4) != 0 {
		b.skip(1) // character set
	}
	n := b.uint(1 << (flags & 3))
	if n > uint64(b.left()) {
		b.failf("a name of %d bytes", n)
	}
	name := string(b.take(int(min(n, 1<<30))))
	l := link{where: b.at}
	switch kind {
	case 0:
		l.at = b.offset()
	case 1:
		if l.soft = string(b.take(int(b.u16()))); l.soft == "" {
			l.soft = "."
		}
	case 64:
		l.refused = "a link to another file"
	default:
		l.refused = fmt.Sprintf("of unknown kind %d", kind)
	}
	if b.err != nil {
		return b.err
	}
	return f.addLink(b, o, name, l)
}

// readLinkInfo reads the links of a group that keeps them in a fractal heap.
func (f *File) readLinkInfo(b *block, o *object) error {
	b.version(0)
	flags := b.u8()
	if flags&1 != 0 {
		b.skip(8)
	}
	heapAt, indexAt := b.offset(), b.offset()
	if b.err != nil || heapAt == undefined {
		return b.err
	}
	const idBytes = 7
	return f.eachDense(heapAt, indexAt, treeLinkNames, 4, idBytes, "link", func(b *block) error { return f.readLink(b, o) })
}

// eachDense gives each object of a fractal heap that a B-tree lists. In the
// tree's records the heap's identifier has n bytes after skip others.
func (f *File) eachDense(heapAt, indexAt int64, kind byte, skip, n int, what string, visit func(*block) error) error {
	heap, err := f.openHeap(heapAt, n)
	if err != nil {
		return err
	}
	return f.eachRecord(indexAt, kind, func(record *block) error {
		record.skip(skip)
		id := record.sub(what+" identifier", n)
		if id.err != nil {
			return id.err
		}
		b, err := heap.object(id, what)
		if err != nil {
			return err
		}
		return visit(b)
	})
}

// readSymbolTable reads the links of a group in the old style: a B-tree of
// nodes with symbols, their names in a local heap.
func (f *File) readSymbolTable(b *block, o *object) error {
	treeAt, heapAt := b.offset(), b.offset()
	if b.err != nil {
		return b.err
	}
	names, err := f.readLocalHeap(heapAt)
	if err != nil {
		return err
	}
	return f.eachChild(treeAt, treeOfGroup, f.lengthSize, -1, func(_ *block, at int64) error {
		return f.readSymbols(at, names, o)
	})
}

// readLocalHeap returns the bytes of a local heap.
func (f *File) readLocalHeap(at int64) ([]byte, error) {
	h, err := f.read("local heap", at, int64(8+2*f.lengthSize+f.offsetSize))
	if err != nil {
		return nil, err
	}
	h.sign("HEAP")
	h.version(0)
	h.skip(3)
	size := h.length()
	h.length()
	dataAt := h.offset()
	if h.err != nil {
		return nil, h.err
	}
	data, err := f.read("names of a group", dataAt, size)
	if err != nil {
		return nil, err
	}
	return data.b, nil
}

// readSymbols reads the links in a node of symbols.
func (f *File) readSymbols(at int64, names []byte, o *object) error {
	head, err := f.read("symbol node", at, 8)
	if err != nil {
		return err
	}
	head.sign("SNOD")
	head.version(1)
	head.skip(1)
	n := int64(head.u16())
	if head.err != nil {
		return head.err
	}
	b, err := f.read("symbol node", at+8, n*int64(2*f.offsetSize+24))
	if err != nil {
		return err
	}
	name := func(at uint64) string {
		if at >= uint64(len(names)) {
			b.failf("a name at %d in a heap of %d bytes", at, len(names))
			return ""
		}
		return cString(names[at:])
	}
	for range n {
		l := link{where: b.at + int64(b.pos)}
		called := name(b.uint(f.offsetSize))
		l.at = b.offset()
		cache := b.u32()
		b.skip(4)
		scratch := b.sub("scratch space", 16)
		if b.err == nil && cache == 2 {
			if l.soft = name(uint64(scratch.u32())); l.soft == "" {
				l.soft = "."
			}
		}
		if b.err != nil {
			return b.err
		}
		if err := f.addLink(b, o, called, l); err != nil {
			return err
		}
	}
	return nil
}
