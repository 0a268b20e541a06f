package orientation

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"
)

// PNG returns the orientation of a PNG file. Chunks may stand anywhere, and of several
// the last one counts. EXIF is in a chunk of its own or, as ImageMagick wrote it before
// there was one, in the hexadecimal digits of a text.
func PNG(data []byte) int {
	const (
		signature = 8
		header    = 8 // bytes before a chunk's content
		sum       = 4 // and after it, left to the decoder
	)
	var t texts
	var animated, pixels bool
	for rest := data[min(signature, len(data)):]; len(rest) >= header; {
		size, name := uint64(binary.BigEndian.Uint32(rest)), string(rest[4:header])
		rest = rest[header:]
		if size > uint64(len(rest)) {
			break
		}
		content := rest[:size]
		rest = rest[min(size+sum, uint64(len(rest))):]
		switch name {
		case "eXIf":
			t.exif = content
		case "tEXt":
			keyword, text, _ := bytes.Cut(content, zero)
			if string(keyword) == "exif" {
				t.exif = text
			}
			t.keep(keyword, text)
		case "zTXt":
			t.compressed(content)
		case "iTXt":
			t.international(content)
		case "acTL":
			animated = !pixels
		case "IDAT":
			pixels = true
		case "fcTL":
			// What follows belongs to later frames.
			if animated && pixels {
				return t.orientation()
			}
		case "IEND":
			return t.orientation()
		}
	}
	return t.orientation()
}

// texts are the last ones of a PNG file that may tell its orientation.
type texts struct {
	exif     []byte
	profile  []byte // EXIF as ImageMagick writes it
	xmp      []byte
	rawXMP   []byte // of an iTXt, even one that is not UTF-8 throughout
	inflated int    // bytes
}

const (
	profileName = "Raw profile type exif"
	packetName  = "XML:com.adobe.xmp"
)

var zero = []byte{0}

func (t *texts) keep(keyword, text []byte) {
	switch string(keyword) {
	case profileName:
		t.profile = text
	case packetName:
		t.xmp = text
	}
}

func wanted(keyword []byte) bool {
	return string(keyword) == profileName || string(keyword) == packetName
}

// compressed reads a zTXt: keyword, zero, method of compression, text.
func (t *texts) compressed(content []byte) {
	keyword, rest, _ := bytes.Cut(content, zero)
	if !wanted(keyword) || len(rest) > 0 && rest[0] != 0 {
		return
	}
	text, err := t.inflate(rest[min(1, len(rest)):])
	if err != nil {
		text = nil
	}
	t.keep(keyword, text)
}

// international reads an iTXt: keyword, zero, whether compressed, method, language, zero,
// keyword in that language, zero, text.
func (t *texts) international(content []byte) {
	keyword, rest, _ := bytes.Cut(content, zero)
	if !wanted(keyword) || len(rest) < 2 {
		return
	}
	packed, method := rest[0] != 0, rest[1]
	language, rest, _ := bytes.Cut(rest[2:], zero)
	translated, text, ok := bytes.Cut(rest, zero)
	if !ok {
		return
	}
	if packed {
		var err error
		if method != 0 {
			return
		} else if text, err = t.inflate(text); err != nil {
			return
		}
	}
	if string(keyword) == packetName {
		t.rawXMP = text
	}
	if utf8.Valid(language) && utf8.Valid(translated) && utf8.Valid(text) {
		t.keep(keyword, text)
	}
}

// inflate unpacks a text within Pillow's limits. One that is cut short is what there is.
func (t *texts) inflate(packed []byte) ([]byte, error) {
	const most, mostInAll, least = 1 << 20, 64 << 20, 4 << 10
	if t.inflated > mostInAll {
		return nil, errLong
	}
	t.inflated += least // many short ones take time, too
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, most+1))
	t.inflated += len(text)
	if len(text) > most {
		return nil, errLong
	} else if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return text, nil
}

var errLong = errors.New("orientation: a text of PNG is too long")

func (t *texts) orientation() int {
	m := metadata{exif: t.exif, xmp: t.xmp}
	if m.exif == nil {
		var err error
		if m.exif, err = fromProfile(t.profile); err != nil {
			return Upright
		}
	}
	if len(m.xmp) == 0 {
		m.xmp = t.rawXMP
	}
	return m.orientation()
}

// fromProfile reads what ImageMagick writes: an empty line, a name, a length, and lines of
// hexadecimal digits.
func fromProfile(text []byte) ([]byte, error) {
	lines := bytes.SplitN(text, []byte("\n"), 4)
	if len(lines) < 4 {
		return nil, nil
	}
	digits := lines[3]
	if len(digits) > 2*longestCopy {
		return nil, errLong
	}
	digits = bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, digits)
	return hex.AppendDecode(nil, digits)
}
