package main

import (
	"lookalike/gallery"
	"lookalike/internal/cli"
	"lookalike/internal/describe"
	"lookalike/internal/perceptual"
	"lookalike/knn"
)

// purpose is what is done with the answer whether two pictures are the same.
type purpose int

const (
	forDups    purpose = iota // files are moved by it: rather miss a copy than take another photograph for one
	forCompare                // a person reads it beside the distance
)

// These are cosine distances by VGG16's block5_pool, averaged. Both were measured on
// the 4.7 million pairs of Caltech-101's 3,068 photographs.
const (
	// Two pairs of others than copies are as near. Of copies of 100 photographs it
	// finds 91 enlarged, 85 made brighter or written on, 49 saved as JPEG of quality
	// 20, 16 halved, and none blurred or brought to a third.
	vggDupsWithin = 0.03

	// 241 pairs are as near, all of two of one folder. Of 120 photographs, each
	// changed in one way, it takes for the same all that were mirrored, 99 in 100
	// saved again as JPEG of quality 30, 97 made lighter by 0.3, 9 in 10 that lost a
	// tenth of width and height or half the size, and 4 in 10 that lost a quarter.
	vggCompareWithin = 0.1
)

// defaultWithin are the distances up to which two pictures are the same by whole
// vectors of a recipe, where nothing else is known; 0 where there is none. How that
// of perceptual descriptions was measured stands at perceptual.Within.
var defaultWithin = []struct {
	model, layer, pooling string
	metric                knn.Metric
	within                [2]float64 // by purpose
}{
	{describe.Perceptual, "", "", knn.Euclidean, [2]float64{forDups: perceptual.Within, forCompare: perceptual.Within}},
	{"vgg16", "block5_pool", "avg", knn.Cosine, [2]float64{forDups: vggDupsWithin, forCompare: vggCompareWithin}},
	{"vgg19", "block5_pool", "avg", knn.Cosine, [2]float64{forDups: vggDupsWithin}}, // as VGG16
}

// Where a distance comes from, beside gallery.FromLabels and gallery.FromDistances.
const (
	fromGiven   = "given"
	fromDefault = "default"
)

// within returns the distance up to which two pictures of an index are the same,
// and where it comes from, "" if none is known: the one that is given, that of a
// threshold in the index, or the default. Nothing is moved by a threshold from
// labels, which tells kinds of things, not copies.
func (p purpose) within(g *gallery.Gallery, metric knn.Metric, given cli.Distance) (within float64, from string) {
	if given.Given() {
		return float64(given), fromGiven
	}
	if t, ok := g.Threshold(metric.String()); ok && (p == forCompare || t.Method == gallery.FromDistances) {
		return t.Distance, t.Method
	}
	r := g.Recipe
	for _, d := range defaultWithin {
		if d.model == r.Model && d.layer == r.Layer && d.pooling == r.Pooling && d.metric == metric && g.PCA == nil && d.within[p] > 0 {
			return d.within[p], fromDefault
		}
	}
	return 0, ""
}
