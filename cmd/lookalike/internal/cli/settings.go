package cli

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

// variablePrefix begins the name of every variable of the environment that the
// program reads.
const variablePrefix = "LOOKALIKE_"

// Settings are what the flags of a program get their values from.
type Settings struct {
	File      string            // that they are read from: "" is the one where it belongs, if there is one
	TypedOnly []string          // flags that nothing else than the command line gives
	Elsewhere map[string]string // keys that only the environment can set, and what is said of them

	origins map[*pflag.Flag]origin // of the values in force
}

// Variable is the name of a setting in the environment.
func Variable(key string) string {
	return variablePrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// settingKey is the name of a flag's setting in the file: that of the flag, below
// those of the command unless all commands have it.
func settingKey(cmd *cobra.Command, f *pflag.Flag) string {
	if cmd.Root().PersistentFlags().Lookup(f.Name) == f {
		return f.Name
	}
	return strings.Join(append(strings.Fields(cmd.CommandPath())[1:], f.Name), ".")
}

// Setting is a flag of a command that need not be given on the command line.
type Setting struct {
	key  string
	flag *pflag.Flag
}

// of returns the settings of one command: with inherited, also those that all
// commands have.
func (c *Settings) of(cmd *cobra.Command, inherited bool) []Setting {
	var list []Setting
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(c.TypedOnly, f.Name) {
			list = append(list, Setting{settingKey(cmd, f), f})
		}
	})
	if inherited && cmd != cmd.Root() {
		list = append(c.of(cmd.Root(), false), list...)
	}
	return list
}

// all returns those of the whole program, the ones that all commands have first.
func (c *Settings) all(root *cobra.Command) []Setting {
	list := c.of(root, false)
	for _, cmd := range CommandsBelow(root) {
		list = append(list, c.of(cmd, false)...)
	}
	return list
}

// configFile is what a file of settings says.
type configFile struct {
	path   string // "" if there is none
	values map[string]string
}

// Configure gives the flags of a command that were not given on the command line
// the values that the environment or the file has for them. What may be a mistake in
// the environment is a warning.
func (c *Settings) Configure(cmd *cobra.Command, warn func(format string, args ...any)) error {
	file, err := c.read(cmd.Root())
	if err != nil {
		return err
	}
	for _, text := range c.misspelledVariables(cmd.Root()) {
		warn("warning: %s", text)
	}
	return c.take(c.of(cmd, true), file)
}

// take sets flags from the environment and the file, and notes where their values
// come from.
func (c *Settings) take(list []Setting, file configFile) error {
	if c.origins == nil {
		c.origins = map[*pflag.Flag]origin{}
	}
	for _, s := range list {
		if s.flag.Changed {
			c.origins[s.flag] = origin{kind: "command line"}
			continue
		}
		from, value := origin{"environment", Variable(s.key)}, os.Getenv(Variable(s.key))
		if value == "" {
			var ok bool
			if value, ok = file.values[s.key]; !ok {
				c.origins[s.flag] = origin{kind: "default"}
				continue
			}
			from = origin{"file", file.path}
		}
		if value == "" && isList(s.flag) { // Set would make a list of one empty text
			c.origins[s.flag] = from
			continue
		}
		if err := s.flag.Value.Set(value); err != nil {
			if from.kind == "file" {
				return Usagef("%s: %s = %s: give %s", file.path, s.key, value, wants(s.flag, err))
			}
			return Usagef("%s=%s: give %s", from.name, value, wants(s.flag, err))
		}
		c.origins[s.flag] = from
	}
	return nil
}

// Origins says where flags come from that an error speaks of, though nobody gave
// them.
func (c *Settings) Origins(err error) string {
	text := ""
	for _, f := range slices.SortedFunc(maps.Keys(c.origins), func(a, b *pflag.Flag) int { return strings.Compare(a.Name, b.Name) }) {
		from := c.origins[f]
		if from.name != "" && (strings.Contains(err.Error(), "--"+f.Name+" ") || f.Shorthand != "" && strings.Contains(err.Error(), "-"+f.Shorthand+" ")) {
			text += fmt.Sprintf(" (--%s is from %s)", f.Name, from)
		}
	}
	return text
}

// maxConfigFile bounds the bytes of a file of settings.
const maxConfigFile = 1 << 20

// path is where the settings are: given says that they must be there.
func (c *Settings) path() (path string, given bool) {
	if c.File != "" {
		return c.File, true
	}
	if path := os.Getenv(variablePrefix + "CONFIG"); path != "" {
		return path, true
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, program, "config.toml"), false
}

// read reads the file of settings. A key that no setting has is an error.
func (c *Settings) read(root *cobra.Command) (configFile, error) {
	path, given := c.path()
	text, err := readAtMost(path, maxConfigFile)
	switch {
	case path == "", !given && errors.Is(err, fs.ErrNotExist):
		return configFile{}, nil
	case err != nil:
		return configFile{}, Usagef("cannot read the settings in %s: %w", path, errors.Unwrap(err))
	}
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		if at, ok := errors.AsType[toml.ParseError](err); ok {
			return configFile{}, Usagef("%s, line %d: this is not TOML: %s", path, at.Position.Line, at.Message)
		}
		return configFile{}, Usagef("%s: %w", path, err)
	}
	file := configFile{path, map[string]string{}}
	if err := flatten(file.values, "", tree); err != nil {
		return configFile{}, Usagef("%s: %w", path, err)
	}
	known := c.all(root)
	for _, key := range slices.Sorted(maps.Keys(file.values)) {
		if !slices.ContainsFunc(known, func(s Setting) bool { return s.key == key }) {
			return configFile{}, Usagef("%s: %s", path, c.unknown(root, key, known))
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
	for _, name := range slices.Sorted(maps.Keys(tree)) { // so that of two mistakes the same one is told
		key := prefix + name
		switch v := tree[name].(type) {
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

// unknown says what is wrong with a key and which one may be meant.
func (c *Settings) unknown(root *cobra.Command, key string, known []Setting) string {
	if cmd, _, err := root.Find(strings.Split(key, ".")); err == nil {
		name := key[strings.LastIndex(key, ".")+1:]
		if slices.Contains(c.TypedOnly, name) && (cmd.Flags().Lookup(name) != nil || cmd.InheritedFlags().Lookup(name) != nil) {
			return fmt.Sprintf("%s can only be given on the command line, as --%s", key, name)
		}
	}
	if said, ok := c.Elsewhere[key]; ok {
		return said
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
func (c *Settings) misspelledVariables(root *cobra.Command) []string {
	var known []string
	for _, key := range slices.Sorted(maps.Keys(c.Elsewhere)) {
		known = append(known, Variable(key))
	}
	known = append(known, variablePrefix+"CONFIG")
	for _, s := range c.all(root) {
		known = append(known, Variable(s.key))
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

// isList reports whether a flag takes several values.
func isList(f *pflag.Flag) bool {
	return strings.HasSuffix(f.Value.Type(), "Slice") || strings.HasSuffix(f.Value.Type(), "Array")
}
