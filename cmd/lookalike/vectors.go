package main

import (
	"fmt"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/internal/words"
	"lookalike/tensor"
)

// vectors says in words what an index holds of each picture.
func vectors(g *gallery.Gallery) string {
	if g.PCA != nil {
		kept := 0.0
		for _, part := range g.PCA.ExplainedVarianceRatio {
			kept += part
		}
		return fmt.Sprintf("%s, %d of %d principal components with %.1f%% of the variance", describe.Words(g.Recipe), g.Vectors.Dim(1), g.PCA.Mean.Len(), 100*kept)
	}
	return fmt.Sprintf("%s of %d numbers", describe.Words(g.Recipe), g.Vectors.Dim(1))
}

// inFolders returns the rows of the pictures whose class is known, and says how many
// others there are.
func (a *app) inFolders(g *gallery.Gallery) []int {
	var rows []int
	for i, e := range g.Entries {
		if e.Label != "" {
			rows = append(rows, i)
		}
	}
	if left := len(g.Entries) - len(rows); left > 0 {
		a.Warn("note: %s %s in no folder, so of no known class, and left out", words.Count(left, "picture"), words.IsOrAre(left))
	}
	return rows
}

// classesOf returns the classes of some pictures of an index.
func classesOf(g *gallery.Gallery, rows []int) []string {
	labels := make([]string, len(rows))
	for i, row := range rows {
		labels[i] = g.Entries[row].Label
	}
	return labels
}

// rowsOf returns the vectors of some pictures of an index, a copy unless these are all.
func rowsOf(g *gallery.Gallery, rows []int) (*tensor.Tensor, error) {
	if len(rows) == len(g.Entries) {
		return g.Vectors, nil
	}
	d := g.Vectors.Dim(1)
	if err := memory.Allows(4 * int64(g.Vectors.Len()+len(rows)*d)); err != nil {
		return nil, fmt.Errorf("all vectors of the index, and %d of them once more: %w", len(rows), err)
	}
	x := tensor.New(len(rows), d)
	for to, from := range rows {
		copy(x.Row(to), g.Vectors.Row(from))
	}
	return x, nil
}
