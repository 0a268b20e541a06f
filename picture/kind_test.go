package picture

import (
	"errors"
	"strings"
	"testing"
)

// TestKinds: what is not a picture is a KindError that names its kind; a picture that is
// damaged is not.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		data   string
		kind   Kind
		format string
	}{
		{"", Empty, ""},
		{"These are notes.", Text, ""},
		{"\ufeffkurz", Text, ""},
		{strings.Repeat("a", longestMagic-1) + "ü", Text, ""}, // cut within the last letter
		{"{\"title\": 1}", Text, ""},
		{"\x01\x02\x03", Unknown, ""},
		{"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", Video, "MP4"},
		{"\x00\x00\x00\x14ftypqt  ", Video, "QuickTime"},
		{"\x1aE\xdf\xa3\x01", Video, "Matroska"},
		{"RIFF\x00\x00\x00\x00AVI LIST", Video, "AVI"},
		{"RIFF\x00\x00\x00\x00WAVEfmt ", Sound, "WAV"},
		{"%PDF-1.7", Document, "PDF"},
		{"PK\x03\x04", Archive, "zip"},
		{"\xff\x0a\x00", Foreign, "JPEG XL"},
		{"SQLite format 3\x00and more", Data, "SQLite"},
	} {
		_, err := Decode(strings.NewReader(c.data), Options{})
		e, ok := errors.AsType[*KindError](err)
		if !ok || e.Kind != c.kind || e.Format != c.format {
			t.Errorf("%q: %#v, want %q %q", c.data, err, c.kind, c.format)
		}
		if ok && !strings.Contains(e.Error(), c.format) {
			t.Errorf("%q: %v does not name %s", c.data, err, c.format)
		}
	}
	for _, damaged := range []string{"\xff\xd8\xff\xe0", "GIF89a", "\x89PNG\r\n\x1a\n", "BM"} {
		_, err := Decode(strings.NewReader(damaged), Options{})
		if _, is := errors.AsType[*KindError](err); is || err == nil {
			t.Errorf("%q, which is damaged: %v", damaged, err)
		}
	}
}
