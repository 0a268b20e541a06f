package describe

import (
	"lookalike/gallery"
	"lookalike/knn"
)

// Limit is a distance up to which two pictures of an index are taken for the same.
type Limit struct {
	Distance float64
	From     string // gallery.FromLabels, gallery.FromDistances or FromModel
}

// FromModel is where a limit comes from that the model has for all indexes.
const FromModel = "default"

// CopyLimit returns the limit by which files may be moved: that of a threshold from
// distances in the index, else the model's. A threshold from labels tells kinds of things,
// not copies. It is not ok if none is known.
func CopyLimit(g *gallery.Gallery, metric knn.Metric) (l Limit, ok bool) {
	if t, ok := g.Threshold(metric.String()); ok && t.Method == gallery.FromDistances {
		return Limit{t.Distance, t.Method}, true
	}
	return ofModel(LimitsOf(g.Recipe, metric).Copies)
}

// AlikeLimit returns the limit that a person reads beside the distance: that of a
// threshold in the index, else the model's. It is not ok if none is known.
func AlikeLimit(g *gallery.Gallery, metric knn.Metric) (l Limit, ok bool) {
	if t, ok := g.Threshold(metric.String()); ok {
		return Limit{t.Distance, t.Method}, true
	}
	return ofModel(LimitsOf(g.Recipe, metric).Alike)
}

func ofModel(distance float64) (Limit, bool) { return Limit{distance, FromModel}, distance > 0 }

// Likeness says in words how alike two pictures of an index are at a distance, as far as
// limits are known: "nearly the same", "alike" or "less alike", else "".
func Likeness(g *gallery.Gallery, metric knn.Metric, distance float64) string {
	copies, knowCopies := CopyLimit(g, metric)
	alike, knowAlike := AlikeLimit(g, metric)
	switch {
	case !knowCopies && !knowAlike:
		return ""
	case knowCopies && distance <= copies.Distance:
		return "nearly the same"
	case knowAlike && distance <= alike.Distance:
		return "alike"
	}
	return "less alike"
}
