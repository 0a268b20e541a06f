package main

import (
	"fmt"

	"lookalike/gallery"
	"lookalike/internal/describe"
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
		a.warn("note: %s %s in no folder, so of no known class, and left out", count(left, "picture"), isOrAre(left))
	}
	return rows
}

// rowsOf returns the vectors and classes of some pictures of an index.
func rowsOf(g *gallery.Gallery, rows []int) (*tensor.Tensor, []string) {
	x, labels := g.Vectors, make([]string, len(rows))
	if len(rows) < len(g.Entries) {
		x = tensor.New(len(rows), g.Vectors.Dim(1))
	}
	for to, from := range rows {
		labels[to] = g.Entries[from].Label
		if x != g.Vectors {
			copy(x.Row(to), g.Vectors.Row(from))
		}
	}
	return x, labels
}
