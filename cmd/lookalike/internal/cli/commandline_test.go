package cli

import "testing"

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"photos":       "photos",
		"a/b-c_d.idx":  "a/b-c_d.idx",
		"":             "''",
		"my photos":    "'my photos'",
		"it's":         `'it'\''s'`,
		"$HOME;rm -rf": "'$HOME;rm -rf'",
		"Füße":         "'Füße'",
	} {
		if got := Quoted(word); got != want {
			t.Errorf("Quoted(%q) = %s, want %s", word, got, want)
		}
	}
}
