package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"lookalike/internal/atomicfile"
	"lookalike/picture"
)

// The sets that train divides pictures into.
const (
	trainSet      = "train"      // learned from
	validationSet = "validation" // kept out, of classes that were learned
	unseenSet     = "unseen"     // of classes that were kept out as a whole
)

// group is one of them.
type group struct {
	set    string
	photos *picture.Set
}

// split keeps a share of the pictures, evenly spaced, out of training. A share of
// 0 keeps none.
func split(photos *picture.Set, share float64) (learned, kept *picture.Set, err error) {
	n := photos.Len()
	k := int(math.Round(share * float64(n)))
	if share > 0 && (k < 1 || k >= n) {
		return nil, nil, fmt.Errorf("--validation %v of %s leaves none to learn from or none to validate on; give more pictures or another share", share, count(n, "picture"))
	}
	out := spread(k, n)
	var in []int
	for i := range n {
		if _, found := slices.BinarySearch(out, i); !found {
			in = append(in, i)
		}
	}
	return photos.Pick(in), photos.Pick(out), nil
}

// spread returns at most k numbers below n, evenly spaced.
func spread(k, n int) []int {
	k = min(k, n)
	rows := make([]int, k)
	for i := range rows {
		rows[i] = (2*i + 1) * n / (2 * k)
	}
	return rows
}

// splitColumns are the heading of the table that --split writes and reads.
var splitColumns = []string{"path", "class", "set"}

// writeSplit writes which picture is in which set; a path of "" is no table.
func writeSplit(path string, groups ...group) error {
	if path == "" {
		return nil
	}
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write(splitColumns)
		for _, g := range groups {
			for i := range g.photos.Len() {
				w.Write([]string{g.photos.Path(i), g.photos.Label(i), g.set})
			}
		}
		w.Flush()
		return w.Error()
	})
}

// mostSplit bounds the size of a table that is read.
const mostSplit = 1 << 30

// readSplit returns the set of each path, and the sets in the order in which
// they come.
func readSplit(path string) (setOf map[string]string, sets []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the split: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, mostSplit))
	heading, err := r.Read()
	if err != nil || !slices.Equal(heading, splitColumns) {
		return nil, nil, fmt.Errorf("%s is no split: it must begin with the columns path,class,set, as 'lookalike train --split' writes it", path)
	}
	setOf = map[string]string{}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		if _, twice := setOf[line[0]]; twice {
			return nil, nil, fmt.Errorf("%s: %s comes twice", path, printable(line[0]))
		}
		setOf[line[0]] = line[2]
		if !slices.Contains(sets, line[2]) {
			sets = append(sets, line[2])
		}
	}
	if len(sets) > mostSets {
		return nil, nil, fmt.Errorf("%s: %d sets are more than %d", path, len(sets), mostSets)
	}
	return setOf, sets, nil
}

// mostSets bounds the sets of a split.
const mostSets = 100
