package retrieval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"lookalike/knn"
	"lookalike/tensor"
)

// Threshold is a distance up to which two things count as a match, and what is
// known of the matches that it makes.
//
// A false match is, by labels, a match of two things with different labels;
// without labels, a match of two that are no nearer than unrelated ones come by
// chance. Shares are parts of the matches, not of all pairs.
type Threshold struct {
	Metric   string  `json:"metric"`
	Distance float64 `json:"distance"` // pairs at this distance or nearer match
	Share    float64 `json:"share"`    // of false matches, the most that was asked for

	// Estimate is the share of false ones among the matches of pairs that the
	// threshold was not fitted to or, without labels, that chance lets expect.
	Estimate float64 `json:"estimate"`

	// By labels, Error is the standard error of Estimate, and no less than what one
	// false match more would make. Only where nothing better was found is the sum
	// of both above Share.
	Error float64 `json:"error,omitempty"`

	Matches  int64 `json:"matches"`  // pairs at Distance or nearer
	Pairs    int64 `json:"pairs"`    // all that were looked at
	Pictures int   `json:"pictures"` // that these pairs are of

	// By labels only.
	Folds  []Fold  `json:"folds,omitempty"`
	Recall float64 `json:"recall,omitempty"` // which part of the pairs of one label are matches

	// Without labels only: of how many dimensions the vectors look, going by how
	// the number of neighbours grows with the distance.
	Dimension float64 `json:"dimension,omitempty"`
}

// Fold is one round of cross-validation: a threshold fitted to the pairs of one half
// of the things, and what it does to the pairs of the other half.
type Fold struct {
	Distance float64 `json:"distance"`
	Matches  int64   `json:"matches"`  // of the pairs left out
	Share    float64 `json:"share"`    // false ones among them; 0 of no matches
	Pictures int     `json:"pictures"` // left out
}

// ErrShare is that no distance keeps to the share of false matches that was asked for. It
// is a *ShareError.
var ErrShare = errors.New("no distance keeps to the share of false matches")

// ShareError says how near a distance comes to the share that was asked for.
type ShareError struct {
	Metric string
	Share  float64 // asked for

	// Nearest is a share that the distance keeps to; 0 if none does.
	Nearest, Distance float64
}

func (e *ShareError) Error() string {
	text := fmt.Sprintf("no %s distance keeps the share of false matches at %v or less", e.Metric, e.Share)
	if e.Nearest == 0 {
		return text + ", nor at any greater share: the nearest pairs are of different labels, or too few are near to check it"
	}
	return fmt.Sprintf("%s; the nearest share that one keeps is %v, at the distance %.4g", text, e.Nearest, e.Distance)
}

func (e *ShareError) Is(target error) bool { return target == ErrShare }

const (
	// mostPictures bounds the pairs, which grow with the square. Of larger
	// collections a sample is taken, evenly spaced.
	mostPictures = 1 << 15

	// steps is in how many the share to fit to comes down from the one asked for.
	steps = 10
)

// ByLabels finds the greatest distance at which at most a given share of the
// matches are of different labels. It is checked by cross-validation: each label's
// things are dealt out to two halves, in seven ways, and a threshold that is fitted to
// the pairs of one half is tried on those of the other. If more of these matches are
// false than share allows, or might be by the error of that, the threshold is fitted to
// a smaller share, down to none. So it holds for other things of the same labels;
// nothing follows for other labels.
//
// vectors are [n, d]; their labels must be two at least, one of them twice. A
// threshold that keeps to the share need not exist, which is an error. Time grows
// with n² d; of more than 32768 vectors an evenly spaced sample is taken. After
// some vectors it calls done, if not nil, with the number of those dealt with.
//
// Distances are counted in bins half a thousandth wide, in proportion, and the
// threshold lies in the middle between the last bin that it takes in and the next.
func ByLabels(ctx context.Context, vectors *tensor.Tensor, labels []string, metric knn.Metric, share float64, done func(n int)) (*Threshold, error) {
	if shape := vectors.Shape(); len(shape) != 2 || shape[0] != len(labels) {
		panic(fmt.Sprintf("retrieval.ByLabels: vectors have shape %v, there are %d labels", shape, len(labels)))
	}
	if err := checkShare(share); err != nil {
		return nil, err
	}
	rows := sample(vectors.Dim(0), mostPictures)
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = labels[row]
	}
	classes, partOf, err := deal(names)
	if err != nil {
		return nil, err
	}
	h, err := countPairs(ctx, vectors, rows, classes, partOf, metric, done)
	if err != nil {
		return nil, err
	}
	all := h.samples()
	best := all.within(share)
	if best == nil {
		return nil, all.nearest(metric, share)
	}
	best.Metric, best.Share, best.Pictures = metric.String(), share, len(rows)
	for i := range best.Folds {
		for _, part := range partOf {
			if sideOf(i/2, part) != i%2 {
				best.Folds[i].Pictures++
			}
		}
	}
	return best, nil
}

// within returns the threshold with a share of false matches that is surely, or else
// probably, within the one asked for; nil if there is none.
func (s *samples) within(share float64) *Threshold {
	var best *Threshold
	for step := range steps + 1 {
		t := s.fit(share * float64(steps-step) / steps)
		if t == nil {
			continue
		}
		if best == nil || t.Estimate+t.Error < best.Estimate+best.Error {
			best = t
		}
		if best.Estimate+best.Error <= share {
			break
		}
	}
	if best == nil || best.Estimate > share {
		return nil
	}
	return best
}

// nearest is the error where no threshold keeps to a share: it tells the least share, of two
// digits, that one was found to keep to.
func (s *samples) nearest(metric knn.Metric, share float64) error {
	e := &ShareError{Metric: metric.String(), Share: share}
	for try := share * 1.3; try < 1; try *= 1.3 {
		digit := math.Pow(10, math.Floor(math.Log10(try))-1)
		greater, err := strconv.ParseFloat(strconv.FormatFloat(math.Ceil(try/digit)*digit, 'g', 2, 64), 64)
		if err != nil || greater >= 1 {
			break
		}
		if t := s.within(greater); t != nil {
			e.Nearest, e.Distance = greater, t.Distance
			break
		}
	}
	return fmt.Errorf("retrieval: %w", e)
}

func checkShare(share float64) error {
	if !(share > 0 && share < 1) {
		return fmt.Errorf("retrieval: a share of %v false matches; give one between 0 and 1", share)
	}
	return nil
}

// sample returns at most so many rows of n, evenly spaced.
func sample(n, most int) []int {
	rows := make([]int, min(n, most))
	for i := range rows {
		rows[i] = i * n / len(rows)
	}
	return rows
}

// deal numbers the labels and deals the things out to parts, those of one label
// one after the other, so that every part has its share of each.
func deal(labels []string) (classes, partOf []int, err error) {
	names := slices.Compact(slices.Sorted(slices.Values(labels)))
	classes, partOf = make([]int, len(labels)), make([]int, len(labels))
	sizes := make([]int, len(names))
	for i, label := range labels {
		classes[i], _ = slices.BinarySearch(names, label)
		sizes[classes[i]]++
	}
	if len(names) < 2 || slices.Max(sizes) < 2 {
		return nil, nil, fmt.Errorf("retrieval: %d pictures with %d labels; two labels at least are needed, one of them for two pictures, to tell right from wrong", len(labels), len(names))
	}
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return classes[a] - classes[b] })
	for k, i := range order {
		partOf[i] = k % parts
	}
	return classes, partOf, nil
}

// fit returns the threshold for a share of false matches among those that it is
// fitted to, in each round of cross-validation and in all; nil if nothing would
// match, in all or in those rounds.
func (s *samples) fit(share float64) *Threshold {
	at := s.whole.largest(share)
	if at < 0 {
		return nil
	}
	last := len(s.whole.bins) - 1
	t := &Threshold{Distance: s.whole.middle(at), Matches: s.whole.matches(at), Pairs: s.whole.matches(last)}
	t.Recall = float64(s.whole.sums[at][alike]) / float64(s.whole.sums[last][alike])
	var wrong, all int64
	for way := range halves {
		for side := range 2 {
			fold := Fold{}
			train := &s.half[way][side]
			if at := train.largest(share); at >= 0 {
				fold.Distance = train.middle(at)
				found := s.half[way][1-side].upTo(fold.Distance)
				fold.Matches = found[alike] + found[different]
				if fold.Matches > 0 {
					fold.Share = float64(found[different]) / float64(fold.Matches)
				}
				wrong, all = wrong+found[different], all+fold.Matches
			}
			t.Folds = append(t.Folds, fold)
		}
	}
	if all == 0 {
		return nil
	}
	t.Estimate = float64(wrong) / float64(all)
	// Halves that are balanced like these scatter about the whole as much as wholes would
	// about the truth (McCarthy, Pseudoreplication: half samples, 1969).
	for _, f := range t.Folds {
		off := f.Share - t.Estimate
		t.Error += float64(f.Matches) / float64(all) * off * off
	}
	t.Error = max(math.Sqrt(t.Error), 1/float64(t.Matches))
	return t
}

// samples are the pairs of all things, and those of each half.
type samples struct {
	whole curve
	half  [halves][2]curve
}

func (h *histogram) samples() *samples {
	s := &samples{whole: h.curve((*counts).all)}
	for way := range halves {
		for side := range 2 {
			s.half[way][side] = h.curve(func(c *counts) [2]int64 { return c.within(way, side) })
		}
	}
	return s
}

// curve is how many pairs of the same and of different labels are up to each bin.
type curve struct {
	bins []uint32 // ascending
	sums [][2]int64
}

func (h *histogram) curve(of func(*counts) [2]int64) curve {
	var c curve
	var sum [2]int64
	h.each(func(bin uint32, n *counts) {
		pairs := of(n)
		if pairs == [2]int64{} {
			return
		}
		sum[alike] += pairs[alike]
		sum[different] += pairs[different]
		c.bins, c.sums = append(c.bins, bin), append(c.sums, sum)
	})
	return c
}

func (c *curve) matches(at int) int64 { return c.sums[at][alike] + c.sums[at][different] }

// largest returns the last place with pairs of one label up to which at most a
// share of the pairs are of different ones, -1 if there is none.
func (c *curve) largest(share float64) int {
	for at := len(c.bins) - 1; at >= 0; at-- {
		if at > 0 && c.sums[at][alike] == c.sums[at-1][alike] {
			continue // to go so far would find false matches only
		}
		if float64(c.sums[at][different]) <= share*float64(c.matches(at)) {
			return at
		}
	}
	return -1
}

// middle returns a distance between a bin and the next in which there are pairs.
func (c *curve) middle(at int) float64 {
	end := binEnd(c.bins[at])
	if at+1 == len(c.bins) {
		return end
	}
	return end + (binEnd(c.bins[at+1]-1)-end)/2
}

// upTo counts the pairs at a distance or nearer.
func (c *curve) upTo(distance float64) [2]int64 {
	at, _ := slices.BinarySearchFunc(c.bins, distance, func(bin uint32, distance float64) int {
		if binEnd(bin) <= distance {
			return -1
		}
		return 1
	})
	if at == 0 {
		return [2]int64{}
	}
	return c.sums[at-1]
}

// binOf numbers distances in ascending order, with 11 binary digits of the
// fraction.
func binOf(distance float64) uint32 {
	bits := math.Float32bits(float32(distance))
	if bits>>31 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 31
	}
	return bits >> binShift
}

const binShift = 12

// binEnd is the greatest distance of a bin.
func binEnd(bin uint32) float64 {
	bits := bin<<binShift | (1<<binShift - 1)
	if bits>>31 == 1 {
		bits &^= 1 << 31
	} else {
		bits = ^bits
	}
	return float64(math.Float32frombits(bits))
}
