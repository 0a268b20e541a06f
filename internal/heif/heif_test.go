package heif

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds are small files of many kinds.
func seeds(t testing.TB) map[string][]byte {
	names, err := filepath.Glob("../../picture/testdata/heif/*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files: %v", err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		if strings.HasSuffix(name, ".png") {
			continue
		}
		if all[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// The header alone tells all that is needed before decoding.
func TestRead(t *testing.T) {
	files := seeds(t)
	for name, want := range map[string]Picture{
		"420.heic":      {Format: "HEIC", Size: image.Pt(67, 45), Orientation: 1},
		"irot1.heic":    {Format: "HEIC", Size: image.Pt(66, 44), Orientation: 8},
		"irot2.heic":    {Format: "HEIC", Size: image.Pt(66, 44), Orientation: 3},
		"imir1.heic":    {Format: "HEIC", Size: image.Pt(66, 44), Orientation: 2},
		"clap.heic":     {Format: "HEIC", Size: image.Pt(40, 20), Orientation: 1},
		"grid.avif":     {Format: "AVIF", Size: image.Pt(128, 64), Orientation: 1},
		"sequence.avif": {Format: "AVIF", Size: image.Pt(64, 64), Orientation: 1},
	} {
		p, err := Read(files[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if p.Format != want.Format || p.Size != want.Size || p.Orientation != want.Orientation {
			t.Errorf("%s: %s of %v, orientation %d", name, p.Format, p.Size, p.Orientation)
		}
	}
	for name, depth := range map[string]int{"10.heic": 10, "444-10.avif": 10, "420.heic": 8, "420.avif": 8} {
		if p, err := Read(files[name]); err != nil || p.colour.depth != depth {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// turned moves a corner of a square as an orientation says: where what is at (x, y), from
// the middle, is seen.
func turned(o int, x, y int) (int, int) {
	switch o {
	case 2:
		return -x, y
	case 3:
		return -x, -y
	case 4:
		return x, -y
	case 5:
		return y, x
	case 6:
		return -y, x
	case 7:
		return -y, -x
	case 8:
		return y, -x
	}
	return x, y
}

// Orientations follow each other as turning the picture twice does.
func TestOrientations(t *testing.T) {
	for o := 1; o <= 8; o++ {
		x, y := turned(o, 1, 3)
		for _, then := range []struct{ next, by int }{{turns[o], 8}, {mirrors[o], 2}} {
			wantX, wantY := turned(then.by, x, y)
			if gotX, gotY := turned(then.next, 1, 3); gotX != wantX || gotY != wantY {
				t.Errorf("%d and then %d is %d", o, then.by, then.next)
			}
		}
	}
}

// A cut after a turn cuts what is seen then.
func TestCutWhenTurned(t *testing.T) {
	cut := box{"clap", []byte("\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01")}
	for turn := range byte(4) {
		p := Picture{colour: layer{size: image.Pt(12, 12)}}
		if err := p.arrange([]box{{"irot", []byte{turn}}, cut}); err != nil {
			t.Fatal(err)
		}
		// Of what is seen, columns 4 to 7 and rows 4 to 9.
		want := []image.Rectangle{image.Rect(4, 4, 8, 10), image.Rect(2, 4, 8, 8), image.Rect(4, 2, 8, 8), image.Rect(4, 4, 10, 8)}[turn]
		if p.cut != want {
			t.Errorf("turned %d times: %v, want %v", turn, p.cut, want)
		}
	}
}

// Reading ends soon and without a panic, whatever a file holds; and what it says can be
// asked for.
func FuzzRead(f *testing.F) {
	for _, data := range seeds(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(data)
		if err != nil {
			return
		}
		if p.Size.X <= 0 || p.Size.Y <= 0 || p.Need() <= 0 || p.Orientation < 1 || p.Orientation > 8 {
			t.Fatalf("%+v", p)
		}
		for _, l := range []*layer{&p.colour, p.alpha} {
			if l == nil {
				continue
			}
			for i := range l.tiles {
				if made, err := l.files(i); err == nil && len(made) > 3*len(data)+64<<20 {
					t.Fatalf("%d bytes of %d", len(made), len(data))
				}
			}
		}
	})
}
