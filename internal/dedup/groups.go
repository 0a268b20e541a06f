// Package dedup finds groups of near duplicates among described pictures.
package dedup

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/knn"
	"lookalike/tensor"
)

// Group is a picture and what duplicates it.
type Group struct {
	Best   int // its row in the gallery
	Others []Other
}

// Other is a duplicate of a group's best.
type Other struct {
	Row      int
	Distance float64 // from the best
	Same     int     // the row of the picture that it equals byte for byte, which stays or comes before it; -1 if none
}

// better orders pictures: the one to keep first. It is the one of more pixels,
// then of the larger file, then the older, then the first by path.
func better(g *gallery.Gallery, a, b int) int {
	x, y := g.Entries[a], g.Entries[b]
	return cmp.Or(
		cmp.Compare(int64(y.Width)*int64(y.Height), int64(x.Width)*int64(x.Height)),
		cmp.Compare(g.Files[b].Size, g.Files[a].Size),
		g.Files[a].Modified.Compare(g.Files[b].Modified),
		cmp.Compare(x.Path, y.Path),
	)
}

// Options say what duplicates are.
type Options struct {
	Metric knn.Metric
	Within float64            // the greatest distance of a duplicate from its group's best; NaN: only files of the same bytes are duplicates
	Skip   func(row int) bool // pictures to leave out; nil: none
	Done   func(pictures int) // is told how many pictures have been compared; may be nil

	// Refuse returns for each of some pictures that are within the distance of another
	// whether it is no duplicate of it all the same; nil: all are.
	Refuse func(ctx context.Context, best int, others []int) ([]bool, error)
}

// Groups returns the groups of near duplicates, those with the best first by
// path, and in each the nearest others first.
//
// A group is a picture, its best, with all pictures within the distance of it that
// Refuse lets pass. So every one that may be put away is near to the one that stays. Groups that
// grow by links (a is near b, b near c) have no such bound: along a series of
// photographs they lead from one to quite another. The price is that c, near to
// b alone, which has gone to a, stays as it is.
//
// Pictures become bests in the order of better, unless they are within the
// distance of an earlier one; the others go to the nearest best, the better one
// of two as near.
func Groups(ctx context.Context, g *gallery.Gallery, o Options) ([]Group, error) {
	order, same := o.contents(g)
	best, distance := make([]int, len(order)), make([]float64, len(order))
	for i := range best {
		best[i] = -1
	}
	if !math.IsNaN(o.Within) && len(order) > 1 {
		if err := o.link(ctx, g, order, best, distance); err != nil {
			return nil, err
		}
	}

	place := make(map[int]int, len(order)) // in order, of each row
	groups := map[int]*Group{}             // by the place of their best
	join := func(at int, other Other) {
		if groups[at] == nil {
			groups[at] = &Group{Best: order[at]}
		}
		groups[at].Others = append(groups[at].Others, other)
	}
	for i, row := range order {
		place[row] = i
		if best[i] >= 0 {
			join(best[i], Other{row, distance[i], -1})
		}
	}
	for row, of := range same {
		i := place[of]
		if best[i] >= 0 {
			join(best[i], Other{row, distance[i], of})
		} else {
			join(i, Other{row, 0, of})
		}
	}
	return sorted(g, groups), nil
}

// contents returns one picture for each content, best first, and of all others
// which of those has their bytes.
func (o Options) contents(g *gallery.Gallery) (order []int, same map[int]int) {
	var all []int
	for row := range g.Entries {
		if o.Skip == nil || !o.Skip(row) {
			all = append(all, row)
		}
	}
	slices.SortFunc(all, func(a, b int) int { return better(g, a, b) })
	same = map[int]int{}
	first := map[[32]byte]int{}
	for _, row := range all {
		sum := g.Files[row].SHA256
		if of, ok := first[sum]; ok && sum != [32]byte{} {
			same[row] = of
			continue
		}
		first[sum] = row
		order = append(order, row)
	}
	return order, same
}

// sorted puts groups in the order of Groups.
func sorted(g *gallery.Gallery, groups map[int]*Group) []Group {
	var list []Group
	for _, group := range groups {
		slices.SortFunc(group.Others, func(a, b Other) int {
			return cmp.Or(cmp.Compare(a.Distance, b.Distance), better(g, a.Row, b.Row))
		})
		list = append(list, *group)
	}
	slices.SortFunc(list, func(a, b Group) int { return cmp.Compare(g.Entries[a.Best].Path, g.Entries[b.Best].Path) })
	return list
}

// link finds the best of each picture among those before it in order: its place
// there, and how far it is. -1 stays where a picture is a best itself.
func (o Options) link(ctx context.Context, g *gallery.Gallery, order, best []int, distance []float64) error {
	// In order, they are in memory twice.
	if err := memory.Allows(4 * int64(g.Vectors.Len()+len(order)*g.Vectors.Dim(1))); err != nil {
		return fmt.Errorf("dedup: the vectors of %d pictures, twice: %w", len(order), err)
	}
	vectors := tensor.New(len(order), g.Vectors.Dim(1))
	for i, row := range order {
		copy(vectors.Row(i), g.Vectors.Row(row))
	}
	index, err := knn.New(vectors, o.Metric)
	if err != nil {
		return err
	}
	if err := o.bearable(ctx, index, vectors); err != nil {
		return err
	}
	// Pairs come by ascending a. Whether a is a best is decided by the pairs of
	// those before it.
	at, near := -1, []knn.Pair(nil) // the best at hand, and what it may get
	take := func() error {
		refused := make([]bool, len(near))
		if o.Refuse != nil && len(near) > 0 {
			rows := make([]int, len(near))
			for i, p := range near {
				rows[i] = order[p.B]
			}
			var err error
			if refused, err = o.Refuse(ctx, order[at], rows); err != nil {
				return err
			}
		}
		for i, p := range near {
			if !refused[i] {
				best[p.B], distance[p.B] = at, p.Distance
			}
		}
		near = near[:0]
		return nil
	}
	for p, err := range index.Pairs(ctx, o.Within) {
		if err != nil {
			return err
		}
		if p.A != at {
			if err := take(); err != nil {
				return err
			}
			if at = p.A; o.Done != nil {
				o.Done(at)
			}
		}
		if best[at] < 0 && (best[p.B] < 0 || p.Distance < distance[p.B]) {
			near = append(near, p)
		}
	}
	return take()
}

// mostPairs bounds the memory for pairs, at 16 bytes each in some thousand rows.
const mostPairs = 20_000_000

// bearable returns an error if so many pictures are within the distance of each
// other that it cannot be meant.
func (o Options) bearable(ctx context.Context, index *knn.Index, vectors *tensor.Tensor) error {
	const sample = 32
	n := index.Len()
	var queries [][]float32
	for i := range min(sample, n) {
		queries = append(queries, vectors.Row(i*n/min(sample, n)))
	}
	lists, err := index.Within(ctx, queries, o.Within)
	if err != nil {
		return err
	}
	near := 0
	for _, list := range lists {
		near += len(list)
	}
	if mean := float64(near) / float64(len(lists)); mean*float64(min(n, 4096)) > mostPairs {
		return fmt.Errorf("dedup: within a distance of %v, %.0f%% of all pictures are duplicates of each other: that is too large a distance", o.Within, 100*mean/float64(n))
	}
	return nil
}
