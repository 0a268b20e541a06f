// Package lines lays text out in lines and columns of a terminal.
package lines

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Wrap breaks the lines of prose between words. What stands in quotes stays whole, for
// it may be a command to type, and lines that are indented stay as they are.
func Wrap(prose string, width int) string {
	p := paragraph{width: width}
	for line := range strings.Lines(prose) {
		if strings.HasPrefix(line, " ") {
			p.WriteString(line)
			continue
		}
		p.used = 0
		for _, word := range unbroken(line) {
			p.add(word)
		}
	}
	return p.String()
}

// Fill breaks the lines of paragraphs anew; those that are indented stay as they
// are.
func Fill(text string, width int) string {
	p := paragraph{width: width}
	for _, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, " ") {
			if p.used > 0 {
				p.WriteByte('\n')
			}
			p.WriteString(line + "\n")
			p.used = 0
			continue
		}
		for _, word := range strings.Fields(line) {
			p.add(word)
		}
	}
	return p.String()
}

// paragraph is words in lines of at most width characters, but for longer words.
type paragraph struct {
	strings.Builder
	width int
	used  int // of the line, 0 where none is to be gone on with
}

func (p *paragraph) add(word string) {
	length := Width(strings.TrimSuffix(word, "\n"))
	switch {
	case p.used > 0 && p.used+1+length > p.width:
		p.WriteByte('\n')
		p.used = 0
	case p.used > 0:
		p.WriteByte(' ')
		p.used++
	}
	p.WriteString(word)
	p.used += length
}

// unbroken are the parts of a line between which it may be broken, at a space.
func unbroken(line string) (parts []string) {
	quote := ""
	for _, word := range strings.Split(line, " ") {
		if len(parts) > 0 && (quote != "" || word == "") {
			parts[len(parts)-1] += " " + word
		} else {
			parts = append(parts, word)
			if begin := strings.TrimLeft(word, "("); strings.HasPrefix(begin, "'") || strings.HasPrefix(begin, `"`) {
				quote, word = begin[:1], begin[1:]
			}
		}
		if quote != "" && strings.HasSuffix(strings.TrimRight(word, "\n.,:;?)"), quote) {
			quote = ""
		}
	}
	return parts
}

// Width is how many columns of a terminal a text takes: a letter of Chinese,
// Japanese or Korean two, an accent by itself none.
func Width(s string) int { return runewidth.StringWidth(s) }

// Padded is a text with spaces up to a width.
func Padded(s string, width int) string { return runewidth.FillRight(s, width) }

// Shorten takes the middle out of a text that is too wide for a line: of a path,
// the beginning and the file's name tell most.
func Shorten(s string, width int) string {
	width = max(width, 20)
	whole := Width(s)
	if whole <= width {
		return s
	}
	tail := width * 2 / 3
	return runewidth.Truncate(s, width-1-tail, "") + runewidth.TruncateLeft(s, whole-tail, "…")
}
