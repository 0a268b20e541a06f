package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/mod/modfile"
)

// run runs a command in dir and returns what it prints.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// commit makes a repository of dir, if it is none yet, and commits what is in it.
func commit(t *testing.T, dir string) {
	t.Helper()
	run(t, dir, "git", "init", "-q")
	run(t, dir, "git", "add", "-A")
	run(t, dir, "git", "-c", "commit.gpgsign=false", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "test")
}

// needGit skips a test where there is no git, and keeps git to the test's folder where
// the test itself is run by git, as a hook is.
func needGit(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git here")
	}
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} {
		t.Setenv(name, "") // which is put back
		os.Unsetenv(name)
	}
}

// write writes files below dir.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// contents reads the files in dir, but for git's own.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range strings.Fields(run(t, dir, "git", "ls-files")) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}

// differing lists the names of files that differ.
func differing(a, b map[string]string) (names []string) {
	for name := range a {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	return names
}

// TestThisModule renames a copy of this module, and back. What is renamed has all its
// imports, builds (with -long, for all is compiled anew) and passes the root's tests; what
// is renamed back is what there was.
func TestThisModule(t *testing.T) {
	needGit(t)
	const root = "../.."
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is no checkout: which files belong to it is not known")
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	from, to := modfile.ModulePath(text), "example.org/somebody/lookalike"
	if from == to {
		to = "example.com/anybody/engine"
	}

	dir, copied := t.TempDir(), map[string]string{}
	for _, name := range strings.Split(run(t, root, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if name == "" || os.IsNotExist(err) { // deleted, and not committed yet
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		copied[name] = string(text)
	}
	write(t, dir, copied)
	commit(t, dir)
	before := contents(t, dir)

	changed, err := rename(dir, to)
	if err != nil {
		t.Fatal(err)
	}
	after := contents(t, dir)
	if names := differing(before, after); len(names) != len(changed) {
		t.Errorf("%d files differ, %d are said to", len(names), len(changed))
	}
	for name, text := range after {
		if left := `"` + from + `/`; strings.Contains(text, left) && filepath.Ext(name) == ".go" {
			t.Errorf("%s still has %s", name, left)
		}
	}
	if line := "\nmodule=" + to + " "; !strings.Contains(after["README.md"], line) {
		t.Errorf("README does not say %s", strings.TrimSpace(line))
	}
	if unformatted := run(t, dir, "gofmt", "-l", "."); unformatted != "" {
		t.Errorf("gofmt would change %s", unformatted)
	}
	if again, err := rename(dir, to); err != nil || len(again) != 0 {
		t.Errorf("the same again changes %v, %v", again, err)
	}
	if _, err := rename(dir, from); err == nil || !strings.Contains(err.Error(), "not committed") {
		t.Errorf("a tree with changes is renamed: %v", err)
	}

	modules := []string{dir, filepath.Join(dir, "bench"), filepath.Join(dir, "examples")}
	for _, module := range modules {
		run(t, module, "go", "list", "-deps", "-test", "./...") // finds all imports
	}
	if sweeptest.Long() { // -trimpath: what is built once is found again, though in another folder
		for _, module := range modules {
			run(t, module, "go", "build", "-trimpath", "./...")
			run(t, module, "go", "vet", "-trimpath", "./...")
		}
		run(t, dir, "go", "test", "-trimpath", "-short", ".")
	}

	commit(t, dir)
	if _, err := rename(dir, from); err != nil {
		t.Fatal(err)
	}
	if names := differing(before, contents(t, dir)); len(names) != 0 {
		t.Errorf("renamed back, these differ from before: %v", names)
	}
}

// TestForms: every form in which a path may stand, and what only looks like one.
func TestForms(t *testing.T) {
	needGit(t)
	archive, err := txtar.ParseFile("testdata/forms.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files, want := map[string]string{}, map[string]string{}
	for _, f := range archive.Files {
		if name, renamed := strings.CutPrefix(f.Name, "want/"); renamed {
			want[name] = string(f.Data)
		} else {
			files[name] = string(f.Data)
		}
	}
	dir := t.TempDir()
	write(t, dir, files)
	commit(t, dir)
	for name, text := range files {
		if _, ok := want[name]; !ok {
			want[name] = text // as it was
		}
	}
	const to = "example.org/program/go" // below today's path: renamed twice it would show
	changed, err := rename(dir, to)
	if err != nil {
		t.Fatal(err)
	}
	if last := changed[len(changed)-1]; last != "go.mod" {
		t.Errorf("the last file written is %s", last)
	}
	for name, got := range contents(t, dir) {
		if got != want[name] {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, want[name])
		}
	}
	commit(t, dir)
	if _, err := rename(dir, "example.org/program"); err != nil {
		t.Fatal(err)
	}
	if names := differing(files, contents(t, dir)); len(names) != 0 {
		t.Errorf("renamed back, these differ from before: %v", names)
	}
}

// TestPaths: paths that no module can have, and some that one can.
func TestPaths(t *testing.T) {
	for to, want := range map[string]string{
		"":                      "malformed import path",
		"a b":                   "malformed import path",
		"-x":                    "malformed import path",
		"example.org/":          "malformed module path",
		"example.org//a":        "malformed module path",
		"Example.org/a":         "malformed module path",
		"https://example.org/a": "malformed import path",
		"image":                 "standard library",
		"go/lookalike":          "standard library",
		"example.org/a/v2":      "ends in a version",
		"gopkg.in/a.v1":         "ends in a version",
		"example.org/a":         "",
		"example.org":           "",
		"lookalike":             "",
	} {
		if err := check(to); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", to, err, want)
		}
	}
}

// TestRefused: nothing is changed where the path or the tree will not do.
func TestRefused(t *testing.T) {
	needGit(t)
	module := func(root, nested string) map[string]string {
		return map[string]string{"go.mod": root, "nested/go.mod": nested, "a.go": "package a\n\nimport _ \"old/nested\"\n"}
	}
	good := module("module old\n\nrequire example.org/used/other v1.0.0\n", "module old/nested\n\nrequire old v0.0.0\n\nreplace old => ../\n")
	for _, c := range []struct {
		files map[string]string
		to    string
		want  string
	}{
		{good, "example.org/used", "in use: go.mod requires example.org/used/other"},
		{module("module old\n", "module new\n"), "new", "in use: nested/go.mod says it"},
		{module("module old\n", "module old/nested\n\nrequire other v0.0.0\n\nreplace other => ..\n"), "new", "nested/go.mod replaces other by this module, whose go.mod says old: it has been renamed in part"},
		{module("module old\n", "module\n"), "new", "nested/go.mod:1"},
		{module("go 1.26\n", "module nested\n"), "new", "names no module"},
		{map[string]string{"go.mod": "module old\n", "a.go": "package a\nimport old/x\n"}, "new", "a.go:2"},
		{map[string]string{"main.go": "package main\n"}, "new", "run it in the module's folder"},
	} {
		dir := t.TempDir()
		write(t, dir, c.files)
		commit(t, dir)
		if changed, err := rename(dir, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("to %q: %v, %v; want an error with %q", c.to, changed, err, c.want)
		}
		if names := differing(c.files, contents(t, dir)); len(names) != 0 {
			t.Errorf("to %q: refused, and yet %v changed", c.to, names)
		}
	}

	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module old\n"})
	if _, err := rename(dir, "new"); err == nil || !strings.Contains(err.Error(), "git status: ") {
		t.Errorf("without git: %v", err)
	}
}

// TestChanges: what is not committed is told, and left alone. A run that was cut short
// is such a case, for go.mod is written last.
func TestChanges(t *testing.T) {
	needGit(t)
	dir := t.TempDir()
	write(t, dir, map[string]string{"go.mod": "module old\n", "a/a.go": "package a\n", "b.go": "package b\n\nimport _ \"old/a\"\n"})
	commit(t, dir)
	write(t, dir, map[string]string{"b.go": "package b\n\nimport _ \"new/a\"\n"})
	if _, err := rename(dir, "new"); err == nil || !strings.Contains(err.Error(), " M b.go\ncommit or stash them; if a renaming was cut short, git checkout . takes it back") {
		t.Errorf("a tree that was renamed in part: %v", err)
	}
	write(t, dir, map[string]string{"c.go": "", "d.go": "", "e.go": "", "f.go": "", "g.go": "", "h.go": ""})
	if _, err := rename(dir, "new"); err == nil || !strings.Contains(err.Error(), "?? f.go\nand 2 more\n") {
		t.Errorf("files that git does not know: %v", err)
	}
}
