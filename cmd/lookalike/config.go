package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/cli"
	"lookalike/internal/words"
)

func (a *app) configCommand() *cobra.Command {
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
  [{"key": "search.neighbors", "value": "5", "variable": "LOOKALIKE_SEARCH_NEIGHBORS",
    "from": "default", "name": ""}, …]
where from is "command line", "environment", "file" or "default", and name that of
the variable or of the file.`,
		Example: `  lookalike config
  lookalike config index
  lookalike config > config.toml
  LOOKALIKE_THREADS=2 lookalike config --json | jq -r '.[] | select(.from != "default").key'`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.showConfig(cmd, args, asJSON) },
	}
	cmd.ValidArgsFunction = completeCommandNames
	cli.JSONFlag(cmd, &asJSON)
	return cmd
}

// shownSetting is a setting as config prints it with --json.
type shownSetting struct {
	Key      string `json:"key"`
	Value    string `json:"value"` // as it is typed
	Variable string `json:"variable"`
	From     string `json:"from"` // "command line", "environment", "file" or "default"
	Name     string `json:"name"` // of the variable or the file, or ""
}

func (a *app) showConfig(cmd *cobra.Command, args []string, asJSON bool) error {
	root := cmd.Root()
	list := allSettings(root)
	if len(args) > 0 {
		of, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 || of == root {
			asked := strings.Join(args, " ")
			if near := root.SuggestionsFor(asked); len(near) > 0 {
				return cli.Usagef("there is no command %q; did you mean %s?", asked, words.OrList(near))
			}
			return cli.Usagef("there is no command %q", asked)
		}
		list = settingsOf(of, false)
		for _, c := range commandsBelow(of) {
			list = append(list, settingsOf(c, false)...)
		}
	}
	file, err := a.readConfig(root)
	if err != nil {
		return err
	}
	if err := a.take(list, file); err != nil {
		return err
	}
	if asJSON {
		shown := []shownSetting{}
		for _, s := range list {
			from := a.settings[s.flag]
			shown = append(shown, shownSetting{s.key, settingValue(s.flag), settingVariable(s.key), from.kind, from.name})
		}
		return a.PrintJSON(shown)
	}
	path, _ := a.configPath()
	switch {
	case file.path != "":
		fmt.Fprintf(a.Out, "# The file of settings is %s.\n", file.path)
	case path != "":
		fmt.Fprintf(a.Out, "# There is no file of settings; it would be %s.\n", path)
	}
	if tier := os.Getenv(kernelVariable); tier != "" {
		fmt.Fprintf(a.Out, "# The kernels are chosen by %s=%s.\n", kernelVariable, tier)
	}
	if !strings.Contains(list[0].key, ".") { // a table begins with an empty line of its own
		fmt.Fprintln(a.Out)
	}
	a.printSettings(list)
	return nil
}

// printSettings prints TOML, a table for each command.
func (a *app) printSettings(list []setting) {
	table := ""
	for _, s := range list {
		at := strings.LastIndex(s.key, ".")
		if of := s.key[:max(at, 0)]; of != table {
			table = of
			fmt.Fprintf(a.Out, "\n[%s]\n", table)
		}
		fmt.Fprintf(a.Out, "%-40s # %s\n", s.key[at+1:]+" = "+tomlValue(s.flag), a.settings[s.flag])
	}
}

// tomlValue is a flag's value as TOML.
func tomlValue(f *pflag.Flag) string {
	value := settingValue(f)
	switch f.Value.Type() {
	case "int", "uint64", "float64", "bool", "natural":
		return value
	}
	var text strings.Builder
	toml.NewEncoder(&text).Encode(map[string]string{"x": value})
	return strings.TrimSpace(strings.TrimPrefix(text.String(), "x ="))
}
