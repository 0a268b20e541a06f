package lookalike

import (
	"context"
	"errors"
	"fmt"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/knn/retrieval"
	"lookalike/tensor"
)

// Evaluate says how good searches of the index are, given labels: each picture is
// searched for among all others, and those of its own label are the hits. Pictures without
// a label are left out. Of the options, By, Where (which may leave only one part of
// the index, such as what a network has not learned from) and Comparing count. At least
// two labels are needed.
func (x *Index) Evaluate(ctx context.Context, options ...SearchOption) (*retrieval.Report, error) {
	v, err := x.enter()
	if err != nil {
		return nil, err
	}
	defer v.guard.Leave()
	o := v.searchOptions(options)
	rows := v.rows(func(e Entry) bool { return e.Label != "" && o.kept(e) })
	vectors, err := v.vectors(rows)
	if err != nil {
		return nil, err
	}
	return retrieval.Evaluate(ctx, vectors, v.labels(rows), o.metric, o.telling(len(rows)))
}

// Threshold is a distance up to which two pictures are a match, with how it was found.
type Threshold struct {
	Method string `json:"method"` // gallery.FromLabels or gallery.FromDistances
	*retrieval.Threshold
}

// ThresholdMethod is how a threshold is best found for pictures: from their labels if
// these tell right from wrong, because there are two, one of them of two pictures; else
// from distances.
func ThresholdMethod(entries []Entry) string {
	pictures, several := map[string]int{}, false
	for _, e := range entries {
		if e.Label != "" {
			pictures[e.Label]++
			several = several || pictures[e.Label] > 1
		}
	}
	if len(pictures) > 1 && several {
		return gallery.FromLabels
	}
	return gallery.FromDistances
}

// FindThreshold finds the greatest distance up to which at most a share of the matches
// are false; it is [retrieval.ErrShare] if there is none. By gallery.FromLabels a match is
// false if its two pictures have different labels, and those without one are left out;
// by gallery.FromDistances, if they are no nearer than unrelated ones come by chance. Of
// the options, By, Where and Comparing count.
func (x *Index) FindThreshold(ctx context.Context, method string, share float64, options ...SearchOption) (Threshold, error) {
	v, err := x.enter()
	if err != nil {
		return Threshold{}, err
	}
	defer v.guard.Leave()
	o := v.searchOptions(options)
	labelled := method == gallery.FromLabels
	if !labelled && method != gallery.FromDistances {
		return Threshold{}, fmt.Errorf("lookalike.FindThreshold: no threshold is found by %q; give gallery.FromLabels or gallery.FromDistances", method)
	}
	rows := v.rows(func(e Entry) bool { return (e.Label != "" || !labelled) && o.kept(e) })
	vectors, err := v.vectors(rows)
	if err != nil {
		return Threshold{}, err
	}
	t := Threshold{Method: method}
	if labelled {
		t.Threshold, err = retrieval.ByLabels(ctx, vectors, v.labels(rows), o.metric, share, o.telling(len(rows)))
	} else {
		t.Threshold, err = retrieval.ByDistances(ctx, vectors, o.metric, share, o.telling(len(rows)))
	}
	if err != nil {
		return Threshold{}, err
	}
	return t, nil
}

// SaveThreshold keeps a threshold in the index's file, in place of an earlier one for the
// same metric and method. This Index has it after [Index.Reload].
func (x *Index) SaveThreshold(t Threshold) error {
	v, err := x.enter()
	if err != nil {
		return err
	}
	defer v.guard.Leave()
	if t.Threshold == nil {
		return errors.New("lookalike.SaveThreshold: the threshold is empty; FindThreshold makes one")
	}
	kept := gallery.Threshold{Metric: t.Metric, Distance: t.Distance, Share: t.Share, Estimate: &t.Estimate, Method: t.Method, Pairs: t.Pairs, Pictures: len(v.g.Entries)}
	if t.Method == gallery.FromLabels {
		kept.Recall = &t.Recall
	}
	return v.g.SaveThreshold(v.path, kept)
}

// rows are those of the pictures that keep is true of.
func (v *version) rows(keep func(Entry) bool) []int {
	var rows []int
	for row, e := range v.g.Entries {
		if keep(e) {
			rows = append(rows, row)
		}
	}
	return rows
}

// labels are those of some pictures.
func (v *version) labels(rows []int) []string {
	labels := make([]string, len(rows))
	for i, row := range rows {
		labels[i] = v.g.Entries[row].Label
	}
	return labels
}

// vectors are those of some pictures, a copy unless these are all.
func (v *version) vectors(rows []int) (*tensor.Tensor, error) {
	all := v.g.Vectors
	if len(rows) == len(v.g.Entries) {
		return all, nil
	}
	width := all.Dim(1)
	if err := memory.Allows(4 * int64(all.Len()+len(rows)*width)); err != nil {
		return nil, fmt.Errorf("all vectors of the index, and %d of them once more: %w", len(rows), err)
	}
	some := tensor.New(len(rows), width)
	for to, from := range rows {
		copy(some.Row(to), all.Row(from))
	}
	return some, nil
}
