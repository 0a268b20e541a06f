package picture

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"lookalike/internal/magic"
)

// Kind is what a file holds that is not a picture, or not one that Decode reads.
type Kind string

const (
	Unknown  Kind = ""
	Empty    Kind = "empty file"
	Text     Kind = "text"
	Video    Kind = "video"
	Sound    Kind = "sound"
	Document Kind = "document"
	Archive  Kind = "archive"
	Data     Kind = "data"    // of programs, such as a database
	Foreign  Kind = "picture" // in a format that is not read
)

// KindError is the error of a file that is not a picture by how it begins, or that is
// in a format that is not read. A picture that is damaged or over a limit is another error.
type KindError struct {
	Kind   Kind
	Format string // such as "PDF"; "" if it is not known

	begin []byte // of a file whose format is not known
}

func (e *KindError) Error() string {
	switch {
	case e.Kind == Empty:
		return "the file is empty"
	case e.Kind == Foreign:
		return fmt.Sprintf("a picture of type %s, which is not supported; convert it to JPEG or PNG", e.Format)
	case e.Kind == Archive:
		return fmt.Sprintf("not a picture but packed with %s; what is in an archive is read if its own path is given", e.Format)
	case e.Format != "":
		return fmt.Sprintf("not a picture but %s (%s)", e.Kind.article(), e.Format)
	}
	return fmt.Sprintf("not a JPEG, PNG, GIF, BMP, TIFF, WebP, HEIC or AVIF picture (the file begins with %q)", e.begin)
}

func (k Kind) article() string {
	switch k {
	case Video, Document:
		return "a " + string(k)
	}
	return string(k)
}

// others are formats that are not read, so that a report of what was left out can name
// them. The first that matches counts.
var others = []struct {
	magic  string // '?' stands for any byte
	kind   Kind
	format string
}{
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", Foreign, "JPEG XL"},
	{"\xff\x0a", Foreign, "JPEG XL"},
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", Foreign, "JPEG 2000"},
	{"\xff\x4f\xff\x51", Foreign, "JPEG 2000"},
	{"8BPS", Foreign, "Photoshop"},
	{"<svg", Foreign, "SVG"},
	{"????ftypjxl ", Foreign, "JPEG XL"},
	{"????ftypj2ki", Foreign, "HEIF with JPEG 2000"},
	{"????ftypjpeg", Foreign, "HEIF with JPEG"},
	{"????ftypavci", Foreign, "HEIF with H.264"},
	{"????ftypvvic", Foreign, "HEIF with VVC"},
	{"????ftypmif3", Foreign, "HEIF of the short kind"},

	{"????ftypM4A ", Sound, "M4A"},
	{"????ftypM4B ", Sound, "M4B"},
	{"ID3", Sound, "MP3"},
	{"fLaC", Sound, "FLAC"},
	{"RIFF????WAVE", Sound, "WAV"},

	{"????ftypqt  ", Video, "QuickTime"},
	{"????ftyp3g", Video, "3GP"},
	{"????ftyp", Video, "MP4"},
	{"????moov", Video, "QuickTime"},
	{"????mdat", Video, "QuickTime"},
	{"????wide", Video, "QuickTime"},
	{"????pnot", Video, "QuickTime"},
	{"RIFF????AVI ", Video, "AVI"},
	{"\x1aE\xdf\xa3", Video, matroska},
	{"\x00\x00\x01\xba", Video, "MPEG"},
	{"\x00\x00\x01\xb3", Video, "MPEG"},
	{"0&\xb2u\x8ef\xcf\x11", Video, "Windows Media"},
	{"FLV\x01", Video, "Flash"},
	{"OggS", Video, "Ogg"},
	{".RMF", Video, "RealMedia"},
	{"\x06\x0e\x2b\x34\x02\x05\x01\x01", Video, "MXF"},

	{"%PDF-", Document, "PDF"},
	{"%!PS", Document, "PostScript"},
	{"{\\rtf", Document, "RTF"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Document, "an old format of Microsoft Office"},

	{"PK\x03\x04", Archive, "zip"},
	{"\x1f\x8b", Archive, "gzip"},
	{"BZh", Archive, "bzip2"},
	{"\xfd7zXZ\x00", Archive, "xz"},
	{"7z\xbc\xaf\x27\x1c", Archive, "7-Zip"},
	{"Rar!\x1a\x07", Archive, "RAR"},
	{"(\xb5/\xfd", Archive, "Zstandard"},

	{"SQLite format 3\x00", Data, "SQLite"},
	{"\x89HDF\r\n\x1a\n", Data, "HDF5"},
	{"\x93NUMPY", Data, "NumPy"},
}

const matroska = "Matroska"

// kindOf is the error of a file that is not a picture, by how it begins.
func kindOf(data []byte) *KindError {
	if len(data) == 0 {
		return &KindError{Kind: Empty}
	}
	for _, o := range others {
		if magic.Matches(data, o.magic) {
			format := o.format
			if format == matroska && bytes.Contains(data[:min(len(data), longestMagic)], []byte("webm")) {
				format = "WebM"
			}
			return &KindError{Kind: o.kind, Format: format}
		}
	}
	if isPackets(data) {
		return &KindError{Kind: Video, Format: "MPEG"}
	}
	data = data[:min(len(data), longestMagic)]
	kind := Unknown
	if isText(string(data)) {
		kind = Text
	}
	return &KindError{Kind: kind, begin: data[:min(12, len(data))]}
}

// isPackets tells MPEG's transport stream by its packets, before each of which cameras put
// 4 bytes.
func isPackets(data []byte) bool {
	const packet, sync, more = 188, 0x47, 4
	return len(data) > packet && data[0] == sync && data[packet] == sync ||
		len(data) > packet+2*more && data[more] == sync && data[packet+2*more] == sync
}

// isText tells whether the beginning of a file is text. Its last letter may be cut.
func isText(begin string) bool {
	begin = strings.TrimPrefix(begin, "\ufeff")
	for begin != "" {
		r, size := utf8.DecodeRuneInString(begin)
		if r == utf8.RuneError && size == 1 {
			return !utf8.FullRuneInString(begin)
		}
		if !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
		begin = begin[size:]
	}
	return true
}
