package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// rename gives the module in dir the path to, and returns the files that it changed:
// none if the path is that already. The root's go.mod is written last, so that a run
// that was cut short is not taken for one that was not.
func rename(dir, to string) (changed []string, err error) {
	if err := check(to); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, fmt.Errorf("run it in the module's folder: %w", err)
	}
	root, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil, err
	}
	if root.Module == nil {
		return nil, errors.New("go.mod names no module")
	}
	from := root.Module.Mod.Path
	if from == to {
		return nil, nil
	}

	files, err := committed(dir)
	if err != nil {
		return nil, err
	}
	r := renaming{from: from, to: to, folders: map[string]bool{}}
	for _, name := range files {
		r.folders[path.Dir(name)] = true
	}
	texts := map[string][]byte{} // all first, so that an error leaves everything as it is
	for _, name := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
			continue // a link; what it leads to is in the list itself
		}
		edit := r.editor(name)
		if edit == nil {
			continue
		}
		old, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		renamed, err := edit(name, old)
		if err != nil {
			return nil, err
		}
		if string(renamed) != string(old) {
			texts[name] = renamed
			if name != "go.mod" {
				changed = append(changed, name)
			}
		}
	}
	changed = append(changed, "go.mod")
	for _, name := range changed {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), texts[name], 0o666); err != nil {
			return nil, fmt.Errorf("the renaming was cut short, git checkout . takes it back: %w", err)
		}
	}
	return changed, nil
}

// committed lists the files in dir that git knows, and refuses changes that are not
// committed: they would be mixed with ours, or come from a run that was cut short.
func committed(dir string) ([]string, error) {
	status, err := git(dir, "status", "--porcelain", "--", ".")
	if err != nil {
		return nil, err
	}
	if status != "" {
		lines := strings.Split(strings.TrimRight(status, "\n"), "\n")
		const most = 5
		if len(lines) > most {
			lines = append(lines[:most], fmt.Sprintf("and %d more", len(lines)-most))
		}
		return nil, fmt.Errorf("there are changes that are not committed:\n%s\ncommit or stash them; if a renaming was cut short, git checkout . takes it back", strings.Join(lines, "\n"))
	}
	list, err := git(dir, "ls-files", "-z")
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(list, func(r rune) bool { return r == 0 }), nil
}

// git runs a command of git's in dir and returns what it prints.
func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

// fetchable tells whether go get would look for a path on the web.
func fetchable(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return strings.Contains(first, ".")
}

// check tells what is wrong with a module's path. One that go get cannot fetch is
// allowed, as today's is: replace and go work do with it.
func check(p string) error {
	if !fetchable(p) {
		if err := module.CheckImportPath(p); err != nil {
			return err
		}
		first, _, _ := strings.Cut(p, "/")
		goroot, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("go env GOROOT: %w", err)
		}
		if _, err := os.Stat(filepath.Join(strings.TrimSpace(string(goroot)), "src", first)); err == nil {
			return fmt.Errorf("%s would be taken for a package of the standard library", p)
		}
		return nil
	}
	if err := module.CheckPath(p); err != nil {
		return err
	}
	if _, major, _ := module.SplitPathVersion(p); major != "" {
		return fmt.Errorf("%s ends in a version, and no such one has been released", p)
	}
	return nil
}

// within tells whether a path is another one or below it.
func within(p, base string) bool { return p == base || strings.HasPrefix(p, base+"/") }
