package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/words"
)

// List returns the settings of the whole program or, with words, of the command that
// they name.
func (c *Settings) List(root *cobra.Command, args []string) ([]Setting, error) {
	if len(args) == 0 {
		return c.all(root), nil
	}
	of, rest, err := root.Find(args)
	if err != nil || len(rest) > 0 || of == root {
		asked := strings.Join(args, " ")
		if near := root.SuggestionsFor(asked); len(near) > 0 {
			return nil, Usagef("there is no command %q; did you mean %s?", asked, words.OrList(near))
		}
		return nil, Usagef("there is no command %q", asked)
	}
	list := c.of(of, false)
	for _, sub := range CommandsBelow(of) {
		list = append(list, c.of(sub, false)...)
	}
	return list, nil
}

// Load gives the settings their values, and returns the file that has some, "" if there
// is none, and where it would be.
func (c *Settings) Load(root *cobra.Command, list []Setting) (file, path string, err error) {
	read, err := c.read(root)
	if err != nil {
		return "", "", err
	}
	path, _ = c.path()
	return read.path, path, c.take(list, read)
}

// ShownSetting is a setting as JSON.
type ShownSetting struct {
	Key      string `json:"key"`
	Value    string `json:"value"` // as it is typed
	Variable string `json:"variable"`
	From     string `json:"from"` // "command line", "environment", "file" or "default"
	Name     string `json:"name"` // of the variable or the file, or ""
}

// Shown returns settings for JSON.
func (c *Settings) Shown(list []Setting) []ShownSetting {
	shown := []ShownSetting{}
	for _, s := range list {
		from := c.origins[s.flag]
		shown = append(shown, ShownSetting{s.key, settingValue(s.flag), Variable(s.key), from.kind, from.name})
	}
	return shown
}

// WriteTOML writes settings as a file of them, a table for each command, and where
// each comes from.
func (c *Settings) WriteTOML(w io.Writer, list []Setting) {
	if len(list) > 0 && !strings.Contains(list[0].key, ".") { // a table begins with an empty line of its own
		fmt.Fprintln(w)
	}
	table := ""
	for _, s := range list {
		at := strings.LastIndex(s.key, ".")
		if of := s.key[:max(at, 0)]; of != table {
			table = of
			fmt.Fprintf(w, "\n[%s]\n", table)
		}
		fmt.Fprintf(w, "%-40s # %s\n", s.key[at+1:]+" = "+tomlValue(s.flag), c.origins[s.flag])
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

// settingValue is a flag's value as it is typed.
func settingValue(f *pflag.Flag) string {
	value := f.Value.String()
	if isList(f) {
		value = strings.Trim(value, "[]")
	}
	return value
}
