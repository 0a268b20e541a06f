package album

import (
	"fmt"
	"testing"
	"testing/fstest"

	"lookalike/internal/misusetest"
	"lookalike/picture"
)

// TestMisuse: an argument that cannot be is an error, or a panic, that says where
// and what; never a runtime error, never silence.
func TestMisuse(t *testing.T) {
	two, err := Folder(fstest.MapFS{"a.jpg": {}, "b.jpg": {}}, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	misusetest.Check(t, map[string]func() error{
		`album.Path|no file 2 among 2`:   func() error { two.Path(2); return nil },
		`album.Label|no file -1 among 2`: func() error { two.Label(-1); return nil },
		`album.Load|no file 2 among 2`:   func() error { two.Load(2); return nil },
		`album.Read|no file 2 among 2`:   func() error { two.Read(2, nil); return nil },
		`album.Open|no file 2 among 2`:   func() error { two.Open(2); return nil },
		`album.Stat|no file 2 among 2`:   func() error { two.Stat(2); return nil },
		`album.Pick|no file 7 among 2`:   func() error { two.Pick([]int{0, 7}); return nil },
		`album.Read|use is nil`:          func() error { two.Read(0, nil); return nil },
		`album.Each|f is nil`:            func() error { return two.Each(t.Context(), nil) },
		`album.Map|f is nil`:             func() error { two.Map(nil); return nil },
		`album.Path|no file 0 among 0`:   func() error { (*Set)(nil).Path(0); return nil },
		`0 0 0 0`: func() error {
			good, bad, err := (*Set)(nil).Check(t.Context(), nil)
			return fmt.Errorf("%d %d %d %d %w", (*Set)(nil).Len(), good.Len(), len(bad), (*Set)(nil).Limit(3).Len(), err)
		},
		`album: the source is nil`:      func() error { _, err := (*Source)(nil).Pictures(picture.Options{}); return err },
		`album: the source is |closing`: func() error { return fmt.Errorf("closing: %w", (*Source)(nil).Close()) },
		`album: the source is|empty`:    func() error { _, err := new(Source).Pictures(picture.Options{}); return fmt.Errorf("empty: %w", err) },
		`album.Folder: |nil`:            func() error { _, err := Folder(nil, picture.Options{}); return err },
	})
}
