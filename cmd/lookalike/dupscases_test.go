package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	imagedraw "image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/sample"
)

// foundIn runs dups on a folder and returns its groups, each as the paths of its pictures
// in order.
func foundIn(t *testing.T, dir string) [][]string {
	t.Helper()
	var d dupsFound
	if err := json.Unmarshal([]byte(printed(t, "dups", dir, "--json", "--quiet")), &d); err != nil {
		t.Fatal(err)
	}
	groups := [][]string{}
	for _, g := range d.Groups {
		paths := []string{g.Best.Path}
		for _, o := range g.Others {
			paths = append(paths, o.Path)
		}
		slices.Sort(paths)
		groups = append(groups, paths)
	}
	return groups
}

// Different pictures are not called the same, by dups nor by compare: files made after
// reports of other programs.
func TestDupsCases(t *testing.T) {
	const cases = "../../../shared/cases/dups"
	if _, err := os.Stat(cases); err != nil {
		t.Skip("needs " + cases)
	}
	t.Setenv("LOOKALIKE_CACHE", t.TempDir())
	folders, err := os.ReadDir(cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		want := [][]string{}
		switch f.Name() {
		case "animated":
			want = [][]string{{"still-large.jpg", "still.png"}}
		case "hidden-colours": // on white two are the same as the others, not on dark ground
			want = [][]string{{"flattened-on-white.jpg", "flattened-on-white.png"}, {"under-black.png", "under-noise.png", "under-white.png"}}
		case "kinds":
			want = [][]string{nil}
			for _, end := range []string{".bmp", ".gif", ".jpg", ".png", ".tiff", ".webp", "16.png", "a.png"} {
				want[0] = append(want[0], "gray"+end)
			}
			want[0] = append(want[0], "palette.png", "rgb.png", "rgba.png")
			slices.Sort(want[0])
		}
		if got := foundIn(t, filepath.Join(cases, f.Name())); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", f.Name(), got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"lineart/circle.png", "lineart/cross.png", false}, {"lineart-white/circle.png", "lineart-white/text.png", false},
		{"lineart/circle.png", "lineart-white/circle.png", false}, {"hidden-colours/under-black.png", "hidden-colours/under-noise.png", true},
		{"blank/00-255-255-255.png", "blank/03-0-0-0.png", false}, {"blank/00-255-255-255.png", "blank/01-254-254-254.png", false},
		{"halves/half0.png", "halves/half1.png", false}, {"animated/a.gif", "animated/b.gif", false}, {"animated/c.png", "animated/still.png", false},
		{"animated/a.gif", "animated/a.gif", true}, {"raw/DSC_0001.JPG", "raw/DSC_0001.NEF", false}, {"kinds/gray.bmp", "kinds/gray.jpg", true},
	} {
		status := 1
		if c.same {
			status = 0
		}
		if r := compareJSON(t, status, filepath.Join(cases, c.a), filepath.Join(cases, c.b)); r.Same != c.same {
			t.Errorf("%s and %s: %+v", c.a, c.b, r)
		}
	}
}

// rawFile is a TIFF file whose first directory is a picture for a glance, and whose second
// one, below it, holds values under colour filters.
func rawFile(m *image.NRGBA) []byte {
	le := binary.LittleEndian
	w, h := uint32(m.Rect.Dx()), uint32(m.Rect.Dy())
	entries := [][4]uint32{{254, 4, 1, 1}, {256, 4, 1, w}, {257, 4, 1, h}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 1}, {273, 4, 1, 0}, {278, 4, 1, h}, {279, 4, 1, w * h}, {330, 4, 1, 0}}
	below := uint32(8 + 2 + 12*len(entries) + 4)
	pixels := below + 2 + 12 + 4
	entries[6][3], entries[9][3] = pixels, below
	b := le.AppendUint32([]byte("II*\x00"), 8)
	directory := func(entries [][4]uint32) {
		b = le.AppendUint16(b, uint16(len(entries)))
		for _, e := range entries {
			b = le.AppendUint16(le.AppendUint16(b, uint16(e[0])), uint16(e[1]))
			b = le.AppendUint32(le.AppendUint32(b, e[2]), e[3])
		}
		b = le.AppendUint32(b, 0)
	}
	directory(entries)
	directory([][4]uint32{{262, 3, 1, 32803}})
	for i := 0; i < len(m.Pix); i += 4 {
		b = append(b, m.Pix[i])
	}
	return b
}

// More of each kind, made here.
func TestDupsKinds(t *testing.T) {
	t.Setenv("LOOKALIKE_CACHE", t.TempDir())
	dir := t.TempDir()
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	encoded := func(encode func(*bytes.Buffer) error) []byte {
		t.Helper()
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asPNG := func(m image.Image) []byte { return encoded(func(b *bytes.Buffer) error { return png.Encode(b, m) }) }
	want := map[string][][]string{}

	// Signs of a pen on transparent ground, of several colours under it.
	for i, under := range []color.NRGBA{{0, 0, 0, 0}, {255, 255, 255, 0}, {9, 200, 90, 0}} {
		for k := range 4 {
			m := image.NewNRGBA(image.Rect(0, 0, 128, 128))
			pen := color.NRGBA{under.R, under.G, under.B, 255}
			imagedraw.Draw(m, m.Rect, image.NewUniform(under), image.Point{}, imagedraw.Src)
			for x := range 100 {
				for w := range 5 {
					m.SetNRGBA(14+x, 14+[]int{x, 99 - x, 50, x / 2}[k]+w, pen)
					m.SetNRGBA(14+[]int{x, 10, 99 - x, 70}[k]+w, 14+x, pen)
				}
			}
			write(fmt.Sprintf("signs/%d-%d.png", i, k), asPNG(m))
		}
	}
	want["signs"] = [][]string{}

	// Lens caps, snow and one colour.
	for i, v := range []int{0, 3, 60, 128, 235, 250, 255} {
		m := image.NewNRGBA(image.Rect(0, 0, 200, 150))
		for k := 0; k < len(m.Pix); k += 4 {
			x := uint8(min(max(v+(k*7919/4%5)-2, 0), 255))
			m.Pix[k], m.Pix[k+1], m.Pix[k+2], m.Pix[k+3] = x, x, x, 255
		}
		write(fmt.Sprintf("caps/%d.png", i), asPNG(m))
		imagedraw.Draw(m, m.Rect, image.NewUniform(color.Gray{uint8(v)}), image.Point{}, imagedraw.Src)
		write(fmt.Sprintf("caps/flat-%d.png", i), asPNG(m))
		write(fmt.Sprintf("caps/flat-%d.jpg", i), encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) }))
	}
	want["caps"] = nil // only what has equal pixels, see below

	// A raw file, and animations behind one first frame.
	var photo *image.NRGBA
	var frames []*image.Paletted
	for p := range sample.Gallery(3, 1, 160) {
		m := image.NewPaletted(image.Rect(0, 0, 160, 160), palette.Plan9)
		imagedraw.FloydSteinberg.Draw(m, m.Rect, p.Image, image.Point{})
		if frames = append(frames, m); photo == nil {
			photo = image.NewNRGBA(m.Rect)
			imagedraw.Draw(photo, m.Rect, p.Image, image.Point{}, imagedraw.Src)
			for k := 0; k < len(photo.Pix); k += 4 {
				photo.Pix[k+1], photo.Pix[k+2] = photo.Pix[k], photo.Pix[k]
			}
		}
	}
	write("raw/a.NEF", rawFile(photo))
	write("raw/a.jpg", encoded(func(b *bytes.Buffer) error { return jpeg.Encode(b, photo, nil) }))
	write("raw/b.NEF", rawFile(photo))
	want["raw"] = [][]string{{"a.NEF", "b.NEF"}}
	film := func(of ...*image.Paletted) []byte {
		return encoded(func(b *bytes.Buffer) error { return gif.EncodeAll(b, &gif.GIF{Image: of, Delay: make([]int, len(of))}) })
	}
	write("films/a.gif", film(frames[0], frames[1]))
	write("films/again.gif", film(frames[0], frames[1]))
	write("films/b.gif", film(frames[0], frames[2]))
	write("films/still.gif", film(frames[0]))
	write("films/still.png", asPNG(frames[0]))
	want["films"] = [][]string{{"a.gif", "again.gif"}, {"still.gif", "still.png"}}

	for name, groups := range want {
		got := foundIn(t, filepath.Join(dir, name))
		if name == "caps" { // one colour and its JPEG file have equal pixels, if anything
			stem := func(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }
			for _, g := range got {
				for _, path := range g {
					if stem(path) != stem(g[0]) {
						t.Errorf("caps: %v", g)
					}
				}
			}
			continue
		}
		if fmt.Sprint(got) != fmt.Sprint(groups) {
			t.Errorf("%s: %v, want %v", name, got, groups)
		}
	}

	// What is put away is what is the same, and hard links take no space.
	write("links/a.png", asPNG(frames[0]))
	if err := os.Link(filepath.Join(dir, "links", "a.png"), filepath.Join(dir, "links", "b.png")); err != nil {
		t.Skip("no hard links: ", err)
	}
	out, err := exec.Command("lookalike", "dups", filepath.Join(dir, "links"), "--quiet").Output()
	if err != nil || !strings.Contains(string(out), "1 group with 1 duplicate of 0 B") || !strings.Contains(string(out), "\nlink ") {
		t.Errorf("%v: %s", err, out)
	}
}
