package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/cli"
	"lookalike/internal/words"
)

// A flag that is not given on the command line gets its value from the
// environment, or else from a file of settings: both change defaults, so that
// commands still see such a flag as not given.

// origin says where the value of a flag comes from, if not from the command line.
type origin struct {
	kind string // "environment", "file", "default"
	name string // of the variable or the file
}

func (o origin) String() string {
	if o.name != "" {
		return o.name
	}
	return o.kind
}

// typedOnly are flags that a person must give each time: what names the outputs
// of one run, what overwrites or moves something, what takes a protection away, and
// what may hold a password.
var typedOnly = []string{
	"help", "version", "config",
	"output", "out", "log", "sheet", "html", "confusion", "why", "curve", "sheets", "split", "reference", "print-script",
	"force", "fresh", "resume", "apply", "undo", "move-to", "hardlink", "dry-run", "journal", "allow-private",
	"url", "checksum", "token", "password",
}

// variablePrefix begins the name of every variable of the environment that the
// program reads.
const variablePrefix = "LOOKALIKE_"

// kernelVariable is the one that no flag and no file can set: kernels are chosen
// before main begins.
const kernelVariable = variablePrefix + "CPU"

// settingKey is the name of a flag's setting in the file: that of the flag, below
// those of the command unless all commands have it.
func settingKey(cmd *cobra.Command, f *pflag.Flag) string {
	if cmd.Root().PersistentFlags().Lookup(f.Name) == f {
		return f.Name
	}
	return strings.Join(append(strings.Fields(cmd.CommandPath())[1:], f.Name), ".")
}

// settingVariable is the name of a setting in the environment.
func settingVariable(key string) string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// setting is a flag of a command that need not be given on the command line.
type setting struct {
	key  string
	flag *pflag.Flag
}

// settingsOf returns the settings of one command: with inherited, also those that
// all commands have.
func settingsOf(cmd *cobra.Command, inherited bool) []setting {
	var list []setting
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(typedOnly, f.Name) {
			list = append(list, setting{settingKey(cmd, f), f})
		}
	})
	if inherited && cmd != cmd.Root() {
		list = append(settingsOf(cmd.Root(), false), list...)
	}
	return list
}

// allSettings returns those of the whole program, the ones that all commands have
// first.
func allSettings(root *cobra.Command) []setting {
	list := settingsOf(root, false)
	for _, cmd := range commandsBelow(root) {
		list = append(list, settingsOf(cmd, false)...)
	}
	return list
}

// commandsBelow returns the commands of a command and theirs, in the order of
// help.
func commandsBelow(parent *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, cmd := range parent.Commands() {
		if cmd.Name() != "help" && cmd.Runnable() {
			list = append(append(list, cmd), commandsBelow(cmd)...)
		}
	}
	return list
}

// configFile is what a file of settings says.
type configFile struct {
	path   string // "" if there is none
	values map[string]string
}

// configure gives the flags of a command that were not given on the command line
// the values that the environment or the file has for them.
func (a *app) configure(cmd *cobra.Command) error {
	a.settings = map[*pflag.Flag]origin{}
	file, err := a.readConfig(cmd.Root())
	if err != nil {
		return err
	}
	for _, text := range misspelledVariables(cmd.Root()) {
		a.Warn("warning: %s", text)
	}
	return a.take(settingsOf(cmd, true), file)
}

// take sets flags from the environment and the file, and notes where their values
// come from.
func (a *app) take(list []setting, file configFile) error {
	for _, s := range list {
		if s.flag.Changed {
			a.settings[s.flag] = origin{kind: "command line"}
			continue
		}
		from, value := origin{"environment", settingVariable(s.key)}, os.Getenv(settingVariable(s.key))
		if value == "" {
			var ok bool
			if value, ok = file.values[s.key]; !ok {
				a.settings[s.flag] = origin{kind: "default"}
				continue
			}
			from = origin{"file", file.path}
		}
		if value == "" && isList(s.flag) { // Set would make a list of one empty text
			a.settings[s.flag] = from
			continue
		}
		if err := s.flag.Value.Set(value); err != nil {
			if from.kind == "file" {
				return cli.Usagef("%s: %s = %s: give %s", file.path, s.key, value, cli.Wants(s.flag, err))
			}
			return cli.Usagef("%s=%s: give %s", from.name, value, cli.Wants(s.flag, err))
		}
		a.settings[s.flag] = from
	}
	return nil
}

// origins says where flags come from that an error speaks of, though nobody gave
// them.
func (a *app) origins(err error) string {
	text := ""
	for _, f := range slices.SortedFunc(maps.Keys(a.settings), func(a, b *pflag.Flag) int { return strings.Compare(a.Name, b.Name) }) {
		from := a.settings[f]
		if from.name != "" && (strings.Contains(err.Error(), "--"+f.Name+" ") || f.Shorthand != "" && strings.Contains(err.Error(), "-"+f.Shorthand+" ")) {
			text += fmt.Sprintf(" (--%s is from %s)", f.Name, from)
		}
	}
	return text
}

// maxConfigFile bounds the bytes of a file of settings.
const maxConfigFile = 1 << 20

// configPath is where the settings are: given says that they must be there.
func (a *app) configPath() (path string, given bool) {
	if a.config != "" {
		return a.config, true
	}
	if path := os.Getenv(variablePrefix + "CONFIG"); path != "" {
		return path, true
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "lookalike", "config.toml"), false
}

// readConfig reads the file of settings. A key that no setting has is an error.
func (a *app) readConfig(root *cobra.Command) (configFile, error) {
	path, given := a.configPath()
	text, err := readAtMost(path, maxConfigFile)
	switch {
	case path == "", !given && errors.Is(err, fs.ErrNotExist):
		return configFile{}, nil
	case err != nil:
		return configFile{}, cli.Usagef("cannot read the settings in %s: %w", path, errors.Unwrap(err))
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			return configFile{}, cli.Usagef("%s, line %d: this is no TOML: %s", path, at.Position.Line, at.Message)
		}
		return configFile{}, cli.Usagef("%s: %w", path, err)
	}
	file := configFile{path, map[string]string{}}
	if err := flatten(file.values, "", tree); err != nil {
		return configFile{}, cli.Usagef("%s: %w", path, err)
	}
	known := allSettings(root)
	for key := range file.values {
		if !slices.ContainsFunc(known, func(s setting) bool { return s.key == key }) {
			return configFile{}, cli.Usagef("%s: %s", path, unknownSetting(root, key, known))
		}
	}
	return file, nil
}

// readAtMost reads a text file of a bounded size.
func readAtMost(path string, most int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if int64(len(text)) > most {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return string(text), err
}

// flatten turns tables within tables into keys with points, and values into what
// would be typed on the command line.
func flatten(values map[string]string, prefix string, tree map[string]any) error {
	for name, value := range tree {
		key := prefix + name
		switch v := value.(type) {
		case map[string]any:
			if err := flatten(values, key+".", v); err != nil {
				return err
			}
		case []any:
			parts := make([]string, len(v))
			for i := range v {
				parts[i] = fmt.Sprint(v[i])
			}
			values[key] = strings.Join(parts, ",")
		case string, bool, int64, float64:
			values[key] = fmt.Sprint(v)
		default:
			return fmt.Errorf("%s: a setting is a text, a number, true, false, or a list of them", key)
		}
	}
	return nil
}

// unknownSetting says what is wrong with a key and which one may be meant.
func unknownSetting(root *cobra.Command, key string, known []setting) string {
	if cmd, _, err := root.Find(strings.Split(key, ".")); err == nil {
		name := key[strings.LastIndex(key, ".")+1:]
		if slices.Contains(typedOnly, name) && (cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil) {
			return fmt.Sprintf("%s can only be given on the command line, as --%s", key, name)
		}
	}
	if key == "cpu" {
		return "the kernels can only be chosen by the environment variable " + kernelVariable
	}
	keys := make([]string, len(known))
	for i, s := range known {
		keys[i] = s.key
	}
	near := meant(key, keys, "", ".")
	if near == "" {
		return fmt.Sprintf("there is no setting %s; 'lookalike config' lists them", key)
	}
	return fmt.Sprintf("there is no setting %s; did you mean %s?", key, near)
}

// meant returns the setting that is spelled most like a name or, if none is near,
// the first one that lacks no more than the command between the prefix and the
// separator.
func meant(name string, known []string, prefix, separator string) string {
	near := words.Nearest(name, known)
	for _, k := range known {
		if near == "" && strings.HasSuffix(k, separator+strings.TrimPrefix(name, prefix)) {
			near = k
		}
	}
	return near
}

// misspelledVariables says which variables of the environment look like settings
// but are none. Only near ones count, as other programs may have names of their
// own that begin alike.
func misspelledVariables(root *cobra.Command) []string {
	known := []string{kernelVariable, variablePrefix + "CONFIG"}
	for _, s := range allSettings(root) {
		known = append(known, settingVariable(s.key))
	}
	var list []string
	for _, line := range os.Environ() {
		name, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, variablePrefix) || slices.Contains(known, name) {
			continue
		}
		if near := meant(name, known, variablePrefix, "_"); near != "" {
			list = append(list, fmt.Sprintf("the environment variable %s means nothing here; did you mean %s?", name, near))
		}
	}
	return list
}

// settingValue is a flag's value as it is typed.
func settingValue(f *pflag.Flag) string {
	value := f.Value.String()
	if isList(f) {
		value = strings.Trim(value, "[]")
	}
	return value
}

// isList reports whether a flag takes several values.
func isList(f *pflag.Flag) bool {
	return strings.HasSuffix(f.Value.Type(), "Slice") || strings.HasSuffix(f.Value.Type(), "Array")
}
