package main

import (
	"fmt"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/words"
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

// noteOthers says how many pictures are in no folder, so that labels say nothing of them.
func noteOthers(t *cli.Terminal, entries []lookalike.Entry) {
	if left := len(entries) - labelled(entries); left > 0 {
		t.Warn("note: %s %s in no folder, so of no known class, and left out", words.Count(left, "picture"), words.IsOrAre(left))
	}
}

// labelled counts the pictures whose class is known.
func labelled(entries []lookalike.Entry) (n int) {
	for _, e := range entries {
		if e.Label != "" {
			n++
		}
	}
	return n
}
