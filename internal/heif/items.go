package heif

import (
	"errors"
	"fmt"

	"lookalike/internal/words"
)

// items is what the box meta of a file says: which items there are, how they are
// described, where their bytes are, and how they refer to each other.
type items struct {
	file    []byte
	primary uint32
	all     map[uint32]*item
	inside  []byte // of the box idat
	props   []box
}

// item is a picture, or a part of one.
type item struct {
	id      uint32
	kind    string
	props   []int // places in items.props, from 1
	method  uint64
	extents [][2]uint64 // offset and length; length 0: to the end
	refs    map[string][]uint32
}

var errCut = words.ErrCut

// readItems reads the box meta that lies at the top of a file; found is false if there is
// none.
func readItems(file []byte) (m *items, found bool, err error) {
	err = boxes(file, func(b box) error {
		if b.kind != "meta" || found {
			return nil
		}
		found = true
		if len(b.body) > mostMeta {
			return fmt.Errorf("%d MB of what is said about it", len(b.body)>>20)
		}
		m, err = readMeta(file, b.body)
		return err
	})
	return m, found, err
}

func readMeta(file, body []byte) (*items, error) {
	m := &items{file: file, all: map[uint32]*item{}}
	r := reader{data: body}
	r.full()
	// What refers to items comes after what lists them, whatever their order in the file.
	parts := map[string][]byte{}
	err := boxes(r.data, func(b box) error {
		if _, twice := parts[b.kind]; !twice {
			parts[b.kind] = b.body
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	m.inside = parts["idat"]
	for _, step := range []struct {
		kind string
		read func(*items, []byte) error
	}{{"pitm", (*items).readPrimary}, {"iinf", (*items).readInfos}, {"iloc", (*items).readPlaces}, {"iprp", (*items).readProperties}, {"iref", (*items).readReferences}} {
		if b, ok := parts[step.kind]; ok {
			if err := step.read(m, b); err != nil {
				return nil, fmt.Errorf("in its box %s: %w", step.kind, err)
			}
		}
	}
	return m, nil
}

func (m *items) readPrimary(b []byte) error {
	r := reader{data: b}
	version, _ := r.full()
	m.primary = uint32(r.number(width(version)))
	return r.err()
}

// width is how many bytes the number of an item has.
func width(version uint8) int {
	if version == 0 {
		return 2
	}
	return 4
}

func (r *reader) err() error {
	if r.failed {
		return errCut
	}
	return nil
}

func (m *items) readInfos(b []byte) error {
	r := reader{data: b}
	version, _ := r.full()
	r.number(width(version)) // how many; the boxes say it themselves
	if r.failed {
		return errCut
	}
	return boxes(r.data, func(b box) error {
		if b.kind != "infe" {
			return nil
		}
		r := reader{data: b.body}
		version, _ := r.full()
		if version < 2 {
			return nil // of no kind that is a picture
		}
		id := uint32(r.number(2 * int(version-1)))
		if version > 3 {
			return nil
		}
		r.number(2) // how it is protected
		kind := string(r.bytes(4))
		if r.failed {
			return errCut
		}
		if m.all[id] == nil {
			m.all[id] = &item{id: id, kind: kind, refs: map[string][]uint32{}}
		}
		return nil
	})
}

func (m *items) readPlaces(b []byte) error {
	r := reader{data: b}
	version, _ := r.full()
	sizes := r.number(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		index = 0
	}
	if max(offset, length, base, index) > 8 {
		return errors.New("numbers of more than 8 bytes")
	}
	id := 2
	if version >= 2 {
		id = 4
	}
	for n := r.number(id); n > 0 && !r.failed; n-- {
		it := m.all[uint32(r.number(id))]
		method := uint64(0)
		if version >= 1 {
			method = r.number(2) & 15
		}
		r.number(2) // in which file: 0 is this one
		start := r.number(base)
		fresh := it != nil && it.extents == nil
		for k := r.number(2); k > 0 && !r.failed; k-- {
			r.number(index)
			at, n := r.number(offset), r.number(length)
			if offset+length == 0 && k > 1 {
				return errors.New("an item of parts without places")
			}
			if fresh {
				it.method = method
				it.extents = append(it.extents, [2]uint64{start + at, n})
			}
		}
	}
	return r.err()
}

func (m *items) readProperties(b []byte) error {
	var links [][]byte
	err := boxes(b, func(b box) error {
		switch b.kind {
		case "ipco":
			if m.props == nil {
				return boxes(b.body, func(p box) error {
					m.props = append(m.props, p)
					return nil
				})
			}
		case "ipma":
			links = append(links, b.body)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, b := range links {
		r := reader{data: b}
		version, flags := r.full()
		for n := r.number(4); n > 0 && !r.failed; n-- {
			it := m.all[uint32(r.number(width(version)))]
			for k := r.number(1); k > 0 && !r.failed; k-- {
				place := r.number(1) & 0x7f // the upper bit says that it is essential
				if flags&1 != 0 {
					place = place<<8 | r.number(1)
				}
				if it != nil && place > 0 && place <= uint64(len(m.props)) {
					it.props = append(it.props, int(place))
				}
			}
		}
		if r.failed {
			return errCut
		}
	}
	return nil
}

func (m *items) readReferences(b []byte) error {
	r := reader{data: b}
	version, _ := r.full()
	return boxes(r.data, func(b box) error {
		r := reader{data: b.body}
		from := m.all[uint32(r.number(width(version)))]
		for n := r.number(2); n > 0 && !r.failed; n-- {
			to := uint32(r.number(width(version)))
			if from != nil && !r.failed {
				from.refs[b.kind] = append(from.refs[b.kind], to)
			}
		}
		return r.err()
	})
}

// of returns the property of a kind that an item has first.
func (m *items) of(it *item, kind string) (body []byte, found bool) {
	for _, i := range it.props {
		if p := m.props[i-1]; p.kind == kind {
			return p.body, true
		}
	}
	return nil, false
}

// size is what an item says of its own size, before it is turned and cut.
func (m *items) size(it *item) (w, h int, err error) {
	body, ok := m.of(it, "ispe")
	if !ok {
		return 0, 0, errors.New("an item tells no size")
	}
	r := reader{data: body}
	r.full()
	w, h = int(r.number(4)), int(r.number(4))
	if w <= 0 || h <= 0 || w > mostSide || h > mostSide {
		return 0, 0, fmt.Errorf("%d x %d pixels", w, h)
	}
	return w, h, r.err()
}

// length is how many bytes an item has.
func (m *items) length(it *item) (n uint64, err error) {
	from := m.file
	switch it.method {
	case 0:
	case 1:
		from = m.inside
	default:
		return 0, errors.New("an item made of parts of another")
	}
	for i, e := range it.extents {
		at, length := e[0], e[1]
		if at > uint64(len(from)) {
			return 0, errCut
		}
		if length == 0 {
			length = uint64(len(from)) - at
			it.extents[i][1] = length
		}
		if length > uint64(len(from))-at {
			return 0, errCut
		}
		n += length
		if n > uint64(len(from)) {
			return 0, errors.New("an item larger than the file")
		}
	}
	if n == 0 {
		return 0, errors.New("an item without bytes")
	}
	return n, nil
}

// bytes returns the bytes of an item, within the file if they are in one piece.
func (m *items) bytes(it *item) ([]byte, error) {
	if _, err := m.length(it); err != nil {
		return nil, err
	}
	from := m.file
	if it.method == 1 {
		from = m.inside
	}
	if len(it.extents) == 1 {
		e := it.extents[0]
		return from[e[0] : e[0]+e[1]], nil
	}
	var all []byte
	for _, e := range it.extents {
		all = append(all, from[e[0]:e[0]+e[1]]...)
	}
	return all, nil
}
