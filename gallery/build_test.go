package gallery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/tensor"
)

// pixels describes pictures by a pixel and notes how many it is given at a time.
type pixels struct {
	batches []int
}

// describer shrinks pictures to one pixel, whose channels are the vector.
func (b *pixels) describer() gallery.Describer {
	return gallery.Describer{
		Recipe:  gallery.Recipe{Model: "pixel", WeightsFile: "none"},
		Prepare: func(m *picture.Image) *picture.Image { return picture.Nearest(m, 1, 1) },
		Describe: func(batch []*picture.Image) *tensor.Tensor {
			b.batches = append(b.batches, len(batch))
			v := tensor.New(len(batch), 3)
			for i, p := range batch {
				for c := range 3 {
					v.Row(i)[c] = float32(p.Pix[c])
				}
			}
			return v
		},
	}
}

// plain returns a PNG file of one colour.
func plain(t *testing.T, width, height int, c color.RGBA) *fstest.MapFile {
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

func folder(t *testing.T, files fstest.MapFS) *picture.Set {
	t.Helper()
	set, err := picture.Folder(files, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Every picture has its own vector and size, in the order of the paths, though
// some files are no pictures and batches end where they do.
func TestBuild(t *testing.T) {
	files := fstest.MapFS{}
	var paths []string
	for i := range 75 {
		path := fmt.Sprintf("%c/%02d.png", 'a'+i/40, i)
		paths = append(paths, path)
		files[path] = plain(t, 1+i%7, 2+i%5, color.RGBA{R: uint8(i), G: 7, B: uint8(255 - i)})
	}
	files["a/notes.txt"] = &fstest.MapFile{Data: []byte("not a picture")}
	files["b/50.png"] = &fstest.MapFile{Data: files["b/50.png"].Data[:40]}

	var b pixels
	var told []int
	g, skips, err := gallery.Build(t.Context(), folder(t, files), "/photos", b.describer(), func(n int) { told = append(told, n) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{32, 32, 10}; !slices.Equal(b.batches, want) {
		t.Errorf("batches of %v, want %v", b.batches, want)
	}
	for i, n := range told {
		if n != i+1 {
			t.Fatalf("told of %v", told)
		}
	}
	if len(told) != len(files) {
		t.Errorf("told of %d files, there are %d", len(told), len(files))
	}
	if len(skips) != 2 || skips[0].Path != "a/notes.txt" || skips[1].Path != "b/50.png" || strings.Contains(skips[1].Reason.Error(), "50.png") {
		t.Errorf("skipped %v", skips)
	}
	if g.Root != "/photos" || g.Recipe.Model != "pixel" || len(g.Entries) != 74 {
		t.Fatalf("root %q, recipe %v, %d entries", g.Root, g.Recipe, len(g.Entries))
	}
	row := 0
	for i, path := range paths {
		if i == 50 {
			continue
		}
		want := gallery.Entry{Path: path, Label: path[:1], Width: 1 + i%7, Height: 2 + i%5}
		if got := g.Entries[row]; got != want {
			t.Errorf("entry %d is %v, want %v", row, got, want)
		}
		if got, want := g.Vectors.Row(row), []float32{float32(i), 7, float32(255 - i)}; !slices.Equal(got, want) {
			t.Errorf("vector %d is %v, want %v", row, got, want)
		}
		row++
	}
	if err := g.Save(t.TempDir() + "/photos.idx"); err != nil {
		t.Error(err)
	}
}

// Sizes are those of the picture set upright, also where Prepare has nothing to
// do.
func TestBuildUpright(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 24, 16)), nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + // big endian, one entry:
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // orientation 6
		"\x00\x00\x00\x00"
	turned := slices.Concat(b.Bytes()[:2], []byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, []byte(exif), b.Bytes()[2:])
	d := new(pixels).describer()
	d.Prepare = func(m *picture.Image) *picture.Image { return m }
	g, skips, err := gallery.Build(t.Context(), folder(t, fstest.MapFS{"turned.jpg": {Data: turned}}), "", d, nil)
	if err != nil || len(skips) > 0 {
		t.Fatal(err, skips)
	}
	if want := (gallery.Entry{Path: "turned.jpg", Width: 16, Height: 24}); g.Entries[0] != want {
		t.Errorf("entry %v, want %v", g.Entries[0], want)
	}
}

func TestBuildErrors(t *testing.T) {
	good := fstest.MapFS{"a.png": plain(t, 2, 2, color.RGBA{}), "b.png": plain(t, 2, 2, color.RGBA{})}

	t.Run("nothing usable", func(t *testing.T) {
		bad := fstest.MapFS{"a.png": {Data: []byte("x")}, "b.png": {}}
		_, skips, err := gallery.Build(t.Context(), folder(t, bad), "photos", new(pixels).describer(), nil)
		if err == nil || !strings.Contains(err.Error(), "photos") || len(skips) != 2 {
			t.Errorf("error %v, skipped %v", err, skips)
		}
	})
	t.Run("no files", func(t *testing.T) {
		if _, _, err := gallery.Build(t.Context(), folder(t, fstest.MapFS{}), "photos", new(pixels).describer(), nil); err == nil {
			t.Error("no error")
		}
	})
	t.Run("stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := gallery.Build(ctx, folder(t, good), "photos", new(pixels).describer(), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("not a number", func(t *testing.T) {
		d := new(pixels).describer()
		d.Describe = func(batch []*picture.Image) *tensor.Tensor {
			v := tensor.New(len(batch), 3)
			v.Row(1)[2] = float32(math.NaN())
			return v
		}
		_, _, err := gallery.Build(t.Context(), folder(t, good), "photos", d, nil)
		if err == nil || !strings.Contains(err.Error(), "b.png") || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("error %v", err)
		}
	})
}
