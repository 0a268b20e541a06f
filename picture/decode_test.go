package picture

import (
	"bytes"
	"strings"
	"testing"
)

// TestDecodeAsPillow: all is equal but the rare kinds of JPEG that image/jpeg
// decodes, whose inverse cosine transform is rounded otherwise than libjpeg's.
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
			mean, most := 0.0, 0
			if name == "cmyk.jpg" || name == "411.jpg" { // image/jpeg's transform
				mean, most = 0.1, 2
			}
			if !(d.mean() <= mean) || d.max > most {
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
