package main

import "testing"

// A default can be printed and read again, and a misspelled word finds its own.
func TestValues(t *testing.T) {
	for text, want := range map[string]byteSize{
		"800MB": 800e6, "2GiB": 2 << 30, "1.5 gb": 15e8, "64M": 64e6, "33554432B": 32 << 20, "": 0,
	} {
		var got, again byteSize
		if err := got.Set(text); err != nil || got != want {
			t.Errorf("%q is read as %d bytes (%v), want %d", text, got, err, want)
		}
		if err := again.Set(got.String()); err != nil || again != got {
			t.Errorf("%d bytes are written as %q, which is read as %d (%v)", got, got.String(), again, err)
		}
	}
	for _, text := range []string{"12", "800", "MB", "-1GB", "1MB", "NaNGB", "1e300GB", "8 0 0MB", "800PB"} {
		var got byteSize
		if err := got.Set(text); err == nil {
			t.Errorf("%q is read as %d bytes", text, got)
		}
	}
	words := []string{"threads", "search.neighbors", "size", "seed"}
	for word, want := range map[string]string{"thread": "threads", "sise": "size", "serach.neighbors": "search.neighbors", "sideways": "", "x": ""} {
		if got := nearest(word, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", word, got, want)
		}
	}
	if a, b := misspelled("kitten", "sitting"), misspelled("", "abc"); a != 3 || b != 3 {
		t.Errorf("distances are %d and %d, want 3 and 3", a, b)
	}
}
