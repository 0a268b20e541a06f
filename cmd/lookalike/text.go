package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"lookalike/internal/remote"
	"lookalike/internal/web"
)

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// printable quotes a path that would not show as it is, such as one with a line
// break.
func printable(path string) string {
	if !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// fromHere is a path relative to the current folder if it lies below that.
func fromHere(path string) string {
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

// decimals is how many digits after the point distances of that size are shown
// with, so that four or five count.
func decimals(largest float64) int {
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

// pixels writes the size of a picture, which imported vectors may not know.
func pixels(width, height int) string {
	if width == 0 {
		return "-"
	}
	return fmt.Sprintf("%dx%d", width, height)
}

// narrow is the width of a line under which tables leave out the pictures' sizes.
const narrow = 60

// terminalWidth is the number of characters in a line, for a terminal; else there
// is no limit.
func terminalWidth(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return math.MaxInt
}

// wrap breaks the lines of prose between words. What stands in quotes stays whole, for
// it may be a command to type, and lines that are indented stay as they are.
func wrap(prose string, width int) string {
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

// paragraph is words in lines of at most width characters, but for longer words.
type paragraph struct {
	strings.Builder
	width int
	used  int // of the line, 0 where none is to be gone on with
}

func (p *paragraph) add(word string) {
	length := textWidth(strings.TrimSuffix(word, "\n"))
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

// textWidth is how many columns of a terminal a text takes: a letter of Chinese,
// Japanese or Korean two, an accent by itself none.
func textWidth(s string) int { return runewidth.StringWidth(s) }

// padded is a text with spaces up to a width.
func padded(s string, width int) string { return runewidth.FillRight(s, width) }

// shorten takes the middle out of a text that is too wide for a line: of a path,
// the beginning and the file's name tell most.
func shorten(s string, width int) string {
	width = max(width, 20)
	whole := textWidth(s)
	if whole <= width {
		return s
	}
	tail := width * 2 / 3
	return runewidth.Truncate(s, width-1-tail, "") + runewidth.TruncateLeft(s, whole-tail, "…")
}

// bytesOf writes a size for a person to read.
func bytesOf(n int64) string {
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

// orList joins words as in "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// commandLine returns the command as a person would type it again: its
// arguments, the flags that were given, and more words. Flags in but are left
// out, and so are the passwords in addresses.
func commandLine(cmd *cobra.Command, args []string, but string, more ...string) string {
	words := append(strings.Fields(cmd.CommandPath())[1:], args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case f.Name == but:
		case f.Value.Type() == "bool":
			words = append(words, strings.TrimSuffix("--"+f.Name+"="+f.Value.String(), "=true"))
		default:
			words = append(words, "--"+f.Name, f.Value.String())
		}
	})
	words = append(words, more...)
	for i, word := range words {
		if remote.IsAddress(word) {
			words[i] = web.Shown(word) // a password is for the user to fill in
		}
	}
	return typed(words...)
}

// typed returns a command of this program as it is typed into a shell.
func typed(words ...string) string {
	line := quote(os.Args[0])
	if strings.HasPrefix(os.Args[0], os.TempDir()) { // go run, which removes it
		line = "lookalike"
		if info, err := os.Stat("cmd/lookalike"); err == nil && info.IsDir() {
			line = "go run ./cmd/lookalike"
		}
	}
	for _, w := range words {
		line += " " + quote(w)
	}
	return line
}

// quote protects a word from the shell if it needs that.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%\\", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
