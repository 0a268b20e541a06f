package words

import "testing"

// A misspelled word finds its own.
func TestNearest(t *testing.T) {
	known := []string{"threads", "search.neighbors", "size", "seed"}
	for word, want := range map[string]string{"thread": "threads", "sise": "size", "serach.neighbors": "search.neighbors", "sideways": "", "x": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	if a, b := misspelled("kitten", "sitting"), misspelled("", "abc"); a != 3 || b != 3 {
		t.Errorf("distances are %d and %d, want 3 and 3", a, b)
	}
}
