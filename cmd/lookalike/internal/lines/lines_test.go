package lines

import (
	"math"
	"strings"
	"testing"
)

// A shortened text keeps its beginning and its end and is never wider than asked,
// whatever its letters are.
func TestShorten(t *testing.T) {
	for _, c := range []struct{ text, begin, end string }{
		{"holidays/2024/summer/beach/picture-0001.jpg", "hol", "0001.jpg"},
		{"休日/夏休み/海辺/写真一覧/猫と犬と鳥の写真.jpg", "休日", "写真.jpg"},
		{strings.Repeat("é", 50) + ".jpg", "é", "é.jpg"},
	} {
		for width := 20; width < 60; width++ {
			s := Shorten(c.text, width)
			if Width(s) > width || Width(s) < min(width-2, Width(c.text)) || !strings.HasPrefix(s, c.begin) || !strings.HasSuffix(s, c.end) {
				t.Errorf("in %d columns %q becomes %q, of %d", width, c.text, s, Width(s))
			}
			if s != c.text && !strings.Contains(s, "…") {
				t.Errorf("%q does not tell that it was shortened", s)
			}
		}
	}
	if s := Padded("猫", 6) + "|"; s != "猫    |" {
		t.Errorf("%q", s)
	}
}

// Lines are broken between words, never in a command to type or a name in quotes, and
// without a terminal not at all.
func TestWrap(t *testing.T) {
	const text = "3 groups with 4 duplicates, it's 'lookalike dups --apply' (\"my  dir\"), so be it.\n  lookalike train photos --resume\nOr not.\n"
	for width, want := range map[int]string{
		math.MaxInt: text,
		30:          "3 groups with 4 duplicates,\nit's 'lookalike dups --apply'\n(\"my  dir\"), so be it.\n  lookalike train photos --resume\nOr not.\n",
		20:          "3 groups with 4\nduplicates, it's\n'lookalike dups --apply'\n(\"my  dir\"), so be\nit.\n  lookalike train photos --resume\nOr not.\n",
		1:           "3\ngroups\nwith\n4\nduplicates,\nit's\n'lookalike dups --apply'\n(\"my  dir\"),\nso\nbe\nit.\n  lookalike train photos --resume\nOr\nnot.\n",
	} {
		if got := Wrap(text, width); got != want {
			t.Errorf("width %d:\n got %q\nwant %q", width, got, want)
		}
	}
	for _, text := range []string{"", "\n", " ", "a", "'", "a 'b c", `say "`, "a  b "} {
		if got := Wrap(text, math.MaxInt); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Paragraphs are broken anew to the width; what is indented stands as it is.
func TestFill(t *testing.T) {
	got := Fill("one two\nthree fünf\n\nafter\n  kept as  it is, however long\nsix seven eight", 9)
	want := "one two\nthree\nfünf\n\nafter\n  kept as  it is, however long\nsix seven\neight"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
