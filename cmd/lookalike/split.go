package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"lookalike/internal/atomicfile"
	"lookalike/internal/split"
	"lookalike/internal/words"
	"lookalike/picture/album"
)

// The sets of a table that train writes and eval reads.
const (
	trainSet      = "train"      // learned from
	validationSet = "validation" // kept out, of classes that were learned
	unseenSet     = "unseen"     // of classes that were kept out as a whole
)

// splitColumns are its heading.
var splitColumns = []string{"path", "class", "set"}

// writeSplit writes which picture is in which set; a path of "" is no table.
func writeSplit(path string, sets split.Split) error {
	if path == "" {
		return nil
	}
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write(splitColumns)
		for _, set := range []struct {
			name   string
			photos *album.Set
		}{{trainSet, sets.Learned}, {validationSet, sets.Kept}, {unseenSet, sets.Unseen}} {
			for i := range set.photos.Len() {
				w.Write([]string{set.photos.Path(i), set.photos.Label(i), set.name})
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
			return nil, nil, fmt.Errorf("%s: %s comes twice", path, words.Printable(line[0]))
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
