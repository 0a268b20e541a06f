package main

import (
	"bytes"
	"image/jpeg"
	"slices"
	"testing"

	"lookalike/internal/words"
	"lookalike/picture"
)

func TestPrintable(t *testing.T) {
	for path, want := range map[string]string{
		"my photos/Füße 1.jpg": "my photos/Füße 1.jpg",
		"two\nlines.jpg":       `"two\nlines.jpg"`,
		"bad\xff.jpg":          `"bad\xff.jpg"`,
		"red\x1b[31m.jpg":      `"red\x1b[31m.jpg"`,
	} {
		if got := words.Printable(path); got != want {
			t.Errorf("%q is shown as %s, want %s", path, got, want)
		}
	}
}

// jpegOf returns a picture's file as JPEG.
func jpegOf(t *testing.T, path string) []byte {
	t.Helper()
	p, err := picture.File(path, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p.RGBA(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withOrientation returns a JPEG file with an EXIF segment that gives only its
// orientation.
func withOrientation(jpeg []byte, orientation byte) []byte {
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01"), // big endian, one entry
		0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, // tag 0x112, one short
		0, 0, 0, 0) // no further directory
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return slices.Concat(jpeg[:2], segment, jpeg[2:])
}
