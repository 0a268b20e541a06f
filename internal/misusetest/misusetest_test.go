package misusetest

import (
	"errors"
	"fmt"
	"testing"
)

// said is a test that keeps what it is told.
type said struct {
	testing.TB
	errors []string
}

func (s *said) Helper() {}

func (s *said) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

// TestCheck: what is missing, said by nobody or by the runtime fails a test; nothing else.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		want   string
		call   func() error
		errors int
	}{
		{"here|3 rows", func() error { return errors.New("here: 3 rows") }, 0},
		{"here|3 rows", func() error { panic("here: 3 rows") }, 0},
		{"here|4 rows", func() error { return errors.New("here: 3 rows") }, 1},
		{"here|4 rows", func() error { panic("far off: 3 rows") }, 2},
		{"here", func() error { return nil }, 1},
		{"index out of range", func() error { var none []int; _ = none[len(none)]; return nil }, 1},
	} {
		var s said
		Check(&s, map[string]func() error{c.want: c.call})
		if len(s.errors) != c.errors {
			t.Errorf("%q: it complains %q, want %d complaints", c.want, s.errors, c.errors)
		}
	}
}
