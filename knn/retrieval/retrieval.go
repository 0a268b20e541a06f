// Package retrieval says how good a search is, given which things are alike: each
// vector in turn is the query, all others are ranked by their distance from it,
// and those of its own label are the hits.
package retrieval

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"lookalike/internal/parallel"
	"lookalike/knn"
	"lookalike/tensor"
)

// Quality is the mean over some queries.
type Quality struct {
	// Precision is which part of the 1, 5 and 10 nearest are hits.
	PrecisionAt1  float64 `json:"precision_at_1"`
	PrecisionAt5  float64 `json:"precision_at_5"`
	PrecisionAt10 float64 `json:"precision_at_10"`

	// Recall is which part of all hits are among the 1, 5 and 10 nearest.
	RecallAt1  float64 `json:"recall_at_1"`
	RecallAt5  float64 `json:"recall_at_5"`
	RecallAt10 float64 `json:"recall_at_10"`

	// MeanAveragePrecision is, for each query, the mean over its hits of the
	// precision up to the hit, over the whole ranking.
	MeanAveragePrecision float64 `json:"mean_average_precision"`
}

// Class is the quality of the queries of one label.
type Class struct {
	Label    string `json:"label"`
	Pictures int    `json:"pictures"`
	Quality
}

// Report is the quality of all queries. One whose label nobody shares has no
// hits and counts as 0 everywhere.
type Report struct {
	Pictures int    `json:"pictures"`
	Metric   string `json:"metric"`
	Quality
	Classes []Class `json:"classes"` // sorted by label

	// Confusion is which part of the five nearest of class i, on average, are of
	// class j.
	Confusion [][]float64 `json:"confusion"`
}

// nearest is how many neighbours the confusion is taken from.
const nearest = 5

// Evaluate ranks all vectors, [n, d], for each of them. labels are theirs; at
// least two vectors and two labels are needed, and no value may be NaN or
// infinite. After some queries it calls done, if not nil, with the number of
// those dealt with.
//
// The order is that of distances in float64, the lower row first where they are
// equal. For [knn.Cosine] that are the squared distances of vectors brought to
// length 1 in float32; a vector of zeros stays one. Time grows with n² d.
func Evaluate(ctx context.Context, vectors *tensor.Tensor, labels []string, metric knn.Metric, done func(n int)) (*Report, error) {
	if shape := vectors.Shape(); len(shape) != 2 || shape[0] != len(labels) {
		panic(fmt.Sprintf("retrieval.Evaluate: vectors have shape %v, there are %d labels", shape, len(labels)))
	}
	names := slices.Compact(slices.Sorted(slices.Values(labels)))
	if len(names) < 2 {
		return nil, fmt.Errorf("retrieval: %d pictures with %d labels; two labels at least are needed to tell right from wrong", len(labels), len(names))
	}
	classes := make([]int, len(labels))
	for i, label := range labels {
		classes[i], _ = slices.BinarySearch(names, label)
	}
	r, err := newRanker(vectors, sample(len(labels), len(labels)), metric)
	if err != nil {
		return nil, err
	}
	scores := make([]score, len(labels))
	for lo := 0; lo < len(labels); lo += r.batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+r.batch, len(labels))
		products := r.products(lo, hi, 0, len(labels))
		parallel.For(hi-lo, func(i int) {
			query := lo + i
			// Behind those that the confusion is taken from it only matters which
			// are hits.
			settled := func(at int, rows iter.Seq[int]) bool {
				hits, others := 0, 0
				for row := range rows {
					if classes[row] == classes[query] {
						hits++
					} else {
						others++
					}
				}
				return at >= nearest && (hits == 0 || others == 0)
			}
			scores[query] = judge(classes, query, r.rank(query, products[i*len(labels):(i+1)*len(labels)], settled))
		})
		if done != nil {
			done(hi)
		}
	}
	return summarise(names, classes, scores, metric), nil
}

// score is what one query adds to the means.
type score struct {
	Quality
	near [nearest]int // classes of the nearest, as many as there are
}

// judge compares a ranking of all others with the classes.
func judge(classes []int, query int, ranking []int) score {
	var s score
	relevant := 0
	for _, c := range classes {
		if c == classes[query] {
			relevant++
		}
	}
	relevant = max(relevant-1, 1) // without the query
	hits := 0
	for i, row := range ranking {
		if i < nearest {
			s.near[i] = classes[row]
		}
		if classes[row] == classes[query] {
			hits++
			s.MeanAveragePrecision += float64(hits) / float64(i+1)
		}
		// What fewer pictures can say about 5 or 10 is what they say of all.
		n := i + 1
		precision, recall := float64(hits)/float64(n), float64(hits)/float64(relevant)
		if n <= 1 {
			s.PrecisionAt1, s.RecallAt1 = precision, recall
		}
		if n <= 5 {
			s.PrecisionAt5, s.RecallAt5 = precision, recall
		}
		if n <= 10 {
			s.PrecisionAt10, s.RecallAt10 = precision, recall
		}
	}
	s.MeanAveragePrecision /= float64(relevant)
	return s
}

// values are the numbers of a Quality.
func (q *Quality) values() []*float64 {
	return []*float64{&q.PrecisionAt1, &q.PrecisionAt5, &q.PrecisionAt10, &q.RecallAt1, &q.RecallAt5, &q.RecallAt10, &q.MeanAveragePrecision}
}

// add adds o.
func (q *Quality) add(o Quality) {
	for i, v := range o.values() {
		*q.values()[i] += *v
	}
}

// divide makes means of sums over n queries.
func (q *Quality) divide(n int) {
	for _, v := range q.values() {
		*v /= float64(n)
	}
}

// summarise takes the means, for each class and over all queries.
func summarise(names []string, classes []int, scores []score, metric knn.Metric) *Report {
	r := &Report{Pictures: len(scores), Metric: metric.String()}
	r.Classes = make([]Class, len(names))
	r.Confusion = make([][]float64, len(names))
	for i, name := range names {
		r.Classes[i].Label = name
		r.Confusion[i] = make([]float64, len(names))
	}
	known := min(nearest, len(scores)-1) // neighbours that every query has
	for i, s := range scores {
		r.add(s.Quality)
		c := &r.Classes[classes[i]]
		c.Pictures++
		c.add(s.Quality)
		for _, near := range s.near[:known] {
			r.Confusion[classes[i]][near]++
		}
	}
	r.divide(len(scores))
	for i := range r.Classes {
		c := &r.Classes[i]
		c.divide(c.Pictures)
		for j := range r.Confusion[i] {
			r.Confusion[i][j] /= float64(known * c.Pictures)
		}
	}
	return r
}
