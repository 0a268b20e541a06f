package retrieval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"lookalike/knn"
	"lookalike/tensor"
)

const (
	// Unrelated things are judged by the neighbours from the nearth on, to the one twice
	// as far: groups of near duplicates, such as a burst of photographs, are mostly
	// smaller. In small collections it is a nearer one, an eighth of their number.
	nearth = 16

	// densest is which part of the things, those with the nearest neighbours, do
	// not say how near unrelated ones come: they may be of one large group of
	// duplicates.
	densest = 0.1

	// fewest is of how many things a distribution can be told.
	fewest = 64

	// mostSearched bounds the things whose neighbours are looked for.
	mostSearched = 1 << 13
)

// ByDistances finds without labels the greatest distance at which at most a given
// share of the matches are of pairs that are as near by chance only.
//
// How many that are follows from how unrelated things lie: near a thing the
// number of others grows with a power of the distance, the number of dimensions
// that the vectors look like. Both are taken from the 16th and the 32nd neighbour
// of each, which in most collections are no near duplicates any more, and carried
// on to smaller distances. Where there are no near duplicates at all, the threshold
// is where chance lets expect no more than share of one match in the whole
// collection.
//
// vectors are [n, d], 64 at least. A duplicate of a vector is a match like others.
// Metric must be a distance, which the inner product is not. Of more than 8192
// vectors, the neighbours of an evenly spaced sample are looked at. Errors are
// those of [knn.New] and where most vectors have 16 duplicates.
func ByDistances(ctx context.Context, vectors *tensor.Tensor, metric knn.Metric, share float64, done func(n int)) (*Threshold, error) {
	if err := checkShare(share); err != nil {
		return nil, err
	}
	if metric == knn.InnerProduct {
		return nil, errors.New("retrieval: the inner product is not a distance, so its distribution tells nothing; labels are needed")
	}
	if shape := vectors.Shape(); len(shape) != 2 {
		return nil, fmt.Errorf("retrieval: vectors have shape %v, want [n, d]", shape)
	}
	n := vectors.Dim(0)
	if n < fewest {
		return nil, fmt.Errorf("retrieval: %d pictures are too few to tell from their distances what is near; %d at least, or labels, are needed", n, fewest)
	}
	index, err := knn.New(vectors, metric)
	if err != nil {
		return nil, err
	}
	k := min(nearth, n/8)
	lists, err := neighbours(ctx, index, vectors, 2*k, done)
	if err != nil {
		return nil, err
	}
	c, err := chanceOf(lists, k)
	if err != nil {
		return nil, err
	}
	t := &Threshold{Metric: metric.String(), Share: share, Pictures: n, Dimension: c.dimension, Pairs: int64(n) * int64(n-1) / 2}
	one := 2 * float64(len(lists)) / float64(n) // what one match in all would count here
	c.choose(t, lists, one)
	return t, nil
}

// chance is how unrelated things lie: density * (distance/unit)^dimension matches
// are to be expected within a distance, seen from every thing that was looked at.
// Distances are relative to a unit so that no power overflows.
type chance struct {
	unit, density, dimension float64
	known                    float64 // up to which distance neighbours are known to be those of unrelated things
}

// chanceOf tells from the distances of neighbours, the kth to the one twice as far.
func chanceOf(lists [][]float64, k int) (chance, error) {
	dimension, err := growth(lists, k)
	if err != nil {
		return chance{}, err
	}
	byDensity := slices.Clone(lists)
	slices.SortFunc(byDensity, func(a, b []float64) int { return cmp.Compare(a[k-1], b[k-1]) })
	first := int(densest * float64(len(lists))) // whose density counts for the denser ones
	c := chance{unit: median(lists, k), dimension: dimension, known: byDensity[first][k-1]}
	for i := range byDensity {
		c.density += float64(k) / math.Pow(byDensity[max(i, first)][k-1]/c.unit, dimension)
	}
	return c, nil
}

// expected is how many matches within a distance there are by chance.
func (c chance) expected(distance float64) float64 {
	return c.density * math.Pow(distance/c.unit, c.dimension)
}

// within is up to which distance chance lets expect that many.
func (c chance) within(matches float64) float64 {
	return c.unit * math.Pow(matches/c.density, 1/c.dimension)
}

// choose finds the threshold's distance among those of neighbours, where one match
// counts as much as told.
func (c chance) choose(t *Threshold, lists [][]float64, one float64) {
	all := slices.Concat(lists...) // a pair counts from both of its sides
	slices.Sort(all)
	for found := 0; ; found++ {
		// With so many found, how far may one go before another is?
		distance := c.within(t.Share * max(float64(found), one))
		if found < len(all) {
			distance = min(distance, math.Nextafter(all[found], -1))
		}
		if found == 0 || distance >= all[found-1] {
			t.Distance = max(distance, 0)
			t.Matches = int64(float64(found)/one + 0.5)
			t.Estimate = c.expected(t.Distance) / max(float64(found), one)
		}
		if found == len(all) || all[found] > c.known {
			return
		}
	}
}

// neighbours returns the distances of the so many nearest of each vector, ascending, or
// of a sample of the vectors.
func neighbours(ctx context.Context, index *knn.Index, vectors *tensor.Tensor, most int, done func(n int)) ([][]float64, error) {
	rows := sample(vectors.Dim(0), mostSearched)
	const atATime = 512
	var lists [][]float64
	for lo := 0; lo < len(rows); lo += atATime {
		hi := min(lo+atATime, len(rows))
		var some [][]float32
		for i := lo; i < hi; i++ {
			some = append(some, vectors.Row(rows[i]))
		}
		found, err := index.Search(ctx, some, most+1)
		if err != nil {
			return nil, err
		}
		for i, near := range found {
			list := make([]float64, 0, most)
			for _, other := range near {
				if other.Row != rows[lo+i] && len(list) < most { // it may not be among its own
					list = append(list, other.Distance)
				}
			}
			lists = append(lists, list)
		}
		if done != nil {
			done(hi * vectors.Dim(0) / len(rows))
		}
	}
	return lists, nil
}

// growth returns with which power of the distance the number of neighbours grows
// from the kth to twice as many, in the geometric mean over those whose neighbours are
// no duplicates.
func growth(lists [][]float64, k int) (float64, error) {
	sum, n := 0.0, 0
	for _, list := range lists {
		if list[k-1] > 0 {
			sum += math.Log(list[2*k-1] / list[k-1])
			n++
		}
	}
	if n < len(lists)/2 || !(sum > 0) {
		return 0, fmt.Errorf("retrieval: most pictures have %d duplicates or more, so their distances do not tell what is near by chance; labels are needed", k)
	}
	return math.Ln2 * float64(n) / sum, nil
}

// median returns that of the distances of the kth neighbour.
func median(lists [][]float64, k int) float64 {
	var all []float64
	for _, list := range lists {
		all = append(all, list[k-1])
	}
	slices.Sort(all)
	return all[len(all)/2]
}
