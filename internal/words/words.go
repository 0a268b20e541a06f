// Package words writes things as people read them: numbers, sizes, times, names and
// lists.
package words

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Count writes a number of things: 2 pictures, queries, classes.
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if strings.HasSuffix(thing, "ry") {
		thing = strings.TrimSuffix(thing, "y") + "ie"
	}
	if strings.HasSuffix(thing, "s") {
		thing += "e"
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// IsOrAre is the verb for n things.
func IsOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Thousands writes a number with commas.
func Thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Megabytes writes a number of bytes as a person reads it.
func Megabytes(n int64) string {
	if n < 10e6 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// Bytes writes a size for a person to read.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Pixels writes the size of a picture, which may not be known.
func Pixels(width, height int) string {
	if width == 0 {
		return "-"
	}
	return fmt.Sprintf("%dx%d", width, height)
}

// Decimals is how many digits after the point distances of that size are shown
// with, so that four or five count.
func Decimals(largest float64) int {
	switch largest = math.Abs(largest); {
	case largest < 1:
		return 4
	case largest < 100:
		return 3
	case largest < 1000:
		return 2
	}
	return 1
}

// PerSecond writes a rate with as many digits as say something.
func PerSecond(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// Duration writes seconds as a person reads them.
func Duration(seconds float64) string {
	s := int(math.Ceil(min(seconds, 1e8)))
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
}

// OrList joins words as in "a, b or c".
func OrList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Spaced joins what is not empty.
func Spaced(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "  ")
}

// Printable quotes a path that would not show as it is, such as one with a line
// break.
func Printable(path string) string {
	if !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// FromHere is a path relative to the current folder if it lies below that.
func FromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	rel, err := filepath.Rel(here, path)
	if err != nil || !filepath.IsLocal(rel) || rel == "." {
		return path
	}
	return rel
}

// ErrCut is the end of a file before its time.
var ErrCut = fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)

// CutShort words the end of data as what it is, [ErrCut]: some decoders pass on io.EOF,
// which callers of a reader would take for success. An io.ErrUnexpectedEOF that has words
// of its own keeps them.
func CutShort(err error) error {
	if errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF {
		return ErrCut
	}
	return err
}

// Cause is what has gone wrong with a file, without its path, which the caller names.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
