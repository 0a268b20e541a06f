package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/cmd/lookalike/internal/cli"
)

// Every command has help with examples, which are commands of the program with
// flags that they have, and a script that runs it, mistakes included.
func TestEveryCommand(t *testing.T) {
	scripts := ""
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		scripts += string(read(t, file))
	}
	for _, c := range cli.CommandsBelow(rootCommand(newApp())) {
		name := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || len(c.Long) < 80 {
			t.Errorf("%s: its description is short of something: %q, %q", name, c.Short, c.Long)
		}
		for _, line := range strings.Split(c.Long, "\n") {
			if len([]rune(line)) > 100 {
				t.Errorf("%s: a line of %d characters: %s", name, len([]rune(line)), line)
			}
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) { // which help leaves as they are
			if n := len([]rune(strings.TrimRight(line, "\n"))); strings.HasPrefix(line, " ") && n > 80 {
				t.Errorf("%s: a line of %d columns: %s", name, n, line)
			}
		}
		if c.HasSubCommands() {
			continue
		}
		if !strings.Contains(c.Example, name) {
			t.Errorf("%s: no examples", name)
		}
		for _, line := range strings.Split(c.Example, "\n") {
			checkExample(t, line)
		}
		if !strings.Contains(scripts, "\n"+name) {
			t.Errorf("%s: no script runs it", name)
		}
		if !strings.Contains(scripts, "\n! "+name) && !strings.Contains(scripts, "\nstatus 1 "+name) && !strings.Contains(scripts, "\nstatus 2 "+name) {
			t.Errorf("%s: no script has it fail", name)
		}
	}
}

// checkExample parses the commands of this program in a line of shell.
func checkExample(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	for i, w := range words {
		if w != "lookalike" || i > 0 && !slices.Contains([]string{"|", "&&"}, words[i-1]) && !strings.Contains(words[i-1], "=") {
			continue
		}
		rest := words[i+1:]
		if end := slices.IndexFunc(rest, func(w string) bool { return strings.ContainsAny(w, "|&><;)") }); end >= 0 {
			rest = rest[:end]
		}
		root := rootCommand(newApp())
		cmd, args, err := root.Find(rest)
		if err == nil {
			err = cmd.ParseFlags(args)
		}
		if err != nil || cmd == root {
			t.Errorf("the example %q: %v", line, err)
		}
	}
}

// TestBriefHelp: -h is one screen of 24 lines with 80 columns, of every command.
func TestBriefHelp(t *testing.T) {
	a := newApp()
	root := rootCommand(a)
	a.LayOutHelp(root, neededFlags)
	for _, c := range append(cli.CommandsBelow(root), root) {
		var b strings.Builder
		a.Brief(&b, c, neededFlags[c.CommandPath()])
		text := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		if len(text) > 23 {
			t.Errorf("%s -h has %d lines", c.CommandPath(), len(text))
		}
		for _, line := range text {
			if n := len([]rune(line)); n > 80 {
				t.Errorf("%s -h: a line of %d columns: %s", c.CommandPath(), n, line)
			}
		}
		if !strings.Contains(b.String(), "Usage: "+c.CommandPath()) {
			t.Errorf("%s -h:\n%s", c.CommandPath(), b.String())
		}
	}
	for path, names := range neededFlags {
		c, _, err := root.Find(strings.Fields(path)[1:])
		for _, name := range names {
			if err != nil || c.LocalFlags().Lookup(name) == nil {
				t.Errorf("%s has no --%s (%v)", path, name, err)
			}
		}
	}
}
