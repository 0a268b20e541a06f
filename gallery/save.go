package gallery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lookalike/internal/memory"
)

// Save writes the gallery as a new index. The file appears whole or not at all;
// if there is something at path, also if it appears meanwhile, it stays as it is,
// and the error is [fs.ErrExist]. Entries need not be sorted; without Files,
// nothing is known of these.
func (g *Gallery) Save(path string) error {
	if err := g.save(path); err != nil {
		return fmt.Errorf("gallery: write %s: %w", path, err)
	}
	return nil
}

// Complete returns an error unless every picture has a vector and, if there are files,
// one of these.
func (g *Gallery) Complete() error {
	if g == nil {
		return errors.New("the gallery is nil")
	}
	if shape := g.Vectors.Shape(); len(shape) != 2 || shape[0] != len(g.Entries) || shape[1] < 1 {
		return fmt.Errorf("%d pictures and vectors of shape %v, want [%[1]d, d]", len(g.Entries), shape)
	}
	if g.Files != nil && len(g.Files) != len(g.Entries) {
		return fmt.Errorf("%d pictures and %d files", len(g.Entries), len(g.Files))
	}
	return nil
}

func (g *Gallery) save(path string) error {
	if err := g.Complete(); err != nil {
		return err
	}
	if err := g.fits(); err != nil {
		return err
	}
	if err := memory.Allows(takes(len(g.Entries), g.Vectors.Dim(1))); err != nil {
		return err
	}
	sorted := make([]int, len(g.Entries))
	for i, e := range g.Entries {
		if err := e.Validate(); err != nil {
			return fmt.Errorf("picture %d: %w", i, err)
		}
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int { return strings.Compare(g.Entries[a].Path, g.Entries[b].Path) })
	for k := 1; k < len(sorted); k++ {
		if path := g.Entries[sorted[k]].Path; path == g.Entries[sorted[k-1]].Path {
			return fmt.Errorf("path %q comes twice", path)
		}
	}
	for _, t := range g.Thresholds {
		if err := t.validate(); err != nil {
			return err
		}
	}
	s := state{Root: g.Root, Recipe: g.Recipe, Width: g.Vectors.Dim(1), Thresholds: g.Thresholds}
	if g.PCA != nil {
		s.Components = s.Width
	}
	return create(path, s, g.arrays(), len(sorted), func(k int) Row {
		i := sorted[k]
		r := Row{Entry: g.Entries[i], Vector: g.Vectors.Row(i)}
		if g.Files != nil {
			r.File = g.Files[i]
		}
		return r
	})
}
