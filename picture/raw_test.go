package picture

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// A camera's raw file shows the JPEG inside, upright, and is named.
func TestRaw(t *testing.T) {
	inside := fixtures(t)["upright-6.jpg"]
	want, err := DecodeBytes(inside, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := slices.Concat([]byte("FUJIFILMCCD-RAW 0201"), inside, []byte("what the sensor saw"))
	got, err := Decode(bytes.NewReader(file), Options{})
	if err != nil || got.Width != want.Width || !bytes.Equal(got.Pix, want.Pix) {
		t.Errorf("%v", err)
	}
	if _, err := DecodeBytes(file, Options{MaxPixels: 1}, nil); err == nil || !strings.HasPrefix(err.Error(), "RAF (camera raw): ") {
		t.Errorf("error %v", err)
	}
}
