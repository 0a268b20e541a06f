package hdf5

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// What is written is the short form of HDF5 that its libraries have read since
// version 1.8: superblock 2; one object header of version 2 for each object,
// whole in one chunk, with its links or its type, shape and place; one global
// heap with all text. The values follow, each array at a multiple of 64, so
// that a mapped file serves them as they lie.

const (
	superblockSize = 48
	valueAlignment = 64
	heapMinimum    = 4096 // libraries read so much at once
	maxMessage     = math.MaxUint16
	nowhere        = math.MaxUint64 // the address of nothing
)

// Types of header messages that only the writer needs to know.
const (
	msgFill      = 0x05
	msgGroupInfo = 0x0a
)

// Builder collects what a file will hold: groups, arrays of floating-point
// numbers, and attributes. Paths are written like "layers/conv2d/vars/0", the
// root is "". Groups on the way to a path come into being by themselves. The
// zero value is an empty file. A mistake, such as a path that is used twice,
// is returned by Write.
type Builder struct {
	root  node
	texts []string       // what the heap will hold, each text once
	index map[string]int // of a text in the heap, from 1
	err   error          // the first mistake
}

// node is a group or an array.
type node struct {
	path       string
	children   map[string]*node
	attributes map[string]any

	shape  []int
	size   int // of a value in bytes, 0 for a group
	values func(io.Writer) error

	header int64 // address of the object header
	data   int64 // address of the values
}

func (o *node) isArray() bool { return o.size > 0 }

// Group makes a group, unless it is there.
func (b *Builder) Group(path string) { b.group(path) }

// Array adds an array of numbers of 16 or 32 bits. When its turn in Write comes,
// values must put out all of them, little-endian, the last index running
// fastest.
func (b *Builder) Array(path string, bits int, shape []int, values func(io.Writer) error) {
	if bits != 16 && bits != 32 {
		panic(fmt.Sprintf("hdf5.Array: numbers of %d bits, only 16 and 32 can be written", bits))
	}
	parent, name := b.parent(path)
	if parent == nil {
		return
	}
	if parent.children[name] != nil {
		b.fail("%q is there already", path)
		return
	}
	if len(shape) > maxRank {
		b.fail("array %q has %d dimensions, at most %d are possible", path, len(shape), maxRank)
		return
	}
	parent.add(name, &node{path: path, shape: slices.Clone(shape), size: bits / 8, values: values})
}

// Attribute gives the group or array at path an attribute: a string, an int, or
// a list of either. A group is made if nothing is there. Attributes have a limit
// of 64 KB, of which a text takes 16 bytes, whatever its length.
func (b *Builder) Attribute(path, name string, value any) {
	var texts []string
	switch v := value.(type) {
	case string:
		texts = []string{v}
	case []string:
		texts = v
	case int, []int:
	default:
		panic(fmt.Sprintf("hdf5.Attribute: %q of %q is a %T, which cannot be written", name, path, value))
	}
	o := b.find(path)
	if o == nil {
		if o = b.group(path); o == nil {
			return
		}
	}
	if err := checkName(name); err != nil {
		b.fail("attribute %q of %q: %w", name, path, err)
		return
	}
	if o.attributes == nil {
		o.attributes = map[string]any{}
	}
	if b.index == nil {
		b.index = map[string]int{}
	}
	if o.attributes[name] != nil {
		b.fail("attribute %q of %q is there already", name, path)
		return
	}
	o.attributes[name] = value
	for _, s := range texts {
		if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			b.fail("attribute %q of %q: %q is not UTF-8 or contains a zero", name, path, s)
		}
		if s != "" && b.index[s] == 0 {
			b.texts = append(b.texts, s)
			b.index[s] = len(b.texts)
		}
	}
	if len(b.texts) > math.MaxUint16 {
		b.fail("more than %d texts in the attributes", math.MaxUint16)
	}
}

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("hdf5: "+format, args...)
	}
}

// find returns the object at path, or nil.
func (b *Builder) find(path string) *node {
	o := &b.root
	for name := range steps(path) {
		if o = o.children[name]; o == nil {
			return nil
		}
	}
	return o
}

// group returns the group at path, which it makes if there is none, or nil after
// a mistake.
func (b *Builder) group(path string) *node {
	o, way := &b.root, ""
	for name := range steps(path) {
		way = strings.TrimPrefix(way+"/"+name, "/")
		if err := checkName(name); err != nil {
			b.fail("path %q: %w", path, err)
			return nil
		}
		next := o.children[name]
		if next == nil {
			next = &node{path: way}
			o.add(name, next)
		}
		if next.isArray() {
			b.fail("%q cannot be a group, an array of this name is there", way)
			return nil
		}
		o = next
	}
	return o
}

// parent returns the group that an object at path belongs in, and its name
// there; nil after a mistake.
func (b *Builder) parent(path string) (*node, string) {
	dir, name := "", path
	if cut := strings.LastIndexByte(path, '/'); cut >= 0 {
		dir, name = path[:cut], path[cut+1:]
	}
	if err := checkName(name); err != nil {
		b.fail("path %q: %w", path, err)
		return nil, ""
	}
	return b.group(dir), name
}

func (o *node) add(name string, child *node) {
	if o.children == nil {
		o.children = map[string]*node{}
	}
	o.children[name] = child
}

// steps are the names that lead to path from the root.
func steps(path string) func(func(string) bool) {
	if path == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(path, "/")
}

func checkName(name string) error {
	if name == "" || name == "." || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return fmt.Errorf("%q cannot be a name", name)
	}
	if len(name) > maxMessage/2 {
		return fmt.Errorf("a name of %d bytes is too long", len(name))
	}
	return nil
}

// Write puts the file out. The same calls give the same bytes.
func (b *Builder) Write(w io.Writer) error {
	if b.err != nil {
		return b.err
	}
	// Addresses do not change sizes, so a header made once, with whatever
	// addresses there are, tells where the next thing lies.
	objects := b.root.all()
	place := int64(superblockSize)
	for _, o := range objects {
		header, err := b.header(o, 0)
		if err != nil {
			return err
		}
		o.header = place
		place = align(place+int64(len(header)), 8)
	}
	heapAt, heap := place, b.heap()
	place += int64(len(heap))
	for _, o := range objects {
		if o.bytes() > 0 {
			o.data = align(place, valueAlignment)
			place = o.data + o.bytes()
		}
	}

	out := &counter{w: w}
	out.put(superblock(place, b.root.header))
	for _, o := range objects {
		header, err := b.header(o, heapAt)
		if err != nil {
			return err
		}
		out.zerosTo(o.header)
		out.put(header)
	}
	out.zerosTo(heapAt)
	out.put(heap)
	for _, o := range objects {
		if o.data == 0 {
			continue
		}
		out.zerosTo(o.data)
		if out.err == nil {
			if err := o.values(out); err != nil {
				return err
			}
		}
		if out.err == nil && out.n != o.data+o.bytes() {
			return fmt.Errorf("hdf5: array %q: %d bytes were written for shape %v of %d-byte numbers", o.path, out.n-o.data, o.shape, o.size)
		}
	}
	return out.err
}

// all returns the object and those below, sorted by name.
func (o *node) all() []*node {
	list := []*node{o}
	for _, name := range slices.Sorted(maps.Keys(o.children)) {
		list = append(list, o.children[name].all()...)
	}
	return list
}

// bytes is how much an array's values take.
func (o *node) bytes() int64 {
	n := int64(o.size)
	for _, d := range o.shape {
		n *= int64(d)
	}
	return n
}

// header returns an object header; heap is where the heap lies.
func (b *Builder) header(o *node, heap int64) ([]byte, error) {
	var m messages
	if !o.isArray() {
		m.add(msgLinkInfo, put(nil, uint8(0), uint8(0), uint64(nowhere), uint64(nowhere)))
		m.add(msgGroupInfo, []byte{0, 0})
		for _, name := range slices.Sorted(maps.Keys(o.children)) {
			const utf8Name, twoByteLength = 1 << 4, 1
			link := put(nil, uint8(1), uint8(utf8Name|twoByteLength), uint8(1), uint16(len(name)))
			m.add(msgLink, put(append(link, name...), o.children[name].header))
		}
	} else {
		m.add(msgDataspace, dataspace(o.shape))
		m.add(msgDatatype, floatType(o.size))
		m.add(msgFill, []byte{3, 0x0A}) // version 3; space is taken late, zeros if nothing was written
		at := uint64(nowhere)
		if o.bytes() > 0 {
			at = uint64(o.data)
		}
		m.add(msgLayout, put(nil, uint8(3), uint8(1), at, o.bytes())) // contiguous
	}
	for _, name := range slices.Sorted(maps.Keys(o.attributes)) {
		value := o.attributes[name]
		var shape []int // of a scalar
		var kind, data []byte
		switch v := value.(type) {
		case string:
			kind, data = textType, b.references([]string{v}, heap)
		case []string:
			kind, data, shape = textType, b.references(v, heap), []int{len(v)}
		case int:
			kind, data = intType, put(nil, int64(v))
		case []int:
			kind, shape = intType, []int{len(v)}
			for _, n := range v {
				data = put(data, int64(n))
			}
		}
		space := dataspace(shape)
		a := put(nil, uint8(3), uint8(0), uint16(len(name)+1), uint16(len(kind)), uint16(len(space)), uint8(1))
		a = slices.Concat(a, []byte(name), []byte{0}, kind, space, data)
		if len(a) > maxMessage {
			return nil, fmt.Errorf("hdf5: attribute %q of %q takes %d bytes, the limit is %d", name, o.path, len(a), maxMessage)
		}
		m.add(msgAttribute, a)
	}
	const fourByteSize = 2
	h := append([]byte("OHDR"), 2, fourByteSize)
	h = append(put(h, uint32(len(m))), m...)
	return put(h, lookup3(h)), nil
}

// messages is the body of an object header.
type messages []byte

func (m *messages) add(kind uint8, body []byte) {
	*m = append(put(*m, kind, uint16(len(body)), uint8(0)), body...)
}

func dataspace(shape []int) []byte {
	const scalar, simple = 0, 1
	if len(shape) == 0 {
		return []byte{2, 0, 0, scalar}
	}
	d := []byte{2, uint8(len(shape)), 0, simple}
	for _, n := range shape {
		d = put(d, uint64(n))
	}
	return d
}

// Datatypes: class and version, three bytes of flags, size, properties.
var (
	intType  = put(nil, uint32(0x0810), uint32(8), uint16(0), uint16(64))             // signed, little-endian
	byteType = put(nil, uint32(0x0010), uint32(1), uint16(0), uint16(8))              // unsigned
	textType = append(put(nil, uint32(0x010119), uint32(referenceSize)), byteType...) // of any length, UTF-8
)

// floatType is IEEE's single or half precision, little-endian: the sign's place,
// then offset and width in bits of the whole, of the exponent and of the
// mantissa, and the exponent's bias.
func floatType(size int) []byte {
	const flags = 0x2011 // class 1, version 1; the mantissa's first bit is implied
	if size == 2 {
		return put(nil, uint32(15<<16|flags), uint32(2), uint16(0), uint16(16), uint8(10), uint8(5), uint8(0), uint8(10), uint32(15))
	}
	return put(nil, uint32(31<<16|flags), uint32(4), uint16(0), uint16(32), uint8(23), uint8(8), uint8(0), uint8(23), uint32(127))
}

const referenceSize = 16 // of a text's length and its place in the heap

// references returns what attributes keep of texts that lie in the heap.
func (b *Builder) references(texts []string, heap int64) []byte {
	var list []byte
	for _, s := range texts {
		if s == "" {
			list = append(list, make([]byte, referenceSize)...)
			continue
		}
		list = put(list, uint32(len(s)), heap, uint32(b.index[s]))
	}
	return list
}

// heap returns the global heap collection of all texts, empty if there are none.
func (b *Builder) heap() []byte {
	if len(b.texts) == 0 {
		return nil
	}
	const head = 16
	h := make([]byte, head)
	for i, s := range b.texts {
		h = append(put(h, uint16(i+1), uint16(1), uint32(0), uint64(len(s))), s...)
		h = append(h, make([]byte, -len(s)&7)...)
	}
	free := max(heapMinimum-len(h), 16) // object 0 says how much is free, itself included
	h = put(h, uint16(0), uint16(0), uint32(0), uint64(free))
	h = append(h, make([]byte, free-16)...)
	copy(h, put([]byte("GCOL"), uint32(1), uint64(len(h))))
	return h
}

func superblock(size, root int64) []byte {
	s := append([]byte(Signature), 2, 8, 8, 0) // version 2, addresses and lengths of 8 bytes
	s = put(s, uint64(0), uint64(nowhere), size, root)
	return put(s, lookup3(s))
}

func align(n, to int64) int64 { return (n + to - 1) / to * to }

// put appends numbers, little-endian.
func put(b []byte, numbers ...any) []byte {
	for _, n := range numbers {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, n); err != nil {
			panic(err)
		}
	}
	return b
}

// counter counts what is written and keeps the first error.
type counter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

func (c *counter) put(p []byte) { c.Write(p) }

// zerosTo fills up to a place.
func (c *counter) zerosTo(place int64) {
	if c.n < place {
		c.put(make([]byte, place-c.n))
	}
}
