package training

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"lookalike/internal/atomicfile"
	"lookalike/internal/words"
	"lookalike/picture/album"
)

// The sets of a table, as [Split.Write] names them.
const (
	LearnedSet = "train"      // learned from
	KeptSet    = "validation" // kept out, of classes that were learned
	UnseenSet  = "unseen"     // of classes that were kept out as a whole
)

// ErrNoSplit is that a file is no table of a division.
var ErrNoSplit = errors.New("is not a split: it must begin with the columns path,class,set")

// splitColumns are its heading.
var splitColumns = []string{"path", "class", "set"}

// Write writes which picture is in which set to a file, as a table in CSV.
func (s Split) Write(path string) error {
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write(splitColumns)
		for _, set := range []struct {
			name   string
			photos *album.Set
		}{{LearnedSet, s.Learned}, {KeptSet, s.Kept}, {UnseenSet, s.Unseen}} {
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

// ReadSplit reads a table that [Split.Write] has written, or another of its form, which
// may have other sets: it returns the set of each path, and the sets in the order in
// which they come. A file that is none is ErrNoSplit.
func ReadSplit(path string) (setOf map[string]string, sets []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the split: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, mostSplit))
	heading, err := r.Read()
	if err != nil || !slices.Equal(heading, splitColumns) {
		return nil, nil, fmt.Errorf("%s %w", path, ErrNoSplit)
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
