package lookalike

import (
	"context"
	"fmt"
	"math"
	"slices"

	"lookalike/describe"
	"lookalike/knn"
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
	within  float64
	radius  bool
	keep    func(Entry) bool
	notSelf bool
	notFile bool
	exact   bool
	tell    func(done, all int)

	unverified bool
	refusing   func(best, other int, reason error)
}

// By is the metric that distances are measured in. Without it, it is the one that suits
// the model: the Euclidean distance for codes and perceptual descriptions, else cosine.
func By(metric knn.Metric) SearchOption {
	return func(o *searchOptions) { o.metric = metric }
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

// ExceptFile leaves out the picture of the index that the query is: its row, or the file of
// its path. Another file of the same bytes is found, unlike with [ExceptSelf].
func ExceptFile() SearchOption { return func(o *searchOptions) { o.notFile = true } }

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
// One that cannot be read as a picture is a [*SkipError], and nothing is searched: see
// [Index.Describe] for how to go on without it.
func (x *Index) SearchAll(ctx context.Context, queries []Query, k int, options ...SearchOption) ([][]Hit, error) {
	if k < 1 {
		return nil, fmt.Errorf("lookalike.Search: %d pictures cannot be found; give 1 or more, or All", k)
	}
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	o := v.searchOptions(options)
	if queries, err = v.describe(ctx, queries, describeOptions{}); err != nil {
		return nil, err
	}
	return v.search(ctx, queries, k, o)
}

// searchOptions are those that are given, and the metric that suits the index.
func (v *version) searchOptions(options []SearchOption) searchOptions {
	o := searchOptions{metric: describe.Metric(v.g.Recipe)}
	apply(&o, options)
	return o
}

// kept tells whether Where leaves a picture.
func (o *searchOptions) kept(e Entry) bool { return o.keep == nil || o.keep(e) }

// telling tells Comparing how many of all pictures are done; nil if nobody asks.
func (o *searchOptions) telling(all int) func(done int) {
	if o.tell == nil {
		return nil
	}
	return func(done int) { o.tell(done, all) }
}

// search finds the neighbours of queries that have been described.
func (v *version) search(ctx context.Context, queries []Query, k int, o searchOptions) ([][]Hit, error) {
	searcher, err := v.searcher(o.metric)
	if err != nil {
		return nil, err
	}
	if o.keep != nil {
		searcher = searcher.Where(func(row int) bool { return o.keep(v.g.Entries[row]) })
	}
	vectors, selves, most := make([][]float32, len(queries)), make([][]int, len(queries)), 0
	for i := range queries {
		vectors[i] = queries[i].Vector()
		if o.notFile || o.notSelf {
			selves[i] = v.rowOf(&queries[i])
		}
		if o.notSelf && selves[i] == nil {
			if selves[i], err = v.sameBytes(&queries[i]); err != nil {
				return nil, &SkipError{queries[i].name, err}
			}
		}
		most = max(most, len(selves[i]))
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
		found[i] = make([]Hit, 0, min(k, len(list)))
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

// place finds the row of a query that is a picture of the index, and checks a vector.
func (v *version) place(q *Query) error {
	switch {
	case q.path != "":
		if q.row = v.g.Row(q.path); q.row < 0 {
			return fmt.Errorf("lookalike: the index has no picture %s", q.path)
		}
		q.inside = true
	case q.inside && (q.row < 0 || q.row >= len(v.g.Entries)):
		return fmt.Errorf("lookalike: %w", noRow(q.row, len(v.g.Entries)))
	}
	return q.check(v.g.Vectors.Dim(1))
}

// rowOf returns the row that a query is, alone; nil if it is not a picture of the index.
func (v *version) rowOf(q *Query) []int {
	switch {
	case q.inside:
		return []int{q.row}
	case q.open == nil || !q.whole() || q.file == "" || v.root == "":
		return nil
	}
	if row := v.g.RowOf(v.root, q.file); row >= 0 {
		return []int{row}
	}
	return nil
}

// sameBytes returns the rows whose files have the bytes of the query's.
func (v *version) sameBytes(q *Query) (rows []int, err error) {
	if q.open == nil || !q.whole() {
		return nil, nil
	}
	sum, err := q.SHA256()
	if err != nil {
		return nil, err
	}
	for row, f := range v.g.Files {
		if f.SHA256 == sum {
			rows = append(rows, row)
		}
	}
	return rows, nil
}
