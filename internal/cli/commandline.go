package cli

import (
	"os"
	"strings"
)

// program is the name of the only one that this package is for.
const program = "lookalike"

// Typed returns a command of this program as it is typed into a shell.
func Typed(words ...string) string {
	line := Quote(os.Args[0])
	if strings.HasPrefix(os.Args[0], os.TempDir()) { // go run, which removes it
		line = program
		if info, err := os.Stat("cmd/lookalike"); err == nil && info.IsDir() {
			line = "go run ./cmd/lookalike"
		}
	}
	for _, w := range words {
		line += " " + Quote(w)
	}
	return line
}

// Quote protects a word from the shell if it needs that.
func Quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%\\", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
