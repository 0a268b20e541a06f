package exchange

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"

	"lookalike/gallery"
	"lookalike/picture/album"
)

// ErrOutside is that a picture does not lie in the folder of all of them.
var ErrOutside = errors.New("does not lie in a folder of photos")

// Name says of imported vectors which pictures they are of, before the gallery is saved:
// root is the folder that these lie in, "" if it is not known; paths and labels have one
// for each vector, in the order of the file, and are nil to leave them as they are. A
// picture that gets a path, and has no label, has the name of the folder in it. Paths
// within root are made relative to it; one that is absolute otherwise is ErrOutside.
func Name(g *gallery.Gallery, root string, paths, labels []string) error {
	if g == nil {
		return errors.New("gallery: the gallery is nil")
	}
	for what, list := range map[string][]string{"paths": paths, "labels": labels} {
		if list != nil && len(list) != len(g.Entries) {
			return fmt.Errorf("gallery: %d %s for %d vectors", len(list), what, len(g.Entries))
		}
	}
	if root != "" {
		root, err := filepath.Abs(root)
		if err != nil {
			return err
		}
		g.Root = root
	}
	for i := range g.Entries {
		e := &g.Entries[i]
		if paths != nil {
			e.Path = paths[i]
		}
		if e.Path = relativeTo(g.Root, e.Path); filepath.IsAbs(e.Path) {
			return fmt.Errorf("the path %s %w", e.Path, ErrOutside)
		}
		switch {
		case labels != nil:
			e.Label = labels[i]
		case paths != nil && e.Label == "":
			e.Label = album.LabelOf(e.Path)
		}
	}
	return nil
}

// relativeTo returns a path as an index has it: from the root on, if that is known.
func relativeTo(root, name string) string {
	if root != "" && filepath.IsAbs(name) {
		if rel, err := filepath.Rel(root, name); err == nil {
			name = rel
		}
	}
	return path.Clean(filepath.ToSlash(name))
}
