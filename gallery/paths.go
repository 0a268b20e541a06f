package gallery

import (
	"path/filepath"
	"slices"
	"strings"

	"lookalike/internal/realpath"
)

// Row returns the number of the entry of that path, -1 if there is none.
func (g *Gallery) Row(path string) int {
	if g == nil {
		return -1
	}
	row, ok := slices.BinarySearchFunc(g.Entries, path, func(e Entry, path string) int { return strings.Compare(e.Path, path) })
	if !ok {
		return -1
	}
	return row
}

// RowOf returns the number of the entry whose picture is a file, -1 if there is none.
// The pictures lie below root. Names are compared as they are, and with symbolic links
// followed.
func (g *Gallery) RowOf(root, file string) int {
	for _, path := range realpath.Below(root, file) {
		if row := g.Row(path); row >= 0 {
			return row
		}
	}
	return -1
}

// Unfinished returns the name under which Rewrite makes the new index for path: beside
// it or, if it is a symbolic link, beside its target.
func Unfinished(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return path + ".new"
}
