package hdf5

import (
	"encoding/binary"
	"fmt"
)

// Attribute is a small value at an object.
type Attribute struct {
	f    *File
	name string
	at   int64
	typ  *Type
	dims []int
	n    int64
	data []byte
}

// readAttribute reads an attribute message, from a header or a heap.
func (f *File) readAttribute(b *block, o *object) error {
	b.what = "attribute"
	version := b.u8()
	flags := b.u8() // reserved in version 1
	nameBytes, typeBytes, spaceBytes := int(b.u16()), int(b.u16()), int(b.u16())
	padded := func(n int) int { return n }
	switch version {
	case 1:
		flags = 0
		padded = func(n int) int { return (n + 7) &^ 7 }
	case 2:
	case 3:
		b.skip(1) // character set of the name
	default:
		b.failf("version %d, only 1 to 3 are known", version)
	}
	a := &Attribute{f: f, at: b.at, name: cString(b.take(padded(nameBytes)))}
	typ := b.sub("datatype", padded(typeBytes))
	space := b.sub("dataspace", padded(spaceBytes))
	if b.err != nil {
		return b.err
	}
	if flags&2 != 0 {
		b.failf("%q: a shared dataspace is not read", a.name)
		return b.err
	}
	var err error
	if a.typ, err = f.readSharedType(typ, int(flags&1)*flagShared); err != nil {
		return fmt.Errorf("attribute %q: %w", a.name, err)
	}
	s := readSpace(space)
	if space.err != nil {
		return fmt.Errorf("attribute %q: %w", a.name, space.err)
	}
	a.dims, a.n = s.dims, s.count
	if a.n > int64(b.left()/a.typ.Size) {
		b.failf("%q: shape %v of %v in %d bytes", a.name, a.dims, a.typ, b.left())
		return b.err
	}
	a.data = b.take(int(a.n) * a.typ.Size)
	if _, twice := o.attrs[a.name]; twice {
		b.failf("the name %q is there twice", a.name)
		return b.err
	}
	o.attrs[a.name] = a
	return f.take(int64(len(a.name)) + 192)
}

// readAttrInfo reads the attributes of an object that keeps them in a fractal
// heap.
func (f *File) readAttrInfo(b *block, o *object) error {
	b.version(0)
	if b.u8()&1 != 0 {
		b.skip(2)
	}
	heapAt, indexAt := b.offset(), b.offset()
	if b.err != nil || heapAt == undefined {
		return b.err
	}
	const idBytes = 8
	return f.eachDense(heapAt, indexAt, treeAttributeNames, 0, idBytes, "attribute", func(b *block) error { return f.readAttribute(b, o) })
}

// Shape returns the attribute's shape; a single value has none.
func (a *Attribute) Shape() []int { return append([]int(nil), a.dims...) }

// Type returns the type of the attribute's values.
func (a *Attribute) Type() Type { return *a.typ }

func (a *Attribute) wrap(err error) error {
	return fmt.Errorf("hdf5: attribute %q at byte %d: %w", a.name, a.at, err)
}

// Strings returns the attribute's strings, row by row. An attribute without any
// values has none, whatever its type: h5py writes an empty list as float64.
func (a *Attribute) Strings() ([]string, error) {
	if a.n == 0 {
		return nil, nil
	}
	size := a.typ.Size
	switch a.typ.Class {
	case String:
		if 16*a.n > 4*a.f.size+budgetBase { // so much the strings' headers take alone
			return nil, a.wrap(fmt.Errorf("%d strings in a file of %d bytes", a.n, a.f.size))
		}
		list := make([]string, a.n)
		for i := range list {
			list[i] = a.typ.text(a.data[i*size : (i+1)*size])
		}
		return list, nil
	case VarString:
		list, err := a.varStrings()
		if err != nil {
			return nil, a.wrap(err)
		}
		return list, nil
	}
	return nil, a.wrap(fmt.Errorf("%v, want strings", a.typ))
}

// varStrings fetches strings from global heaps.
func (a *Attribute) varStrings() ([]string, error) {
	f := a.f
	f.mu.Lock()
	defer f.mu.Unlock()
	size := 4 + f.offsetSize + 4
	if a.typ.Size != size {
		return nil, fmt.Errorf("strings of variable length in %d bytes each, want %d", a.typ.Size, size)
	}
	b := &block{what: "string", at: a.at, b: a.data, offsetSize: f.offsetSize, lengthSize: f.lengthSize}
	list := make([]string, a.n)
	var total int64
	for i := range list {
		n, at, index := int64(b.u32()), b.offset(), b.u32()
		if n == 0 {
			continue
		}
		if b.err == nil && index > 1<<16-1 {
			b.failf("object %d of a global heap", index)
		}
		if b.err != nil {
			return nil, b.err
		}
		p, err := f.globalObject(at, uint16(index))
		if err != nil {
			return nil, err
		}
		if n > int64(len(p)) {
			return nil, fmt.Errorf("string %d has %d bytes, its place in the heap %d", i, n, len(p))
		}
		if total += n; total > f.size { // strings do not share their places
			return nil, fmt.Errorf("strings of over %d bytes in a file of %d", total, f.size)
		}
		list[i] = cString(p[:n])
	}
	return list, nil
}

// Floats returns the attribute's numbers, row by row.
func (a *Attribute) Floats() ([]float32, error) {
	if !a.typ.numeric() {
		return nil, a.wrap(fmt.Errorf("%v, want numbers", a.typ))
	}
	list := make([]float32, a.n)
	a.typ.floats(list, a.data)
	return list, nil
}

// Ints returns the attribute's integers, row by row.
func (a *Attribute) Ints() ([]int64, error) {
	if a.typ.Class != Integer {
		return nil, a.wrap(fmt.Errorf("%v, want integers", a.typ))
	}
	return a.typ.integers(a.data, a.n), nil
}

func (t *Type) integers(src []byte, n int64) []int64 {
	var order binary.ByteOrder = binary.LittleEndian
	if t.BigEndian {
		order = binary.BigEndian
	}
	list := make([]int64, n)
	for i := range list {
		list[i] = t.integer(src[i*t.Size:], order)
	}
	return list
}
