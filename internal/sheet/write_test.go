package sheet

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	img := Contact([]Cell{{Image: plain(30, 20, color.RGBA{200, 30, 30, 255}), Title: "title"}}, Options{})
	for name, format := range map[string]string{"a.png": "png", "a.jpg": "jpeg", "a.jpeg": "jpeg", "A.PNG": "png", "b.c.JPG": "jpeg"} {
		path := filepath.Join(dir, name)
		if err := Write(path, img); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, as, err := image.Decode(f)
		f.Close()
		if err != nil || as != format || got.Bounds() != img.Bounds() {
			t.Errorf("%s: read back as %s, %v", name, as, err)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	for _, c := range []struct {
		path string
		img  image.Image
		want string
	}{
		{filepath.Join(dir, "a.gif"), img, ".png, .jpg or .jpeg"},
		{filepath.Join(dir, "a"), img, ".png, .jpg or .jpeg"},
		{filepath.Join(dir, "missing", "a.png"), img, "no such file"},
		{filepath.Join(dir, "a.jpg"), image.NewGray(image.Rect(0, 0, 70000, 1)), "write .png instead"},
		{filepath.Join(dir, "a.png"), image.NewGray(image.Rectangle{}), "invalid"},
	} {
		err := Write(c.path, c.img)
		if err == nil || !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v must name the path and say %q", c.path, err, c.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
