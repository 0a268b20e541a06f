//go:build !noheif && !js && !wasip1

package picture_test

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/picture/heif"
)

// This binary is the program that decodes, too.
func TestMain(m *testing.M) {
	heif.Main()
	os.Exit(m.Run())
}

func heifFiles(t *testing.T) []string {
	all, err := filepath.Glob("testdata/heif/*")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range all {
		if !strings.HasSuffix(name, ".png") {
			files = append(files, name)
		}
	}
	if len(files) < 18 {
		t.Fatalf("%d files", len(files))
	}
	return files
}

// Pixels of HEIC and AVIF are those of libheif and libavif, within 2 levels: their
// conversions round in several ways.
func TestHEIF(t *testing.T) {
	for _, name := range heifFiles(t) {
		m, err := picture.File(name, picture.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		f, err := os.Open(name + ".png")
		if err != nil {
			t.Fatal(err)
		}
		want, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		compareHEIF(t, name, m, picture.FromImage(want))
	}
}

func compareHEIF(t *testing.T, name string, m, want *picture.Image) {
	if m.Width != want.Width || m.Height != want.Height || (m.Alpha == nil) != (want.Alpha == nil) {
		t.Errorf("%s: %d x %d, alpha %v; want %d x %d, alpha %v", name, m.Width, m.Height, m.Alpha != nil, want.Width, want.Height, want.Alpha != nil)
		return
	}
	worst := 0
	for i, v := range want.Pix {
		if want.Alpha == nil || want.Alpha[i/3] > 0 {
			worst = max(worst, int(v)-int(m.Pix[i]), int(m.Pix[i])-int(v))
		}
	}
	alpha := 0
	for i, v := range want.Alpha {
		alpha = max(alpha, int(v)-int(m.Alpha[i]), int(m.Alpha[i])-int(v))
	}
	if worst > 2 || alpha > 2 {
		t.Errorf("%s: values are up to %d away, alpha %d", name, worst, alpha)
	}
}

// A picture is stored as it is when nobody wants it upright.
func TestHEIFAsStored(t *testing.T) {
	m, err := picture.File("testdata/heif/irot1.heic", picture.Options{IgnoreOrientation: true})
	if err != nil || m.Width != 66 || m.Height != 44 {
		t.Errorf("%v, %v", m, err)
	}
}

// Many goroutines share a few processes.
func TestHEIFAtOnce(t *testing.T) {
	files := heifFiles(t)
	want := map[string]string{}
	for _, name := range files {
		m, err := picture.File(name, picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want[name] = string(m.Pix)
	}
	var wait sync.WaitGroup
	for range 4 {
		for _, name := range files {
			wait.Go(func() {
				if m, err := picture.File(name, picture.Options{}); err != nil || string(m.Pix) != want[name] {
					t.Errorf("%s: other pixels, %v", name, err)
				}
			})
		}
	}
	wait.Wait()
}

// What is over a limit is refused by the header alone.
func TestHEIFLimits(t *testing.T) {
	data, err := os.ReadFile("testdata/heif/420.heic")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := picture.DecodeBytes(data, picture.Options{MaxPixels: 67*45 - 1}, nil); err == nil || !strings.Contains(err.Error(), "67 x 45 pixels are over the limit") {
		t.Errorf("error %v", err)
	}
	// The header of the file, and that of HEVC, lie.
	for _, side := range []string{"ispe", "hvcC"} {
		broken := []byte(strings.Replace(string(data), side, side[:3]+"X", 1))
		if m, err := picture.DecodeBytes(broken, picture.Options{}, nil); err == nil {
			t.Errorf("without %s: %v", side, image.Pt(m.Width, m.Height))
		}
	}
}

// Damage is an error or other pixels, and the next picture is decoded as before.
func TestHEIFDamage(t *testing.T) {
	for _, name := range []string{"testdata/heif/420.heic", "testdata/heif/alpha.avif", "testdata/heif/alpha.heic"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, err := picture.DecodeBytes(data, picture.Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		step := sweeptest.Cases(301, 61, 1) // for each, the codecs run twice
		for at := 0; at < len(data); at += step {
			broken := append([]byte(nil), data...)
			broken[at] ^= 1 << (at % 8)
			picture.DecodeBytes(broken, picture.Options{}, nil)
			picture.DecodeBytes(data[:at], picture.Options{}, nil)
		}
		after, err := picture.DecodeBytes(data, picture.Options{}, nil)
		if err != nil || string(after.Pix) != string(before.Pix) {
			t.Errorf("%s: other pixels after damaged files, %v", name, err)
		}
	}
}
