package hdf5

import "fmt"

// Types of header messages.
const (
	msgNone         = 0x00 // unused room
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgFilters      = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
	msgAttrInfo     = 0x15
	msgLast         = 0x18 // of those that the format knows
)

const (
	flagShared      = 1 << 1
	flagMustBeKnown = 1 << 7
	maxMessages     = 1 << 14
)

// object is what a header says: a group with links, a dataset, or a type that
// others refer to.
type object struct {
	at      int64 // address of the header
	isGroup bool
	links   map[string]link
	attrs   map[string]*Attribute
	typ     *Type
	space   *space
	layout  *layout
	filters []filter
}

// readObject reads a header and all it refers to, except values.
func (f *File) readObject(at int64) (*object, error) {
	o := &object{at: at, attrs: map[string]*Attribute{}}
	messages, err := f.readHeader(at)
	if err == nil {
		err = f.take(256)
	}
	if err != nil {
		return nil, err
	}
	var layout *block
	for _, m := range messages {
		b := m.body
		switch m.kind {
		case msgDataspace:
			o.space = readSpace(b)
		case msgDatatype:
			o.typ, err = f.readSharedType(b, m.flags)
		case msgLayout:
			layout = b
		case msgFilters:
			o.filters = readFilters(b)
		case msgExternal:
			b.failf("values in external files are not read")
		case msgLinkInfo:
			o.isGroup = true
			err = f.readLinkInfo(b, o)
		case msgLink:
			o.isGroup = true
			err = f.readLink(b, o)
		case msgSymbolTable:
			o.isGroup = true
			err = f.readSymbolTable(b, o)
		case msgAttribute:
			err = f.readAttribute(b, o)
		case msgAttrInfo:
			err = f.readAttrInfo(b, o)
		default:
			if m.kind > msgLast && m.flags&flagMustBeKnown != 0 {
				b.failf("a message of type %d must be understood and is not known", m.kind)
			}
		}
		if b.err != nil {
			return nil, b.err
		}
		if err != nil {
			return nil, err
		}
	}
	if layout != nil {
		if err := f.readLayout(layout, o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

type message struct {
	kind, flags int
	body        *block
}

// headerForm is the form of a header's messages.
type headerForm struct {
	version int
	ordered bool // each has the number of its creation; in version 2
}

// readHeader collects the messages of a header and of its continuations.
func (f *File) readHeader(at int64) ([]message, error) {
	first, form, err := f.openHeader(at)
	if err != nil {
		return nil, err
	}
	var messages []message
	for pending := []*block{first}; len(pending) > 0; pending = pending[1:] {
		for b := pending[0]; b.left() >= form.prefix(); {
			m := form.read(b)
			if b.err != nil {
				return nil, b.err
			}
			switch m.kind {
			case msgNone:
				continue
			case msgContinuation:
				next, err := f.readContinuation(m.body, form.version)
				if err != nil {
					return nil, err
				}
				pending = append(pending, next)
				continue
			}
			if len(messages) == maxMessages {
				return nil, fmt.Errorf("object header at byte %d: over %d messages", f.base+at, maxMessages)
			}
			if err := f.take(16); err != nil {
				return nil, err
			}
			messages = append(messages, m)
		}
	}
	return messages, nil
}

// openHeader returns the first block of a header's messages.
func (f *File) openHeader(at int64) (*block, headerForm, error) {
	b, err := f.read("object header", at, min(16, max(0, f.size-f.base-at)))
	if err != nil {
		return nil, headerForm{}, err
	}
	if b.left() >= 4 && string(b.b[:4]) == "OHDR" {
		return f.openHeader2(at, b)
	}
	b.version(1)
	b.skip(1 + 2 + 4) // the number of messages follows from the size
	size := b.u32()
	if b.err != nil {
		return nil, headerForm{}, b.err
	}
	const prefix = 16
	b, err = f.read("object header", at+prefix, int64(size))
	return b, headerForm{version: 1}, err
}

// openHeader2 is openHeader for version 2; b holds the header's first bytes.
func (f *File) openHeader2(at int64, b *block) (*block, headerForm, error) {
	b.skip(4)
	b.version(2)
	flags := b.u8()
	form := headerForm{version: 2, ordered: flags&(1<<2) != 0}
	n := 6
	if flags&(1<<5) != 0 {
		n += 16 // times
	}
	if flags&(1<<4) != 0 {
		n += 4 // when attributes become dense
	}
	width := 1 << (flags & 3)
	b, err := f.read("object header", at, int64(n+width))
	if err != nil {
		return nil, form, err
	}
	b.skip(n)
	size := b.uint(width)
	if size > uint64(f.size) {
		b.failf("%d bytes of messages in a file of %d", size, f.size)
	}
	if b.err != nil {
		return nil, form, b.err
	}
	if b, err = f.readSigned("object header", "OHDR", at, int64(n+width)+int64(size)+4); err != nil {
		return nil, form, err
	}
	b.skip(n + width - 4)
	return b, form, nil
}

// prefix is how many bytes stand in front of a message.
func (h headerForm) prefix() int {
	switch {
	case h.version == 1:
		return 8
	case h.ordered:
		return 6
	}
	return 4
}

// read takes the next message from a block.
func (h headerForm) read(b *block) message {
	var m message
	var size int
	if h.version == 1 {
		m.kind, size, m.flags = int(b.u16()), int(b.u16()), int(b.u8())
		b.skip(3)
	} else {
		m.kind, size, m.flags = int(b.u8()), int(b.u16()), int(b.u8())
		b.skip(h.prefix() - 4)
	}
	m.body = b.sub("header message", size)
	return m
}

func (f *File) readContinuation(m *block, version int) (*block, error) {
	at, n := m.offset(), m.length()
	if m.err != nil {
		return nil, m.err
	}
	if err := f.take(256); err != nil { // so that empty ones come to an end, too
		return nil, err
	}
	if version == 1 {
		return f.read("continued object header", at, n)
	}
	return f.readSigned("continued object header", "OCHK", at, n)
}
