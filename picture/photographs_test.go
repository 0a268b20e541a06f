package picture

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// photographs returns the folder of photographs beside the project, and their paths below
// it.
func photographs(t testing.TB) (dir string, paths []string) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "caltech101")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no photographs: ../shared/caltech101 is not beside the project")
	}
	paths, err = fs.Glob(os.DirFS(dir), "*/*")
	if err != nil {
		t.Fatal(err)
	}
	return dir, paths
}

// TestPhotographs holds decoding against Pillow on a few photographs, by the sum
// of all values and every 997th value (testdata/photographs.csv).
func TestPhotographs(t *testing.T) {
	dir, _ := photographs(t)
	f, err := os.Open("testdata/photographs.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		m, err := File(filepath.Join(dir, row[0]), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strconv.Itoa(m.Width) + "x" + strconv.Itoa(m.Height); got != row[1]+"x"+row[2] {
			t.Fatalf("%s: %s, want %sx%s", row[0], got, row[1], row[2])
		}
		var sum int
		var sample []uint8
		for i, v := range m.Pix {
			sum += int(v)
			if i%997 == 0 {
				sample = append(sample, v)
			}
		}
		wantSum, err := strconv.Atoi(row[3])
		if err != nil {
			t.Fatal(err)
		}
		want, err := hex.DecodeString(row[4])
		if err != nil || len(want) != len(sample) {
			t.Fatal("testdata/photographs.csv is damaged", err)
		}
		var d difference
		d.add(sample, want)
		if sum != wantSum || d.max > 0 {
			t.Errorf("%s: sum %d, Pillow's %d; sample off by %.4f on average, %d at most", row[0], sum, wantSum, d.mean(), d.max)
		}
	}
}

// TestEveryPhotograph holds decoding against Pillow over all photographs. The
// reference is too large to commit: testdata/make_reference.py writes it into
// the folder that PICTURE_REFERENCE names.
func TestEveryPhotograph(t *testing.T) {
	reference := os.Getenv("PICTURE_REFERENCE")
	if reference == "" {
		t.Skip("PICTURE_REFERENCE is not set: see testdata/make_reference.py")
	}
	dir, paths := photographs(t)
	var all difference
	for _, path := range paths {
		m, err := File(filepath.Join(dir, filepath.FromSlash(path)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(reference, filepath.FromSlash(path)+".rgb"))
		if err != nil {
			t.Fatal(err)
		}
		w, h := binary.LittleEndian.Uint32(want), binary.LittleEndian.Uint32(want[4:])
		if m.Width != int(w) || m.Height != int(h) {
			t.Errorf("%s: %dx%d, Pillow %dx%d", path, m.Width, m.Height, w, h)
			continue
		}
		var one difference
		one.add(m.Pix, want[8:])
		if one.max > 0 {
			t.Errorf("%s: off by %.4f on average, %d at most", path, one.mean(), one.max)
		}
		all.n, all.max = all.n+one.n, max(all.max, one.max)
	}
	t.Logf("%d photographs, %d values, off by at most %d", len(paths), all.n, all.max)
}

// BenchmarkDecode compares a photograph's way to RGB with image/jpeg's share of
// it, planes only.
func BenchmarkDecode(b *testing.B) {
	dir, paths := photographs(b)
	const some = 64
	var files [][]byte
	for k := range some {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(paths[k*len(paths)/some])))
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, data)
	}
	run := func(name string, decode func(data []byte) error) {
		b.Run("to="+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := decode(files[i%len(files)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("planes", func(data []byte) error {
		_, err := jpeg.Decode(bytes.NewReader(data))
		return err
	})
	run("RGB", func(data []byte) error {
		_, err := Decode(bytes.NewReader(data), Options{})
		return err
	})
	run("RGB224", func(data []byte) error {
		m, err := Decode(bytes.NewReader(data), Options{})
		if err == nil {
			Bilinear(m, 224, 224)
		}
		return err
	})
}
