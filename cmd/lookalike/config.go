package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
)

func configCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "config [COMMAND]",
		Short: "Show the settings in force, and where each comes from",
		Long: `Shows every setting with its value and where that comes from: the command line,
an environment variable, the file of settings, or the program's default. With a
COMMAND, such as search or "weights fetch", only those of that command.

What it prints is itself a file of settings. 'lookalike help configuration' tells
where the file is looked for and what can be set.

With --json the result is a list:
  [{"key": "search.neighbors", "value": "5",
    "variable": "LOOKALIKE_SEARCH_NEIGHBORS", "from": "default", "name": ""}, …]
where from is "command line", "environment", "file" or "default", and name is the
name of the variable or the file.`,
		Example: `  lookalike config
  lookalike config index
  lookalike config > config.toml
  lookalike config --json | jq '.[] | select(.from != "default").key'`,
		RunE: func(cmd *cobra.Command, args []string) error { return showConfig(cmd, a, args, asJSON) },
	}
	cmd.ValidArgsFunction = cli.CompleteCommandNames
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

func showConfig(cmd *cobra.Command, a *app, args []string, asJSON bool) error {
	list, err := a.settings.List(cmd.Root(), args)
	if err != nil {
		return err
	}
	file, path, err := a.settings.Load(cmd.Root(), list)
	if err != nil {
		return err
	}
	if asJSON {
		return a.PrintJSON(a.settings.Shown(list))
	}
	switch {
	case file != "":
		fmt.Fprintf(a.Out, "# The file of settings is %s.\n", file)
	case path != "":
		fmt.Fprintf(a.Out, "# There is no file of settings; it would be %s.\n", path)
	}
	if tier := os.Getenv(kernelVariable); tier != "" {
		fmt.Fprintf(a.Out, "# The kernels are chosen by %s=%s.\n", kernelVariable, tier)
	}
	a.settings.WriteTOML(a.Out, list)
	return nil
}

// typedOnly are flags that a person must give each time: what names the outputs
// of one run, what overwrites or moves something, what takes a protection away, and
// what may hold a password.
var typedOnly = []string{
	"help", "version", "config",
	"output", "out", "log", "skipped", "sheet", "html", "confusion", "why", "curve", "sheets", "split", "reference", "print-script",
	"force", "fresh", "resume", "apply", "undo", "move-to", "hardlink", "dry-run", "journal", "allow-private",
	"url", "checksum", "token", "password",
}

// kernelVariable is one that no flag and no file can set: kernels are chosen before
// main begins.
var kernelVariable = cli.Variable("cpu")

func newSettings() cli.Settings {
	return cli.Settings{TypedOnly: typedOnly, Elsewhere: map[string]string{
		"cpu": "the kernels can only be chosen by the environment variable " + kernelVariable,
	}}
}
