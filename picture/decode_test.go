package picture

import (
	"bytes"
	"strings"
	"testing"
)

func TestDecodeAsPillow(t *testing.T) {
	want := pictures(t, "testdata/decode.npz")
	for name, data := range fixtures(t) {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(bytes.NewReader(data), Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := want[name]
			if got.Width != want.Width || got.Height != want.Height {
				t.Fatalf("%dx%d, want %dx%d", got.Width, got.Height, want.Width, want.Height)
			}
			var d difference
			d.add(got.Pix, want.Pix)
			if d.max > 0 {
				t.Errorf("off by %.4f on average, %d at most", d.mean(), d.max)
			}
		})
	}
}

func TestFile(t *testing.T) {
	if m, err := File("testdata/decode/rgb.png", Options{}); err != nil || m.Width != 45 {
		t.Errorf("%v, %v", m, err)
	}
	for _, path := range []string{"decode_test.go", "absent", "testdata"} {
		if _, err := File(path, Options{}); err == nil || strings.Count(err.Error(), path) != 1 {
			t.Errorf("error %v does not name %s once", err, path)
		}
	}
}
