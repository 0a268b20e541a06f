package picture

import (
	"encoding/csv"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"strings"
	"testing"
)

var resizers = map[string]func(m *Image, width, height int) *Image{"bilinear": Bilinear, "nearest": Nearest}

// TestResizeAsOpenCVAndPillow compares every pixel of small pictures.
func TestResizeAsOpenCVAndPillow(t *testing.T) {
	all := pictures(t, "testdata/resize.npz")
	for name, want := range all {
		from, kind, ok := strings.Cut(name, "-")
		if !ok {
			continue // a source
		}
		kind, _, _ = strings.Cut(kind, "-")
		got := resizers[kind](all[from], want.Width, want.Height)
		if !equal(got, want) {
			t.Errorf("%s:\n got %v\nwant %v", name, got.Pix, want.Pix)
		}
	}
}

// TestResizeManySizes compares checksums over sizes up and down, among them the
// exact halves that OpenCV computes in another way.
func TestResizeManySizes(t *testing.T) {
	f, err := os.Open("testdata/resize.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		var v [6]int
		for i, s := range row {
			if v[i], err = strconv.Atoi(s); err != nil {
				t.Fatal(err)
			}
		}
		m := noise(v[0], v[1])
		for i, kind := range []string{"bilinear", "nearest"} {
			got := resizers[kind](m, v[2], v[3])
			if got.Width != v[2] || got.Height != v[3] {
				t.Fatalf("%s to %dx%d gave %dx%d", kind, v[2], v[3], got.Width, got.Height)
			}
			if sum := crc32.ChecksumIEEE(got.Pix); int(sum) != v[4+i] {
				t.Errorf("%s %dx%d to %dx%d: checksum %d, want %d", kind, v[0], v[1], v[2], v[3], sum, v[4+i])
			}
		}
	}
}

// noise is the generator of testdata/make_fixtures.py.
func noise(w, h int) *Image {
	m := New(w, h)
	state := uint32(w)*65536 + uint32(h)
	for i := range m.Pix {
		state = state*1664525 + 1013904223
		m.Pix[i] = uint8(state >> 24)
	}
	return m
}

func TestResizeMisuse(t *testing.T) {
	for kind, resize := range resizers {
		func() {
			defer func() {
				got := fmt.Sprint(recover())
				if !strings.Contains(got, "3x2") || !strings.Contains(got, "0x5") {
					t.Errorf("%s: panic %q names no sizes", kind, got)
				}
			}()
			resize(New(3, 2), 0, 5)
		}()
	}
}

func BenchmarkResize(b *testing.B) {
	m := noise(300, 200)
	for kind, resize := range resizers {
		b.Run("kind="+kind, func(b *testing.B) {
			for b.Loop() {
				resize(m, 224, 224)
			}
		})
	}
}
