package picture

import (
	"bytes"
	"path"
	"strings"
	"testing"
)

// TestDecodeAsPillow: all but JPEG is equal. A JPEG may be off by what its
// inverse cosine transform is rounded differently in image/jpeg and in
// libjpeg-turbo; in "flat-" files that transform is exact, and so is the rest.
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
			if path.Ext(name) == ".jpg" && !strings.HasPrefix(name, "flat-") {
				mean, most = 0.2, 3
			}
			if !(d.mean() <= mean) || d.max > most {
				t.Errorf("off by %.4f on average, %d at most", d.mean(), d.max)
			}
		})
	}
}
