package jpeg_test

import (
	"encoding/csv"
	"fmt"
	"hash/crc32"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/internal/jpeg"
)

// TestCases holds files of unusual kinds, and damaged ones, to what Pillow and OpenCV make
// of them; what Pillow refuses may be refused.
func TestCases(t *testing.T) {
	const cases = "../../../shared/cases/"
	files, _ := filepath.Glob(cases + "jpeg/*.jpg")
	list, err := os.ReadFile(cases + "opencv-only.txt")
	if len(files) == 0 || err != nil {
		t.Skip("no ../shared/cases/jpeg")
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pillow := !strings.Contains(string(list), "jpeg/"+name+"\n")
			m, err := jpeg.Decode(data)
			if err != nil && !pillow {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(file + ".want.png")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want, err := png.Decode(f)
			if err != nil {
				t.Fatal(err)
			}
			if b := want.Bounds(); b.Dx() != m.Width || b.Dy() != m.Height {
				t.Fatalf("%dx%d, want %v", m.Width, m.Height, b)
			}
			off := 0
			for i, v := range m.Pix {
				at := i / 3
				r, g, b, _ := want.At(at%m.Width, at/m.Width).RGBA()
				w := int([3]uint32{r, g, b}[i%3] >> 8)
				off = max(off, int(v)-w, w-int(v))
			}
			if off > 1 || off > 0 && pillow { // OpenCV makes light of ink otherwise
				t.Errorf("off by %d", off)
			}
			h, err := jpeg.ReadHeader(data)
			if err != nil || h.Width != m.Width || h.Height != m.Height {
				t.Errorf("the header says %dx%d, %v", h.Width, h.Height, err)
			}
		})
	}
}

// TestAsPillow holds the files of testdata/make_cases.py to what Pillow makes of them, to
// the bit; and those of testdata/make_random.py in the folder that JPEG_RANDOM names.
func TestAsPillow(t *testing.T) {
	folders := []string{"testdata"}
	if random := os.Getenv("JPEG_RANDOM"); random != "" {
		folders = append(folders, random)
	}
	for _, folder := range folders {
		f, err := os.Open(filepath.Join(folder, "want.csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil || len(rows) < 59 {
			t.Fatal(len(rows), err)
		}
		t.Logf("%s: %d files", folder, len(rows)-1)
		for _, row := range rows[1:] {
			data, err := os.ReadFile(filepath.Join(folder, row[0]))
			if err != nil {
				t.Fatal(err)
			}
			m, err := jpeg.Decode(data)
			if err != nil {
				t.Errorf("%s: %v", row[0], err)
				continue
			}
			got := []string{row[0], fmt.Sprint(m.Width), fmt.Sprint(m.Height), fmt.Sprintf("%08x", crc32.ChecksumIEEE(m.Pix))}
			if !slices.Equal(got, row) {
				t.Errorf("%v, want %v", got, row)
			}
		}
	}
}
