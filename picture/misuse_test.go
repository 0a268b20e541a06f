package picture

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/internal/misusetest"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	image := New(2, 2)
	two, err := Folder(fstest.MapFS{"a.jpg": {}, "b.jpg": {}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	misusetest.Check(t, map[string]func() error{
		`picture.New|-1x2`:                   func() error { New(-1, 2); return nil },
		`picture.New|cannot be`:              func() error { New(math.MaxInt/2, 4); return nil },
		`picture.Nearest|no picture`:         func() error { Nearest(nil, 2, 2); return nil },
		`picture.Bilinear|0x3 has no pixels`: func() error { Bilinear(New(0, 3), 2, 2); return nil },
		`picture.Bilinear|2x3 has 12 values`: func() error { Bilinear(&Image{2, 3, image.Pix}, 2, 2); return nil },
		`picture.Nearest|2x2 to 0x2`:         func() error { Nearest(image, 0, 2); return nil },
		`picture.Path|no file 2 among 2`:     func() error { two.Path(2); return nil },
		`picture.Label|no file -1 among 2`:   func() error { two.Label(-1); return nil },
		`picture.Load|no file 2 among 2`:     func() error { two.Load(2); return nil },
		`picture.Read|no file 2 among 2`:     func() error { two.Read(2, nil); return nil },
		`picture.Open|no file 2 among 2`:     func() error { two.Open(2); return nil },
		`picture.Stat|no file 2 among 2`:     func() error { two.Stat(2); return nil },
		`picture.Pick|no file 7 among 2`:     func() error { two.Pick([]int{0, 7}); return nil },
		`picture.Read|use is nil`:            func() error { two.Read(0, nil); return nil },
		`picture.Each|f is nil`:              func() error { return two.Each(t.Context(), nil) },
		`picture.Map|f is nil`:               func() error { two.Map(nil); return nil },
		`picture.Path|no file 0 among 0`:     func() error { (*Set)(nil).Path(0); return nil },
		`0 0 0 0`: func() error {
			good, bad, err := (*Set)(nil).Check(t.Context(), nil)
			return fmt.Errorf("%d %d %d %d %w", (*Set)(nil).Len(), good.Len(), len(bad), (*Set)(nil).Limit(3).Len(), err)
		},
		`picture: the source is nil`:      func() error { _, err := (*Source)(nil).Pictures(Options{}); return err },
		`picture: the source is |closing`: func() error { return fmt.Errorf("closing: %w", (*Source)(nil).Close()) },
		`picture: the source is|empty`:    func() error { _, err := new(Source).Pictures(Options{}); return fmt.Errorf("empty: %w", err) },
		`picture.Folder: |nil`:            func() error { _, err := Folder(nil, Options{}); return err },
		`picture.RGBA|5x5 has 0 values`:   func() error { (&Image{Width: 5, Height: 5}).RGBA(); return nil },
		`picture.FromImage|no picture`:    func() error { FromImage(nil); return nil },
		`picture.Read: |nil`:              func() error { return Read(nil, 0, Options{}, func([]byte) error { return nil }) },
		`picture.Read: |use is nil`:       func() error { return Read(strings.NewReader(""), 0, Options{}, nil) },
		`the file is |empty`:              func() error { _, err := DecodeBytes(nil, Options{}, nil); return err },
		`picture.Decode: |nil`:            func() error { _, err := Decode(nil, Options{}); return err },
		`picture.RGBA|no picture`:         func() error { (*Image)(nil).RGBA(); return nil },
	})
}
