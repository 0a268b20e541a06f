package picture

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// tiffOf makes a TIFF file with one strip, which is a file of another format.
func tiffOf(strip []byte, width, height, compression, photometric, samples uint32) []byte {
	le := binary.LittleEndian
	fields := [][2]uint32{{256, width}, {257, height}, {258, 8}, {259, compression}, {262, photometric}, {273, 8}, {277, samples}, {279, uint32(len(strip))}}
	b := append(le.AppendUint32([]byte("II*\x00"), uint32(8+len(strip))), strip...)
	b = le.AppendUint16(b, uint16(len(fields)))
	for _, f := range fields {
		b = le.AppendUint32(le.AppendUint32(le.AppendUint32(b, f[0]|4<<16), 1), f[1])
	}
	return append(b, 0, 0, 0, 0)
}

// What lies in a TIFF file has the pixels that it has by itself, unless the directory says
// that its colours are others.
func TestInsideTIFF(t *testing.T) {
	fixture := fixtures(t)
	const jpeg, webp, gray, rgb, inks, luma = 7, 50001, 1, 2, 5, 6
	for name, c := range map[string]struct {
		strip  string
		fields [4]uint32 // compression, photometric, samples, height
		like   string
		err    string
	}{
		"YCbCr":          {"420.jpg", [4]uint32{jpeg, luma, 3, 37}, "420.jpg", ""},
		"RGB":            {"stored-rgb.jpg", [4]uint32{jpeg, rgb, 3, 37}, "stored-rgb.jpg", ""},
		"gray":           {"gray.jpg", [4]uint32{jpeg, gray, 1, 37}, "gray.jpg", ""},
		"progressive":    {"progressive.jpg", [4]uint32{jpeg, luma, 3, 37}, "progressive.jpg", ""},
		"too many rows":  {"420-1x33.jpg", [4]uint32{jpeg, luma, 3, 1}, "", "where 45 x 1 are needed"},
		"too wide":       {"420-33x1.jpg", [4]uint32{jpeg, luma, 3, 1}, "", "where 45 x 1 are needed"},
		"more rows":      {"420.jpg", [4]uint32{jpeg, luma, 3, 38}, "", "45 x 37 pixels inside, where 45 x 38 are needed"},
		"no JPEG":        {"rgb.png", [4]uint32{jpeg, luma, 3, 37}, "", "JPEG inside"},
		"three for four": {"420.jpg", [4]uint32{jpeg, inks, 4, 37}, "", "other colours than the directory says"},
		"WebP":           {"lossless.webp", [4]uint32{webp, rgb, 3, 37}, "lossless.webp", ""},
		"WebP as gray":   {"lossless.webp", [4]uint32{webp, gray, 1, 37}, "", "not read"},
	} {
		f := c.fields
		got, err := DecodeBytes(tiffOf(fixture[c.strip], 45, f[3], f[0], f[1], f[2]), Options{}, nil)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: error %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := DecodeBytes(fixture[c.like], Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !equal(got, want) {
			t.Errorf("%s: other pixels than those of %s", name, c.like)
		}
	}
	// Ink is stored as it is, where JPEG by itself has it inverted.
	m, err := DecodeBytes(tiffOf(fixture["cmyk.jpg"], 45, 37, jpeg, inks, 4), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := DecodeBytes(fixture["cmyk.jpg"], Options{}, nil)
	if err != nil || bytes.Equal(m.Pix, own.Pix) {
		t.Error(err)
	}
}
