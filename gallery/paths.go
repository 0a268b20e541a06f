package gallery

import (
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
