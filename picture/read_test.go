package picture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
)

// Of a picture all is read, whatever is said of the size, but no more than one byte over
// the limit; of other files no more than tells what they are.
func TestRead(t *testing.T) {
	photo := string(fixtures(t)["rgb.png"])
	for name, c := range map[string]struct {
		data  string
		limit int64
		want  int
	}{
		"a picture":       {photo, 0, len(photo)},
		"at the limit":    {photo, int64(len(photo)), len(photo)},
		"over the limit":  {photo, 1000, 1001},
		"a film":          {"\x00\x00\x00\x18ftypmp42" + strings.Repeat("film", 1<<18), 0, longestMagic},
		"HEIC":            {"\x00\x00\x00\x18ftypheic" + strings.Repeat("photo", 10000), 0, 12 + 50000},
		"JPEG XL":         {"\xff\x0a" + strings.Repeat("photo", 1<<18), 0, longestMagic},
		"a short text":    {"text", 0, 4},
		"nothing at all":  {"", 0, 0},
		"a beginning":     {photo[:9], 0, 9},
		"none, but large": {strings.Repeat("film", 1<<18), 1000, longestMagic},
	} {
		for _, size := range []int64{int64(len(c.data)), 0, -1, 7, 1 << 20} {
			o := Options{MaxBytes: c.limit}
			var got []byte
			err := Read(iotest.HalfReader(strings.NewReader(c.data)), size, o, func(data []byte) error { got = bytes.Clone(data); return nil })
			if err != nil || string(got) != c.data[:c.want] {
				t.Errorf("%s, said to have %d bytes: %d read, want %d, %v", name, size, len(got), c.want, err)
			}
			if c.limit == 0 {
				_, part := DecodeBytes(got, o, nil)
				if _, whole := DecodeBytes([]byte(c.data), o, nil); fmt.Sprint(part) != fmt.Sprint(whole) {
					t.Errorf("%s: error %v, of the whole file %v", name, part, whole)
				}
			}
		}
	}
	mine := &fs.PathError{Op: "use", Path: "mine", Err: errors.New("broken")}
	if err := Read(strings.NewReader(photo), 0, Options{}, func([]byte) error { return mine }); err != mine {
		t.Errorf("an error of use came back as %v", err)
	}
	for _, whole := range []string{"", photo[:20]} {
		r := &failing{strings.NewReader(whole), mine}
		if err := Read(r, 0, Options{}, func([]byte) error { return nil }); err != mine.Err {
			t.Errorf("after %d bytes: %v, want the cause of the error of reading", len(whole), err)
		}
	}
	if reading.used != 0 {
		t.Errorf("%d bytes count as in use", reading.used)
	}
}

// failing ends with an error.
type failing struct {
	r   *strings.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.r.Len() == 0 {
		return 0, f.err
	}
	return f.r.Read(p)
}

// What a format is told by is read of every file.
func TestLongestMagic(t *testing.T) {
	for _, f := range formats {
		if len(f.magic) > longestMagic {
			t.Errorf("%s is told by %d bytes", f.name, len(f.magic))
		}
	}
	for _, o := range others {
		if len(o.magic) > longestMagic {
			t.Errorf("%s is told by %d bytes", o.format, len(o.magic))
		}
	}
}

func TestDecodeBytes(t *testing.T) {
	data := fixtures(t)["rgb.png"] // 45x37
	m, err := DecodeBytes(data, Options{}, func(m *Image) *Image { return Nearest(m, m.Width+1, 4) })
	if err != nil || m.Width != 46 || m.Height != 4 {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := DecodeBytes(data, Options{}, func(*Image) *Image { return nil }); err != nil || m != nil {
		t.Errorf("dropped: %v, %v", m, err)
	}
	for what, o := range map[string]Options{"pixels": {MaxPixels: 1000}, "bytes": {MaxBytes: 1000}} {
		if _, err := DecodeBytes(data, o, func(*Image) *Image { t.Error("use was called"); return nil }); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("too many %s: %v", what, err)
		}
	}
	if decoding.used != 0 {
		t.Errorf("%d bytes count as taken", decoding.used)
	}
}
