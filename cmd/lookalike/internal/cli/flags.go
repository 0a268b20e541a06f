package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/words"
)

// JSONFlag adds --json.
func JSONFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "json", false, "print the result as JSON")
}

// Arguments checks that a command has exactly those arguments.
func Arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return Usagef("%s is missing", names[len(args)])
		case len(args) > len(names):
			return Usagef("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// UnknownCommand refuses the arguments of a program whose commands have others.
func UnknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return Usagef("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return Usagef("there is no command %q", args[0])
}

// FlagError says what is wrong with a flag, and what may be meant.
func FlagError(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return Usagef("--%s %s: give %s", bad.GetFlag().Name, bad.GetValue(), wants(bad.GetFlag(), bad.Unwrap()))
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		// A file whose name begins with a dash looks like flags.
		typed := "-" + unknown.GetSpecifiedShortnames()
		if typed == "-" {
			typed = "--" + unknown.GetSpecifiedName()
		}
		if _, err := os.Lstat(typed); err == nil || strings.Contains(typed, ".") {
			return Usagef("there is no flag %s; if it is a file, give ./%s", typed, typed)
		}
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && len(unknown.GetSpecifiedName()) > 1 {
		for _, c := range cmd.Root().Commands() {
			if cmd == cmd.Root() && c.Name() == unknown.GetSpecifiedName() {
				return Usagef("%w; did you mean '%s'?", err, c.CommandPath())
			}
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := words.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			return Usagef("%w; did you mean --%s?", err, near)
		}
	}
	return AsUsage(err)
}
