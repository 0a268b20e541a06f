package main

import (
	"fmt"

	"lookalike/cmd/lookalike/internal/cli"
)

// What search, dups and map have in common when they draw their results.

const (
	// sheetColumns is the query with five neighbours, the default, in one row.
	// More pictures are spread evenly over several.
	sheetColumns = 6

	// sheetMost is how many pictures a sheet may have: about 300 MB in memory.
	sheetMost = 3000
)

// longestOf returns how many pictures the largest of a sheet's groups has. More in
// all than a sheet may have are an error.
func longestOf(groups []int) (longest int, err error) {
	total := 0
	for _, n := range groups {
		total += n
		longest = max(longest, n)
	}
	if total > sheetMost {
		return 0, fmt.Errorf("%d pictures are too many for a sheet, which has at most %d; write a page with --html, or show fewer", total, sheetMost)
	}
	return longest, nil
}

// notDrawn reports a picture that cannot be read any more, and counts it for
// --strict. where is "on the sheet", "on the page" or the like.
func notDrawn(t *cli.Terminal, where string, err error) {
	t.Warn("warning: not %s: %v%s", where, err, unusable(err))
	t.Skipped++
}
