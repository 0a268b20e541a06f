package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/cli"
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
	return cli.Typed(words...)
}
