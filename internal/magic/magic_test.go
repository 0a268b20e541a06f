package magic

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		data, magic string
		want        bool
	}{
		{"GIF89a...", "GIF8?a", true}, {"GIF8?a", "GIF8?a", true}, {"GIF89b", "GIF8?a", false},
		{"GIF8", "GIF8?a", false}, {"GIF89", "GIF8?a", false}, {"", "BM", false}, {"BM", "BM", true}, {"", "", true},
	} {
		if got := Matches([]byte(c.data), c.magic); got != c.want {
			t.Errorf("%q begins with %q: %v", c.data, c.magic, got)
		}
	}
}
