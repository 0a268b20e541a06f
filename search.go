package lookalike

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/dedup"
	"lookalike/knn"
	"lookalike/picture"
)

// Hit is a picture that was found.
type Hit struct {
	Entry
	Row      int     // in [Index.Entries]
	Distance float64 // from the query
}

// SearchOption says what a search may find.
type SearchOption func(*searchOptions)

type searchOptions struct {
	metric  knn.Metric
	given   bool // the metric
	within  float64
	radius  bool
	keep    func(Entry) bool
	notSelf bool
}

// By is the metric that distances are measured in. Without it, it is the one that suits
// the model: the Euclidean distance for codes and perceptual descriptions, else cosine.
func By(metric knn.Metric) SearchOption {
	return func(o *searchOptions) { o.metric, o.given = metric, true }
}

// Within finds pictures at that distance or nearer only.
func Within(distance float64) SearchOption {
	return func(o *searchOptions) { o.within, o.radius = distance, true }
}

// Where finds those pictures only that keep is true of. It is asked before the search, of
// each picture of the index, on the goroutine of the caller. Of several the last counts.
func Where(keep func(Entry) bool) SearchOption { return func(o *searchOptions) { o.keep = keep } }

// ExceptSelf leaves out the query itself: the picture of the index that it is, else
// those with files of the same bytes. (A vector, a picture in memory and a region have
// no file, so for them nothing is left out but the row of the index that they are.)
func ExceptSelf() SearchOption { return func(o *searchOptions) { o.notSelf = true } }

// All, as the number of pictures to find, is all of them.
const All = math.MaxInt

// Search finds the k pictures that are most like the query, the nearest first; of two as
// near, the one whose path comes first. There are fewer than k if the index has no more,
// or the options allow no more.
func (x *Index) Search(ctx context.Context, q Query, k int, options ...SearchOption) ([]Hit, error) {
	found, err := x.SearchAll(ctx, []Query{q}, k, options...)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// SearchAll is Search for many queries at once: the more there are, the less each costs.
// One that cannot be read as a picture is a [*SkipError], and nothing is searched.
func (x *Index) SearchAll(ctx context.Context, queries []Query, k int, options ...SearchOption) ([][]Hit, error) {
	if k < 1 {
		return nil, fmt.Errorf("lookalike.Search: %d pictures cannot be found; give 1 or more, or All", k)
	}
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	o := searchOptions{metric: describe.Metric(v.g.Recipe)}
	apply(&o, options)
	queries = slices.Clone(queries)
	for i := range queries {
		if o.notSelf {
			queries[i].sum = sha256.New()
		}
	}
	vectors, err := v.describe(ctx, queries)
	if err != nil {
		return nil, err
	}
	return v.search(ctx, queries, vectors, k, o)
}

// search finds the neighbours of queries, whose vectors are given.
func (v *version) search(ctx context.Context, queries []Query, vectors [][]float32, k int, o searchOptions) ([][]Hit, error) {
	searcher, err := v.searcher(o.metric)
	if err != nil {
		return nil, err
	}
	if o.keep != nil {
		searcher = searcher.Where(func(row int) bool { return o.keep(v.g.Entries[row]) })
	}
	selves, most := make([][]int, len(queries)), 0
	if o.notSelf {
		for i := range queries {
			selves[i] = v.self(&queries[i])
			most = max(most, len(selves[i]))
		}
	}
	var lists [][]knn.Neighbor
	if o.radius {
		lists, err = searcher.Within(ctx, vectors, o.within)
	} else {
		lists, err = searcher.Search(ctx, vectors, min(k, len(v.g.Entries))+most)
	}
	if err != nil {
		return nil, err
	}
	found := make([][]Hit, len(lists))
	for i, list := range lists {
		for _, n := range list {
			if len(found[i]) == k {
				break
			}
			if !slices.Contains(selves[i], n.Row) {
				found[i] = append(found[i], Hit{v.g.Entries[n.Row], n.Row, n.Distance})
			}
		}
	}
	return found, nil
}

// describe returns the vectors of queries, and notes which rows of the index they are.
func (v *version) describe(ctx context.Context, queries []Query) ([][]float32, error) {
	vectors := make([][]float32, len(queries))
	var left []int // to be described
	for i := range queries {
		q := &queries[i]
		if err := v.place(q); err != nil {
			return nil, err
		}
		switch {
		case q.vector != nil:
			vectors[i] = q.vector
		case q.inside && q.whole():
			vectors[i] = v.g.Vectors.Row(q.row)
		default:
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return vectors, nil
	}
	model, err := v.model.get()
	if err != nil {
		return nil, err
	}
	load := func(k int) (*picture.Image, error) {
		return queries[left[k]].load(ctx, v.openPicture, v.g.Recipe.Options())
	}
	skip := func(k int, reason error) error { return &SkipError{queries[left[k]].name, rootCause(reason)} }
	described, err := describe.For(model, 0).Vectors(ctx, len(left), load, skip, func(int) {})
	if err != nil {
		return nil, err
	}
	for k, i := range left {
		vectors[i] = described[k]
	}
	return vectors, nil
}

// place finds the row of a query that is a picture of the index, and checks a vector.
func (v *version) place(q *Query) error {
	switch {
	case q.vector != nil && !q.whole():
		return errors.New("lookalike.Search: a vector has no region")
	case q.vector != nil && len(q.vector) != v.g.Vectors.Dim(1):
		return fmt.Errorf("lookalike.Search: the vector has %d values, those of the index %d", len(q.vector), v.g.Vectors.Dim(1))
	case q.path != "":
		if q.row = v.g.Row(q.path); q.row < 0 {
			return fmt.Errorf("lookalike.Search: the index has no picture %s", q.path)
		}
		q.inside = true
	case q.inside && (q.row < 0 || q.row >= len(v.g.Entries)):
		return fmt.Errorf("lookalike.Search: %w", noRow(q.row, len(v.g.Entries)))
	}
	return nil
}

// self returns the rows that are the query itself, which has been read.
func (v *version) self(q *Query) []int {
	switch {
	case q.inside:
		return []int{q.row}
	case q.open == nil || !q.whole():
		return nil
	}
	if q.file != "" && v.root != "" {
		if row := v.g.RowOf(v.root, q.file); row >= 0 {
			return []int{row}
		}
	}
	sum := [sha256.Size]byte(q.sum.Sum(nil))
	var rows []int
	for row, f := range v.g.Files {
		if f.SHA256 == sum {
			rows = append(rows, row)
		}
	}
	return rows
}

// Group is a picture with its duplicates. The best, the one to keep, has the most pixels;
// of several, it is of the largest file, or the oldest, or the first by path.
type Group struct {
	Best   Hit
	Others []Hit // the nearest first; distances are from the best
}

// Duplicates finds groups of pictures that are copies of one another: all of a group are
// within the distance of its best, by their vectors, which know nothing of what a file
// has besides its picture, such as more pages or frames. Without [Within] the distance is
// that of a threshold that was found from distances and is kept in the index, or else the
// model's own, below which pictures are copies; it is an error if there is neither. Of
// the options, By and Where count too. The inner product tells no copies.
func (x *Index) Duplicates(ctx context.Context, options ...SearchOption) ([]Group, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	o := searchOptions{metric: describe.Metric(v.g.Recipe)}
	apply(&o, options)
	if o.metric == knn.InnerProduct {
		return nil, fmt.Errorf("lookalike.Duplicates: copies are no nearer by the %s than other pictures; choose another metric", o.metric)
	}
	within := o.within
	switch {
	case o.radius && !(within >= 0):
		return nil, fmt.Errorf("lookalike.Duplicates: no pictures are within a distance of %v; give 0 or more", within)
	case !o.radius:
		if within = v.copies(o.metric); within == 0 {
			return nil, fmt.Errorf("lookalike.Duplicates: nothing says up to which %s distance pictures are copies by %s; give Within", o.metric, describe.Words(v.g.Recipe))
		}
	}
	skip := func(row int) bool { return o.keep != nil && !o.keep(v.g.Entries[row]) }
	groups, err := dedup.Groups(ctx, v.g, dedup.Options{Metric: o.metric, Within: within, Skip: skip})
	if err != nil {
		return nil, err
	}
	var found []Group
	for _, g := range groups {
		group := Group{Best: Hit{v.g.Entries[g.Best], g.Best, 0}}
		for _, other := range g.Others {
			group.Others = append(group.Others, Hit{v.g.Entries[other.Row], other.Row, other.Distance})
		}
		found = append(found, group)
	}
	return found, nil
}

// copies is the distance up to which pictures of the index are copies, 0 if none is known.
func (v *version) copies(metric knn.Metric) float64 {
	if t, ok := v.g.Threshold(metric.String()); ok && t.Method == gallery.FromDistances {
		return t.Distance
	}
	return describe.LimitsOf(v.g.Recipe, metric).Copies
}
