package describe

import (
	"testing"

	"lookalike/gallery"
	"lookalike/knn"
)

// A threshold of the index goes before the model's limit, one from labels but for what a
// person reads.
func TestLimit(t *testing.T) {
	labels := gallery.Threshold{Metric: "euclidean", Distance: 0.3, Method: gallery.FromLabels}
	distances := gallery.Threshold{Metric: "euclidean", Method: gallery.FromDistances} // only equal ones
	model := LimitsOf(gallery.Recipe{Model: Perceptual}, knn.Euclidean)
	if model.Copies == 0 || model.Alike == 0 {
		t.Fatalf("%+v", model)
	}
	for name, c := range map[string]struct {
		model        string
		thresholds   []gallery.Threshold
		copies, like Limit
	}{
		"model":     {Perceptual, nil, Limit{model.Copies, FromModel}, Limit{model.Alike, FromModel}},
		"labels":    {Perceptual, []gallery.Threshold{labels}, Limit{model.Copies, FromModel}, Limit{0.3, gallery.FromLabels}},
		"distances": {Perceptual, []gallery.Threshold{labels, distances}, Limit{0, gallery.FromDistances}, Limit{0, gallery.FromDistances}},
		"unknown":   {gallery.Imported, nil, Limit{}, Limit{}},
	} {
		g := &gallery.Gallery{Recipe: gallery.Recipe{Model: c.model}, Thresholds: c.thresholds}
		copies, ok := CopyLimit(g, knn.Euclidean)
		if known := c.copies != (Limit{}); ok != known || known && copies != c.copies {
			t.Errorf("%s: copies within %+v, %v, want %+v", name, copies, ok, c.copies)
		}
		alike, ok := AlikeLimit(g, knn.Euclidean)
		if known := c.like != (Limit{}); ok != known || known && alike != c.like {
			t.Errorf("%s: alike within %+v, %v, want %+v", name, alike, ok, c.like)
		}
	}
}

// No word says more than a limit does.
func TestLikeness(t *testing.T) {
	averaged := gallery.Recipe{Model: "vgg16", Layer: "block5_pool", Pooling: "avg"}
	vgg := LimitsOf(averaged, knn.Cosine)
	labels := gallery.Threshold{Metric: "euclidean", Distance: 0.3, Method: gallery.FromLabels}
	for _, c := range []struct {
		recipe     gallery.Recipe
		thresholds []gallery.Threshold
		metric     knn.Metric
		distance   float64
		want       string
	}{
		{averaged, nil, knn.Cosine, 0, "nearly the same"},
		{averaged, nil, knn.Cosine, vgg.Copies, "nearly the same"},
		{averaged, nil, knn.Cosine, vgg.Alike, "alike"},
		{averaged, nil, knn.Cosine, 0.2, "less alike"},
		{averaged, nil, knn.Euclidean, 0, ""},
		{gallery.Recipe{Model: "vgg16", Layer: "fc2"}, nil, knn.Cosine, 0, ""},
		{gallery.Recipe{Model: Perceptual}, nil, knn.Euclidean, 0.1, "nearly the same"},
		{gallery.Recipe{Model: Perceptual}, nil, knn.Euclidean, 0.2, "less alike"},
		{gallery.Recipe{Model: Perceptual}, []gallery.Threshold{labels}, knn.Euclidean, 0.2, "alike"},
		{gallery.Recipe{Model: gallery.Imported}, []gallery.Threshold{labels}, knn.Euclidean, 0, "alike"},
	} {
		g := &gallery.Gallery{Recipe: c.recipe, Thresholds: c.thresholds}
		if got := Likeness(g, c.metric, c.distance); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}
