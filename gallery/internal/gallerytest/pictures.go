package gallerytest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// Pixels describes pictures by a pixel, whose channels are the vector, and notes how many
// it is given at a time.
type Pixels struct {
	Batches []int
}

// Recipe says how Pixels describes pictures.
func (b *Pixels) Recipe() gallery.Recipe {
	return gallery.Recipe{Model: "pixel", WeightsFile: "none"}
}

// Width is how many values Describe makes of a picture.
func (b *Pixels) Width() int { return 3 }

// Prepare shrinks a picture to one pixel.
func (b *Pixels) Prepare(m *picture.Image) *picture.Image { return picture.Nearest(m, 1, 1) }

// Describe returns the vectors of prepared pictures.
func (b *Pixels) Describe(_ context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
	b.Batches = append(b.Batches, len(batch))
	v := tensor.New(len(batch), 3)
	for i, p := range batch {
		for c := range 3 {
			v.Row(i)[c] = float32(p.Pix[c])
		}
	}
	return v, nil
}

// Plain returns a PNG file of one colour.
func Plain(t testing.TB, width, height int, c color.RGBA) *fstest.MapFile {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		copy(m.Pix[4*i:], []uint8{c.R, c.G, c.B, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// Colours are files of one colour each; times are a second apart.
func Colours(t testing.TB, n int) fstest.MapFS {
	files := fstest.MapFS{}
	for i := range n {
		f := Plain(t, 1+i%4, 1, color.RGBA{R: uint8(i), G: uint8(i / 256)})
		f.ModTime = time.Unix(int64(i+1), 0)
		files[fmt.Sprintf("%c/%03d.png", 'a'+i%3, i)] = f
	}
	return files
}

// Folder returns the pictures of some files.
func Folder(t testing.TB, files fstest.MapFS) *album.Set {
	t.Helper()
	set, err := album.Folder(files, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// OnlyIndex makes sure that the folder of the index photos.idx holds nothing else, but
// for the photographs.
func OnlyIndex(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "photos" && e.Name() != "photos.idx" {
			t.Errorf("%s is left", e.Name())
		}
	}
}
