package gallery

import (
	"errors"
	"fmt"
	"slices"
)

// Threshold is a distance below which two pictures of an index count as a match,
// with how it was found. An index keeps one for each metric and way of finding it.
//
// A distance between two pictures means the same however many others there are,
// so a threshold stays when pictures are added or taken out; Pictures tells how
// far the collection has moved on since. It is dropped when the vectors are
// replaced: by principal components, or in an index that is made anew.
type Threshold struct {
	Metric   string  `json:"metric"`   // name of a knn.Metric
	Distance float64 `json:"distance"` // pairs at this distance or nearer match

	// Share is the largest part of false matches among all matches that was asked
	// for, Estimate the part that pairs which the threshold was not fitted to had,
	// Recall which part of the pairs that belong together are matches.
	Share    float64  `json:"share"`
	Estimate *float64 `json:"estimate,omitempty"` // nil: not known, as without labels
	Recall   *float64 `json:"recall,omitempty"`   // nil: not known

	Method   string `json:"method"`   // FromLabels or FromDistances
	Pairs    int64  `json:"pairs"`    // that were counted
	Pictures int    `json:"pictures"` // that the index had
}

// How a threshold was found.
const (
	FromLabels    = "labels"    // by cross-validation: pairs of one label belong together
	FromDistances = "distances" // from how distances are distributed, without labels
)

// Threshold returns the one for a metric, if there is one: of two, that from
// distances, for who compares two pictures, or looks for duplicates, wants to know
// whether they are the same photograph, not the same kind of thing.
func (g *Gallery) Threshold(metric string) (Threshold, bool) {
	if g == nil {
		return Threshold{}, false
	}
	for _, method := range []string{FromDistances, FromLabels} {
		for _, t := range g.Thresholds {
			if t.Metric == metric && t.Method == method {
				return t, true
			}
		}
	}
	return Threshold{}, false
}

// SaveThreshold writes a threshold that was found with g to the index at path,
// in place of an earlier one for the same metric and method. Readers are not disturbed.
// While another program writes to the index the error is ErrBusy. If its vectors have
// been made another way since g was read, or it is Doubtful, that is an error too.
func (g *Gallery) SaveThreshold(path string, t Threshold) error {
	if err := t.validate(); err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	if g == nil {
		return errors.New("gallery: the gallery is nil")
	}
	return amend(path, func(s *state) error {
		if s.Recipe.Fingerprint() != g.Recipe.Fingerprint() {
			return fmt.Errorf("gallery: the vectors of %s have been replaced since the threshold was computed: compute it again", path)
		}
		rest := slices.DeleteFunc(slices.Clone(s.Thresholds), func(old Threshold) bool { return old.Metric == t.Metric && old.Method == t.Method })
		s.Thresholds = append(rest, t)
		return nil
	})
}

func (t *Threshold) validate() error {
	switch {
	case t.Metric == "":
		return fmt.Errorf("a threshold for no metric")
	case t.Distance-t.Distance != 0:
		return fmt.Errorf("a threshold of %v", t.Distance)
	case !(t.Share >= 0 && t.Share <= 1):
		return fmt.Errorf("a threshold for a share of %v; it must be from 0 to 1", t.Share)
	case t.Method != FromLabels && t.Method != FromDistances:
		return fmt.Errorf("a threshold found by %q", t.Method)
	}
	return nil
}
