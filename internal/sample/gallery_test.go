package sample

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/crc32"
	"image"
	"slices"
	"strings"
	"testing"
)

func TestGalleryIsLabelledAndComplete(t *testing.T) {
	const perClass = 3
	var got []string
	for p := range Gallery(1, perClass, 24) {
		if p.Image.Rect != image.Rect(0, 0, 24, 24) || p.Image.Stride != 4*24 {
			t.Errorf("%s: picture %v, stride %d", p.Name, p.Image.Rect, p.Image.Stride)
		}
		for i := 3; i < len(p.Image.Pix); i += 4 {
			if p.Image.Pix[i] != 255 {
				t.Errorf("%s: pixel %d is not opaque", p.Name, i/4)
				break
			}
		}
		got = append(got, p.Class+"/"+p.Name)
	}
	var want []string
	for _, class := range Classes() {
		for n := range perClass {
			want = append(want, fmt.Sprintf("%s/%s-%02d", class, class, n+1))
		}
	}
	if len(Classes()) != 10 || !slices.Equal(got, want) {
		t.Errorf("gallery has\n%s\nwant\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

func TestAnySize(t *testing.T) {
	for _, size := range []int{1, 2, 3, 7, 33, 513} {
		members := 4
		if size > 512 {
			members = 1
		}
		for p := range Gallery(uint64(size), members, size) {
			if p.Image.Rect.Dx() != size || p.Image.Rect.Dy() != size {
				t.Errorf("%s: %v, want %d x %d", p.Name, p.Image.Rect, size, size)
			}
		}
	}
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "sample.Gallery") {
			t.Errorf("size 0: panic %q must name the operation", r)
		}
	}()
	Gallery(1, 1, 0)
}

func TestNoneAndEarlyStop(t *testing.T) {
	for p := range Gallery(1, 0, 8) {
		t.Errorf("a gallery of none holds %s", p.Name)
	}
	n := 0
	for range Gallery(1, 2, 8) {
		if n++; n == 3 {
			break
		}
	}
}

func TestAPictureDependsOnItsOwnNumberOnly(t *testing.T) {
	one := make(map[string][]byte)
	for p := range Gallery(5, 2, 32) {
		one[p.Name] = p.Image.Pix
	}
	for p := range Gallery(5, 3, 32) {
		if want, ok := one[p.Name]; ok && !bytes.Equal(want, p.Image.Pix) {
			t.Errorf("%s differs between two galleries of one seed", p.Name)
		}
	}
	for p := range Gallery(6, 2, 32) {
		if bytes.Equal(one[p.Name], p.Image.Pix) {
			t.Errorf("%s is the same for two seeds", p.Name)
		}
	}
}

// TestSameOnEveryMachine pins the pixels. Run it where multiplications and
// additions are fused, too: on arm64, or on amd64 with GOAMD64=v3. Whoever
// changes a scene on purpose, or updates x/image, puts the new sum here.
func TestSameOnEveryMachine(t *testing.T) {
	const want = 0x74492302
	sum := crc32.NewIEEE()
	for p := range Gallery(1, 6, 96) {
		sum.Write(p.Image.Pix)
	}
	if got := sum.Sum32(); got != want {
		t.Errorf("the pixels' CRC-32 is %#08x, want %#08x", got, want)
	}
}

// TestSearchIsNeitherTrivialNorHopeless looks for each picture's five nearest
// by colour and layout alone, which is what a small autoencoder sees: most must
// be of the same class, or the classes are not alike; but not all, or a
// demonstration on them would say nothing.
func TestSearchIsNeitherTrivialNorHopeless(t *testing.T) {
	const cells, size = 12, 48
	type coarse struct {
		class string
		code  [cells * cells * 3]float64
	}
	var all []coarse
	for p := range Gallery(2, 20, size) {
		c := coarse{class: p.Class}
		for y := range size {
			for x := range size {
				for k := range 3 {
					c.code[(y*cells/size*cells+x*cells/size)*3+k] += float64(p.Image.Pix[p.Image.PixOffset(x, y)+k])
				}
			}
		}
		all = append(all, c)
	}

	type neighbor struct {
		class    string
		distance float64
	}
	hits := make(map[string]int)
	total := 0
	for i, a := range all {
		var near []neighbor
		for j, b := range all {
			if i == j {
				continue
			}
			d := 0.0
			for k := range a.code {
				d += (a.code[k] - b.code[k]) * (a.code[k] - b.code[k])
			}
			near = append(near, neighbor{b.class, d})
		}
		slices.SortFunc(near, func(a, b neighbor) int { return cmp.Compare(a.distance, b.distance) })
		for _, n := range near[:5] {
			if n.class == a.class {
				hits[a.class]++
				total++
			}
		}
	}
	precision := float64(total) / float64(5*len(all))
	t.Logf("precision of five neighbours %.2f; hits of 100 by class: %v", precision, hits)
	if precision < 0.5 || precision > 0.85 {
		t.Errorf("precision of five neighbours %.2f, want 0.5 to 0.85", precision)
	}
	for _, class := range Classes() {
		if hits[class] < 15 { // chance is 19 of 199 others: 10 of 100
			t.Errorf("%s: %d of 100 neighbours are of the class, no more than chance", class, hits[class])
		}
	}
}
