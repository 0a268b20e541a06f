package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/web"
)

// program is the name of the only one that this package is for.
const program = "lookalike"

// CommandLine returns the command as a person would type it again: its
// arguments, the flags that were given, and more words. Flags in but are left
// out, and so are the passwords in addresses.
func CommandLine(cmd *cobra.Command, args []string, but string, more ...string) string {
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
		if strings.Contains(word, "://") {
			words[i] = web.Shown(word) // a password is for the user to fill in
		}
	}
	return Typed(words...)
}

// Typed returns a command of this program as it is typed into a shell.
func Typed(words ...string) string {
	line := Quoted(os.Args[0])
	if strings.HasPrefix(os.Args[0], os.TempDir()) { // go run, which removes it
		line = program
		if info, err := os.Stat("cmd/lookalike"); err == nil && info.IsDir() {
			line = "go run ./cmd/lookalike"
		}
	}
	for _, w := range words {
		line += " " + Quoted(w)
	}
	return line
}

// Quoted protects a word from the shell if it needs that.
func Quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%\\", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
