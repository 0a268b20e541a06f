package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// NumPy's format of one array: the magic string, two bytes of version, the
// header's length (2 bytes little-endian, 4 from version 2 on), the header: a
// Python dictionary of 'descr', 'fortran_order' and 'shape' as text; then the
// values.

const (
	npyMagic     = "\x93NUMPY"
	maxNPYHeader = 1 << 16
)

// npy is a header.
type npy struct {
	start   int64 // of the values
	shape   []int
	fortran bool  // the first index varies fastest
	dtype   dtype // of numbers
	width   int   // of text, in bytes; 0 for numbers
	utf8    bool  // text is bytes of UTF-8, not characters of 4 bytes
}

// numpyTypes are NumPy's type codes without the byte order.
var numpyTypes = map[string]string{
	"f2": "F16", "f4": "F32", "f8": "F64",
	"i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64",
	"u1": "U8", "u2": "U16", "u4": "U32", "u8": "U64",
}

// readNPYHeader reads the header at the start of r.
func readNPYHeader(r io.Reader) (h npy, err error) {
	prefix := make([]byte, 12)
	if err := readFull(r, prefix[:10]); err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	if string(prefix[:6]) != npyMagic {
		return h, fmt.Errorf("starts with %q where %q belongs", prefix[:6], npyMagic)
	}
	length, before := int(binary.LittleEndian.Uint16(prefix[8:])), 10
	switch prefix[6] {
	case 1:
	case 2, 3:
		if err := readFull(r, prefix[10:]); err != nil {
			return h, fmt.Errorf("header: %w", err)
		}
		length, before = int(binary.LittleEndian.Uint32(prefix[8:])), 12
	default:
		return h, fmt.Errorf("version %d of NumPy's format; 1 to 3 can be read", prefix[6])
	}
	if length > maxNPYHeader || length < 0 {
		return h, fmt.Errorf("header of %d bytes, the limit is %d", uint32(length), maxNPYHeader)
	}
	text := make([]byte, length)
	if err := readFull(r, text); err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	h.start = int64(before + length)
	if err := h.parse(string(text)); err != nil {
		return h, fmt.Errorf("header %.200q: %w", bytes.TrimRight(text, " \n"), err)
	}
	return h, nil
}

// parse reads the dictionary.
func (h *npy) parse(text string) error {
	p := &literal{rest: text}
	p.expect("{")
	seen := map[string]bool{}
	for p.err == nil && !p.accept("}") {
		key := p.text()
		p.expect(":")
		if seen[key] {
			return fmt.Errorf("%q comes twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if err := h.setType(p.text()); p.err == nil && err != nil {
				return err
			}
		case "fortran_order":
			if h.fortran = p.accept("True"); !h.fortran {
				p.expect("False")
			}
		case "shape":
			h.shape = p.tuple()
		default:
			return fmt.Errorf("unknown key %q", key)
		}
		if !p.accept(",") {
			p.expect("}")
			break
		}
	}
	if p.err == nil && p.skip() != "" {
		return fmt.Errorf("%q after the end", p.rest)
	}
	if p.err == nil && len(seen) != 3 {
		return errors.New("descr, fortran_order or shape is missing")
	}
	return p.err
}

// setType understands codes such as "<f4". Without a byte order, or with "=", values are
// in that of the machine, which is taken to be little-endian as nearly all are.
func (h *npy) setType(descr string) error {
	if descr == "" {
		return errors.New("arrays of records cannot be read")
	}
	code := strings.TrimLeft(descr[:1], "<>=|") + descr[1:]
	big, anyOrder := descr[0] == '>', descr[0] == '|'
	if text := strings.TrimLeft(code, "US"); len(text) == len(code)-1 {
		h.utf8 = code[0] == 'S'
		width, err := strconv.Atoi(text)
		if err == nil && width > 0 && width < 1<<28 && (h.utf8 || !anyOrder) {
			if !h.utf8 {
				width *= 4
			}
			h.width, h.dtype.big = width, big
			return nil
		}
	}
	if t, ok := dtypes[numpyTypes[code]]; ok && (!anyOrder || t.size == 1) {
		h.dtype, h.dtype.big = t, big
		return nil
	}
	return fmt.Errorf("values of type %q cannot be read, only f2, f4, f8, integers and text U and S", descr)
}

// literal reads the few Python literals that a header has. The first error
// stays; after it nothing is read.
type literal struct {
	rest string
	err  error
}

func (p *literal) skip() string {
	p.rest = strings.TrimLeft(p.rest, " \t\n")
	return p.rest
}

func (p *literal) accept(token string) bool {
	rest, ok := strings.CutPrefix(p.skip(), token)
	if ok {
		p.rest = rest
	}
	return ok && p.err == nil
}

func (p *literal) expect(token string) {
	if !p.accept(token) && p.err == nil {
		p.err = fmt.Errorf("%.20q where %q belongs", p.rest, token)
	}
}

// text reads a string without escapes.
func (p *literal) text() string {
	quote := "'"
	if p.accept(`"`) {
		quote = `"`
	} else {
		p.expect("'")
	}
	s, rest, ok := strings.Cut(p.rest, quote)
	if p.err == nil && (!ok || strings.Contains(s, `\`)) {
		p.err = fmt.Errorf("%.20q is no plain string", p.rest)
	}
	if p.err != nil {
		return ""
	}
	p.rest = rest
	return s
}

// tuple reads integers in parentheses.
func (p *literal) tuple() (list []int) {
	p.expect("(")
	for p.err == nil && !p.accept(")") {
		end := strings.IndexFunc(p.skip(), func(r rune) bool { return r < '0' || r > '9' })
		n, err := strconv.Atoi(p.rest[:max(0, end)])
		if err != nil || len(list) == maxRank {
			p.err = fmt.Errorf("%.20q where a dimension belongs (at most %d)", p.rest, maxRank)
			return nil
		}
		list = append(list, n)
		p.rest = strings.TrimPrefix(p.rest[end:], "L") // Python 2's long integers
		if !p.accept(",") {
			p.expect(")")
			break
		}
	}
	return list
}

// transposed returns an array that was read with its dimensions reversed as
// what it is.
func (h npy) transposed(a array) array {
	if !h.fortran || len(a.shape) < 2 {
		return a
	}
	order := make([]int, len(a.shape))
	for i := range order {
		order[i] = len(order) - 1 - i
	}
	return permuted(a, order...)
}

// texts reads an array of text, one dimension of width bytes each, filled with zeros.
func (h npy) texts(r io.Reader) ([]string, error) {
	list := make([]string, h.shape[0])
	item := make([]byte, min(len(list), 1)*h.width)
	order := binary.ByteOrder(binary.LittleEndian)
	if h.dtype.big {
		order = binary.BigEndian
	}
	for i := range list {
		if err := readFull(r, item); err != nil {
			return nil, err
		}
		if h.utf8 {
			text := bytes.TrimRight(item, "\x00")
			if !utf8.Valid(text) {
				return nil, fmt.Errorf("item %d: %.40q is not UTF-8", i, text)
			}
			list[i] = string(text)
			continue
		}
		var s strings.Builder
		for chars := item; len(chars) > 0 && order.Uint32(chars) != 0; chars = chars[4:] {
			c := order.Uint32(chars)
			if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
				return nil, fmt.Errorf("item %d: %#x is no character", i, c)
			}
			s.WriteRune(rune(c))
		}
		list[i] = s.String()
	}
	return list, nil
}

// readNPY reads a file of a single array. It gets the name that numpy.savez
// gives to arrays without one.
func readNPY(in *input) (*File, error) {
	const name = "arr_0"
	file := &File{format: "NumPy .npy"}
	err := file.addNPY(name, npySource{in.size, func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(in, 0, in.size)), nil
	}, in})
	if err != nil {
		return nil, fmt.Errorf("NumPy .npy: %w", err)
	}
	return file, nil
}

// readNPZ reads an archive of which every entry is an array.
func readNPZ(entries archive) (*File, error) {
	file := &File{format: "NumPy .npz"}
	for _, name := range entries.names() {
		e := entries[name]
		source := npySource{size: int64(e.UncompressedSize64), open: e.Open}
		if e.stored() {
			source.raw = e.raw
		}
		if err := file.addNPY(strings.TrimSuffix(name, ".npy"), source); err != nil {
			return nil, fmt.Errorf("NumPy .npz: %q: %w", name, err)
		}
	}
	return file, nil
}

// npySource is size bytes of NumPy's format.
type npySource struct {
	size int64
	open func() (io.ReadCloser, error) // from the start; the end is an error if a checksum is wrong
	raw  *input                        // the same bytes, nil if they are compressed
}

// addNPY adds an array to the catalogue.
func (f *File) addNPY(name string, s npySource) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	h, err := readNPYHeader(r)
	if err != nil {
		return err
	}
	if h.width > 0 {
		return f.addTexts(name, h, s)
	}
	shape := slices.Clone(h.shape)
	if h.fortran {
		slices.Reverse(shape)
	}
	a := array{shape: shape, kind: h.dtype.name}
	if s.raw != nil {
		values, err := s.raw.section(h.start, s.size-h.start)
		if err != nil {
			return err
		}
		if a, err = values.array(shape, h.dtype); err != nil {
			return err
		}
	} else if err := checkSize(shape, h.dtype, s.size-h.start); err != nil {
		return err
	}
	a.read = func(dst []float32) error {
		return s.values(h, func(r io.Reader) error { return readValues(dst, r, h.dtype) })
	}
	if f.arrays == nil {
		f.arrays = map[string]array{}
	}
	f.arrays[name] = h.transposed(a)
	return nil
}

func (f *File) addTexts(name string, h npy, s npySource) error {
	if len(h.shape) != 1 {
		return fmt.Errorf("text of shape %v; only lists of text can be read", h.shape)
	}
	character := dtype{name: "U", size: h.width}
	if err := checkSize(h.shape, character, s.size-h.start); err != nil {
		return err
	}
	if f.texts == nil {
		f.texts = map[string]func() ([]string, error){}
	}
	f.texts[name] = func() (list []string, err error) {
		const pointer = 16 // to a string
		if need := s.size + pointer*int64(h.shape[0]); need > 2*f.size+slack {
			return nil, fmt.Errorf("%d texts would take %d bytes out of a file of %d: refused", h.shape[0], need, f.size)
		}
		err = s.values(h, func(r io.Reader) (err error) {
			list, err = h.texts(r)
			return err
		})
		return list, err
	}
	return nil
}

// values lets read read what follows the header, and checks that the bytes end
// there and that their checksum, if there is one, is right.
func (s npySource) values(h npy, read func(r io.Reader) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, h.start); err != nil {
		return err
	}
	if err := read(r); err != nil {
		return err
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return errors.New("more bytes than values")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// TextNames returns the names of all lists of text, sorted.
func (f *File) TextNames() []string {
	if f == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(f.texts))
}

// Texts reads a list of text, such as [SaveNPZ] writes. Names does not list
// these, for no network has such parameters.
func (f *File) Texts(name string) ([]string, error) {
	if f == nil {
		return nil, errNil
	}
	read, ok := f.texts[name]
	if !ok {
		return nil, f.wrap(fmt.Errorf("there is no list of text %q", name))
	}
	if err := f.Hold(); err != nil {
		return nil, err
	}
	defer f.Release()
	list, err := read()
	if err != nil {
		return nil, f.wrap(fmt.Errorf("text %q: %w", name, err))
	}
	return list, nil
}
