package lookalike

import (
	"context"
	"slices"

	"lookalike/describe"
	"lookalike/picture"
)

// DescribeOption says what becomes of queries that are described.
type DescribeOption func(*describeOptions)

type describeOptions struct {
	unreadable func(i int, err *SkipError) error
	progress   func(done, all int)
}

// Unreadable is told of queries that cannot be read as pictures, by their numbers, and in
// order. If it returns nil, the others are described, and this one gets no vector; else
// its error ends the work.
func Unreadable(f func(i int, err *SkipError) error) DescribeOption {
	return func(o *describeOptions) { o.unreadable = f }
}

// Describing is told how many of all queries have been read, one call at a time; the
// first call is before any is read. It is not called if all have vectors already.
func Describing(f func(done, all int)) DescribeOption {
	return func(o *describeOptions) { o.progress = f }
}

func newDescribeOptions(options []DescribeOption) (o describeOptions) {
	apply(&o, options)
	return o
}

// Describe returns queries with their vectors, which searches of the index then begin
// with. (A search of an index that was made in another way describes them again.) Those that cannot be read are a [*SkipError], or left to [Unreadable].
func (x *Index) Describe(ctx context.Context, queries []Query, options ...DescribeOption) ([]Query, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	return v.describe(ctx, queries, newDescribeOptions(options))
}

func (v *version) describe(ctx context.Context, queries []Query, o describeOptions) ([]Query, error) {
	if err := describe.Current(v.g.Recipe); err != nil {
		return nil, err
	}
	queries, by := slices.Clone(queries), v.g.Recipe.Fingerprint()
	for i := range queries {
		q := &queries[i]
		q.forget(by)
		if err := v.place(q); err != nil {
			return nil, err
		}
		if q.inside && q.whole() {
			q.known = v.g.Vectors.Row(q.row)
		}
	}
	load := func(q *Query) (*picture.Image, error) { return q.load(ctx, v.openPicture, v.g.Recipe.Options()) }
	return queries, o.describe(ctx, queries, v.model.get, load)
}

// Describe is [Index.Describe] without an index: by a model, of pictures that are read as
// p says.
func Describe(ctx context.Context, model Model, queries []Query, p picture.Options, options ...DescribeOption) ([]Query, error) {
	if model == nil {
		return nil, errNoModel
	}
	queries, by := slices.Clone(queries), model.Recipe().Fingerprint()
	for i := range queries {
		queries[i].forget(by)
		if err := queries[i].check(model.Width()); err != nil {
			return nil, err
		}
	}
	get := func() (Model, error) { return model, nil }
	load := func(q *Query) (*picture.Image, error) { return q.load(ctx, nil, p) }
	return queries, newDescribeOptions(options).describe(ctx, queries, get, load)
}

// describe gives vectors to the queries that have none.
func (o describeOptions) describe(ctx context.Context, queries []Query, get func() (Model, error), load func(*Query) (*picture.Image, error)) error {
	var left []*Query
	var numbers []int // theirs
	for i := range queries {
		if queries[i].Vector() == nil {
			left, numbers = append(left, &queries[i]), append(numbers, i)
		}
	}
	if len(left) == 0 {
		return nil
	}
	model, err := get()
	if err != nil {
		return err
	}
	at := len(queries) - len(left)
	tell := func() {
		if o.progress != nil {
			o.progress(at, len(queries))
		}
	}
	tell()
	done := func(int) { at++; tell() }
	skip := func(k int, reason error) error {
		done(k)
		err := &SkipError{left[k].name, reason}
		if o.unreadable == nil {
			return err
		}
		return o.unreadable(numbers[k], err)
	}
	vectors, err := describe.For(model, 0).Vectors(ctx, len(left), func(k int) (*picture.Image, error) { return load(left[k]) }, skip, done)
	if err != nil {
		return err
	}
	for k, v := range vectors {
		left[k].known = v
	}
	return nil
}
