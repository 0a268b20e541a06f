package main

import (
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
			s := shorten(c.text, width)
			if textWidth(s) > width || textWidth(s) < min(width-2, textWidth(c.text)) || !strings.HasPrefix(s, c.begin) || !strings.HasSuffix(s, c.end) {
				t.Errorf("in %d columns %q becomes %q, of %d", width, c.text, s, textWidth(s))
			}
			if s != c.text && !strings.Contains(s, "…") {
				t.Errorf("%q does not tell that it was shortened", s)
			}
		}
	}
	if s := padded("猫", 6) + "|"; s != "猫    |" {
		t.Errorf("%q", s)
	}
}
