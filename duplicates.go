package lookalike

import (
	"context"
	"fmt"
	"math"

	"lookalike/describe"
	"lookalike/internal/dedup"
	"lookalike/knn"
)

// Group is a picture with its duplicates. The best, the one to keep, has the most pixels;
// of several, it is of the largest file, or the oldest, or the first by path.
type Group struct {
	Best   Hit
	Others []Duplicate // the nearest first; distances are from the best
}

// Duplicate is a picture that is a copy of the best of its group.
type Duplicate struct {
	Hit
	SameAs int // the row of the picture whose file has the same bytes, the best or one before this; -1 if there is none
}

// SameBytes makes Duplicates find pictures with files of the same bytes only.
func SameBytes() SearchOption { return func(o *searchOptions) { o.exact = true } }

// Comparing is told how many of all pictures Duplicates, Evaluate or FindThreshold has
// compared, one call at a time.
func Comparing(f func(done, all int)) SearchOption { return func(o *searchOptions) { o.tell = f } }

// Refusing is told of pictures that Duplicates does not take for copies of another one
// though they are within the distance of it, by their rows, and why: see [SecondLook].
func Refusing(f func(best, other int, reason error)) SearchOption {
	return func(o *searchOptions) { o.refusing = f }
}

// Unverified makes Duplicates go by vectors alone: it does not look at the pictures
// again.
func Unverified() SearchOption { return func(o *searchOptions) { o.unverified = true } }

// Duplicates finds groups of pictures that are copies of one another: all of a group are
// within the distance of its best, and a second look at the pictures themselves confirms
// it ([SecondLook]). Without [Within] the distance is that of a threshold
// that was found from distances and is kept in the index, or else the model's own, below
// which pictures are copies; it is an error if there is neither. Files of the same bytes
// are always found. A file with more than a picture, such as pages or frames, or what a
// camera's sensor saw, is a copy only of files of the same bytes. Of the options, By, Where,
// SameBytes, Comparing, Refusing and Unverified count too. The inner product tells no
// copies.
func (x *Index) Duplicates(ctx context.Context, options ...SearchOption) ([]Group, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	o := v.searchOptions(options)
	if err := describe.Current(v.g.Recipe); err != nil && !o.exact {
		return nil, err
	}
	within := o.within
	switch {
	case o.exact:
		within = math.NaN()
	case o.metric == knn.InnerProduct:
		return nil, fmt.Errorf("lookalike.Duplicates: by the %s, copies are not nearer than other pictures; choose another metric", o.metric)
	case !o.radius:
		limit, ok := describe.CopyLimit(v.g, o.metric)
		if within = limit.Distance; !ok {
			return nil, fmt.Errorf("lookalike.Duplicates: nothing says up to which %s distance pictures are copies by %s; give Within", o.metric, describe.Words(v.g.Recipe))
		}
	case !(within >= 0):
		return nil, fmt.Errorf("lookalike.Duplicates: no pictures are within a distance of %v; give 0 or more", within)
	}
	rows := dedup.Options{Metric: o.metric, Within: within, Done: o.telling(len(v.g.Entries))}
	if o.keep != nil {
		rows.Skip = func(row int) bool { return !o.keep(v.g.Entries[row]) }
	}
	if !o.unverified {
		l := v.looker()
		rows.Refuse = func(ctx context.Context, best int, others []int) ([]bool, error) {
			reasons, err := l.refusals(ctx, best, others)
			if err != nil {
				return nil, err
			}
			refused := make([]bool, len(others))
			for i, reason := range reasons {
				if refused[i] = reason != nil; refused[i] && o.refusing != nil {
					o.refusing(best, others[i], reason)
				}
			}
			return refused, nil
		}
	}
	groups, err := dedup.Groups(ctx, v.g, rows)
	if err != nil {
		return nil, err
	}
	var found []Group
	for _, g := range groups {
		group := Group{Best: Hit{v.g.Entries[g.Best], g.Best, 0}}
		for _, other := range g.Others {
			group.Others = append(group.Others, Duplicate{Hit{v.g.Entries[other.Row], other.Row, other.Distance}, other.Same})
		}
		found = append(found, group)
	}
	return found, nil
}
