package main

import (
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/knn"
	"lookalike/vgg"
)

// purpose is what is done with the answer whether two pictures are the same.
type purpose int

const (
	forDups    purpose = iota // files are moved by it
	forCompare                // a person reads it beside the distance
)

// Where a distance comes from, beside gallery.FromLabels and gallery.FromDistances.
const (
	fromGiven   = "given"
	fromDefault = describe.FromModel
)

// sameWithin returns the distance up to which two pictures of an index are the same,
// and where it comes from, "" if none is known: the one that is given, that of a
// threshold in the index, or the default. Nothing is moved by a threshold from
// labels, which tells kinds of things, not copies.
func sameWithin(g *gallery.Gallery, metric knn.Metric, given cli.Distance, why purpose) (within float64, from string) {
	if given.Given() {
		return float64(given), fromGiven
	}
	find := describe.CopyLimit
	if why == forCompare {
		find = describe.AlikeLimit
	}
	if limit, ok := find(g, metric); ok {
		return limit.Distance, limit.From
	}
	return 0, ""
}

// perceptualLimits are the default distances by perceptual descriptions, for the help.
func perceptualLimits() describe.Limits {
	return describe.LimitsOf(gallery.Recipe{Model: describe.Perceptual}, knn.Euclidean)
}

// vggLimits are those by the averaged channels of VGG16's last layer of pictures.
func vggLimits() describe.Limits {
	return describe.LimitsOf(gallery.Recipe{Model: "vgg16", Layer: "block5_pool", Pooling: vgg.Average.String()}, knn.Cosine)
}
