package main

import (
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"lookalike/internal/remote"
	"lookalike/internal/web"
)

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
