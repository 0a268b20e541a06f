package raw

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"os"
	"testing"
)

// photo is a JPEG of w by h pixels.
func photo(t testing.TB, w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// field is an entry of a directory: a tag, and a number, or a text.
type field struct {
	tag  uint16
	v    uint32
	text string
}

// directory writes one at a place, with its texts behind it.
func directory(order binary.AppendByteOrder, at int, fields ...field) []byte {
	b := order.AppendUint16(nil, uint16(len(fields)))
	texts, after := []byte(nil), at+2+12*len(fields)+4
	for _, f := range fields {
		b = order.AppendUint16(b, f.tag)
		if f.text != "" {
			b = order.AppendUint32(order.AppendUint16(b, 2), uint32(len(f.text)))
			b = order.AppendUint32(b, uint32(after+len(texts)))
			texts = append(texts, f.text...)
			continue
		}
		b = order.AppendUint32(order.AppendUint16(b, 4), 1)
		b = order.AppendUint32(b, f.v)
	}
	return append(order.AppendUint32(b, 0), texts...)
}

// files are raw files as cameras make them, as far as this package reads them.
func files(t testing.TB) map[string][]byte {
	small, large := photo(t, 16, 8), photo(t, 64, 48)
	const first = 16
	tiff := func(order binary.AppendByteOrder, start, maker string, more ...field) []byte {
		out := append([]byte(start), make([]byte, first-len(start))...)
		binary.ByteOrder(order.(binary.ByteOrder)).PutUint32(out[4:], first)
		fields := append([]field{{tag: 271, text: maker}, {tag: 274, v: 6}}, more...)
		at := first + 2 + 12*(len(fields)+1) + 4 + len(maker)
		out = append(out, directory(order, first, append(fields, field{tag: 330, v: uint32(at)})...)...)
		out = append(out, directory(order, at, field{tag: 262, v: 32803})...)
		out = append(out, small...)
		out = append(out, "raw data \xff\xd8\xff\xc3 and more of it \xff\xd8\xff"...)
		return append(out, large...)
	}
	le, be := binary.LittleEndian, binary.BigEndian
	exif := append([]byte("MM\x00*\x00\x00\x00\x08"), directory(be, 8, field{tag: 274, v: 6})...)
	return map[string][]byte{
		"NEF": tiff(be, "MM\x00*", "NIKON CORPORATION\x00"), "ARW": tiff(le, "II*\x00", "SONY\x00"),
		"DNG": tiff(le, "II*\x00", "Make\x00", field{tag: 50706, v: 1}), "CR2": tiff(le, "II*\x00\x10\x00\x00\x00CR\x02", "Canon\x00"),
		"ORF": tiff(le, "IIRO", "OLYMPUS\x00"), "RW2": tiff(le, "IIU\x00", "Panasonic\x00"), "raw": tiff(le, "II*\x00", "Other\x00"),
		"RAF": append(append([]byte("FUJIFILMCCD-RAW 0201"), small...), large...),
		"CR3": append(append([]byte("\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom\x00\x00\x00\x2eCMT1"), exif...), append(small, large...)...),
	}
}

// The largest JPEG is found, and how it is to be turned.
func TestPreview(t *testing.T) {
	for kind, data := range files(t) {
		if got := Kind(data); got != kind {
			t.Errorf("%s is taken for %q", kind, got)
		}
		inside, turn := Preview(data)
		c, err := jpeg.DecodeConfig(bytes.NewReader(inside))
		if err != nil || c.Width != 64 || c.Height != 48 {
			t.Errorf("%s: %d x %d, %v", kind, c.Width, c.Height, err)
		}
		if want := map[bool]int{true: 0, false: 6}[kind == "RAF"]; turn != want {
			t.Errorf("%s: turned by %d, want %d", kind, turn, want)
		}
	}
}

func TestKindOfOthers(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "JPEG": photo(t, 9, 9), "TIFF": append([]byte("II*\x00\x08\x00\x00\x00"), directory(binary.LittleEndian, 8, field{tag: 262, v: 2})...)} {
		if kind := Kind(data); kind != "" {
			t.Errorf("%s is taken for %s", name, kind)
		}
	}
	data, err := os.ReadFile("../../../shared/cases/dups/raw/DSC_0001.NEF")
	if err != nil {
		t.Skip("no ../shared/cases here")
	}
	if kind := Kind(data); kind != "DNG" {
		t.Errorf("the raw file of shared/cases is taken for %q", kind)
	}
}

func FuzzPreview(f *testing.F) {
	for _, data := range files(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Kind(data)
		if inside, _ := Preview(data); len(inside) > len(data) {
			t.Error("more than the file")
		}
	})
}
