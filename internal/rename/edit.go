package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"

	"golang.org/x/mod/modfile"
)

// A renaming is from one path of a module to another.
type renaming struct {
	from, to string
	folders  map[string]bool // of the module
}

// editor returns what renames in a file, by its name; nil for one that holds no paths.
func (r renaming) editor(name string) func(name string, text []byte) ([]byte, error) {
	switch {
	case path.Base(name) == "go.mod":
		return r.mod
	case path.Ext(name) == ".go":
		return r.source
	case path.Ext(name) == ".md":
		return r.document
	}
	return nil
}

// renamed returns a path after the renaming, and whether it is the module's or below it.
func (r renaming) renamed(p string) (string, bool) {
	if !within(p, r.from) {
		return p, false
	}
	return r.to + p[len(r.from):], true
}

// mod renames in a go.mod file: the module, and what requires and replaces it.
func (r renaming) mod(name string, text []byte) ([]byte, error) {
	f, err := modfile.Parse(name, text, nil)
	if err != nil {
		return nil, err
	}
	for _, replaced := range f.Replace {
		if path.Join(path.Dir(name), replaced.New.Path) == "." && replaced.Old.Path != r.from {
			return nil, fmt.Errorf("%s replaces %s by this module, whose go.mod says %s: it has been renamed in part", name, replaced.Old.Path, r.from)
		}
	}
	if f.Module != nil && f.Module.Mod.Path == r.to {
		return nil, fmt.Errorf("%s is in use: %s says it", r.to, name)
	}
	for _, required := range f.Require { // renamed back, what it has would be taken for ours
		if p := required.Mod.Path; within(p, r.to) && !within(p, r.from) {
			return nil, fmt.Errorf("%s is in use: %s requires %s", r.to, name, p)
		}
	}
	changed := false
	rename := func(tokens []string) {
		for i := range tokens {
			to, ours := r.renamed(tokens[i])
			tokens[i], changed = to, changed || ours
		}
	}
	for _, stmt := range f.Syntax.Stmt {
		switch stmt := stmt.(type) {
		case *modfile.Line:
			rename(stmt.Token)
		case *modfile.LineBlock:
			for _, line := range stmt.Line {
				rename(line.Token)
			}
		}
	}
	if !changed {
		return text, nil
	}
	f.SortBlocks()
	return modfile.Format(f.Syntax), nil
}

// source renames in a Go file, of any build tags: its imports, which are then sorted
// anew, and quoted paths elsewhere, as in text for generated files.
func (r renaming) source(name string, text []byte) ([]byte, error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var renamed []byte
	done := 0 // how much of text is in renamed
	for _, i := range f.Imports {
		at, literal := files.Position(i.Path.Pos()).Offset, i.Path.Value
		imported, err := strconv.Unquote(literal)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", name, literal, err)
		}
		renamed = append(renamed, r.quoted(text[done:at])...)
		if to, ours := r.renamed(imported); ours {
			literal = literal[:1] + to + literal[len(literal)-1:]
		}
		renamed = append(renamed, literal...)
		done = at + len(i.Path.Value)
	}
	renamed = append(renamed, r.quoted(text[done:])...)
	if bytes.Equal(renamed, text) {
		return text, nil
	}
	sorted, err := format.Source(renamed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return sorted, nil
}

// document renames in a text for people: quoted paths, imports, what go get, install
// and doc are given, and a line module=PATH, which is where README says the path.
// The bare word is left alone, for it may name the program.
func (r renaming) document(_ string, text []byte) ([]byte, error) {
	from := regexp.QuoteMeta(r.from)
	text = r.quoted(text)
	for _, place := range []string{
		`(?m)^(module=)` + from + `(\s|$)`,
		`(?m)^(\s*(?:import )?(?:[\w.]+ )?")` + from + `("\s*$)`,
		`(\bgo (?:get|install|doc) )` + from + "([/@\\s`]|$)",
	} {
		text = regexp.MustCompile(place).ReplaceAll(text, []byte("${1}"+r.to+"${2}"))
	}
	return text, nil
}

// quoted renames the paths of packages of ours that stand in quotes, escaped ones too.
func (r renaming) quoted(text []byte) []byte {
	paths := regexp.MustCompile(`"` + regexp.QuoteMeta(r.from) + `/([\w./-]+)\\?"`)
	return paths.ReplaceAllFunc(text, func(quoted []byte) []byte {
		if folder := paths.FindSubmatch(quoted)[1]; !r.folders[string(folder)] {
			return quoted // a file's name, or so
		}
		return append([]byte(`"`+r.to), quoted[1+len(r.from):]...)
	})
}
