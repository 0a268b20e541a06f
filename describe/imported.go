package describe

import (
	"errors"
	"fmt"

	"lookalike/gallery"
	"lookalike/knn"
)

// ErrImported is that no picture can be described as those of an index were, whose
// vectors another program has made.
var ErrImported = errors.New("the vectors were imported")

func init() {
	Register(gallery.Imported, Kind{
		Open: func(r gallery.Recipe, _ string) (Model, error) {
			return nil, fmt.Errorf("%w from %s, so no picture can be described as they were; search by a picture of the index", ErrImported, r.WeightsFile)
		},
		Metric: knn.Cosine,
		Words:  func(gallery.Recipe) string { return "imported vectors" },
	})
}
