package picture

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pictures reads an npz file of uint8 arrays [height, width, 3], as
// testdata/make_fixtures.py writes it.
func pictures(t testing.TB, path string) map[string]*Image {
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string]*Image{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		end := 10 + int(binary.LittleEndian.Uint16(data[8:]))
		_, shape, _ := strings.Cut(string(data[10:end]), "'shape': ")
		m := &Image{Pix: data[end:]}
		if _, err := fmt.Sscanf(shape, "(%d, %d, 3)", &m.Height, &m.Width); err != nil || len(m.Pix) != 3*m.Width*m.Height {
			t.Fatalf("%s: %s has shape %s", path, f.Name, shape)
		}
		out[strings.TrimSuffix(f.Name, ".npy")] = m
	}
	return out
}

// fixtures returns the encoded pictures of testdata/decode by name.
func fixtures(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/decode/*")
	if err != nil || len(paths) == 0 {
		t.Fatal("no testdata/decode", err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(p)] = data
	}
	return out
}

// difference gathers absolute differences of pixel values.
type difference struct{ sum, n, max int }

func (d *difference) add(got, want []uint8) {
	for i := range want {
		v := int(got[i]) - int(want[i])
		v = max(v, -v)
		d.sum += v
		d.max = max(d.max, v)
	}
	d.n += len(want)
}

func (d *difference) mean() float64 { return float64(d.sum) / float64(d.n) }

func equal(a, b *Image) bool {
	return a.Width == b.Width && a.Height == b.Height && bytes.Equal(a.Pix, b.Pix)
}
