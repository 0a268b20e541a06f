package lookalike

import (
	"context"
	"fmt"

	"lookalike/knn/tsne"
)

// Layout is where pictures of an index lie in the plane.
type Layout struct {
	Rows         []int // of the pictures, in [Index.Entries]
	*tsne.Layout       // of each of these a point
}

// Layout lays the pictures of the index out in the plane so that like ones lie together.
// Of the options, By (which must not be the inner product) and Where count.
func (x *Index) Layout(ctx context.Context, how tsne.Options, options ...SearchOption) (Layout, error) {
	v, err := x.enter()
	if err != nil {
		return Layout{}, err
	}
	defer v.guard.Leave()
	o := v.searchOptions(options)
	rows := v.rows(o.kept)
	if len(rows) == 0 {
		return Layout{}, fmt.Errorf("%s has no pictures to lay out", v.path)
	}
	vectors, err := v.vectors(rows)
	if err != nil {
		return Layout{}, err
	}
	points, err := tsne.Embed(ctx, vectors, o.metric, how)
	if err != nil {
		return Layout{}, err
	}
	return Layout{rows, points}, nil
}
