// Package describe has the models that pictures are described by: from the name of
// one, or the recipe of an index, to what makes vectors of pictures. A file has each
// kind of model; [Register] adds others.
package describe

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/weights"
)

// Model describes pictures by vectors. Its methods may be called by many goroutines
// at once.
type Model interface {
	// Recipe says how a picture becomes a vector, but for what is done with EXIF's
	// orientation, which whoever reads the pictures decides.
	Recipe() gallery.Recipe

	// Width is the number of values of a vector.
	Width() int

	// Prepare makes a picture small, as Describe wants it, so that the original need
	// not be kept.
	Prepare(*picture.Image) *picture.Image

	// Describe returns the vectors of prepared pictures, [n, Width].
	Describe(context.Context, []*picture.Image) (*tensor.Tensor, error)

	// Close gives back what the model holds, when calls in flight have ended. It may
	// be called twice. A call that needs what is gone then returns an error that is
	// fs.ErrClosed.
	Close() error
}

// Kind is a kind of models: what can be said of vectors without the model itself, and
// how a model is opened.
type Kind struct {
	// Open opens the model of a recipe, whose weights are in a file, "" for a kind
	// that has no file. Of the recipe it reads Model, Layer and Pooling, and
	// of Preprocessing what was chosen, such as a ground.
	Open func(r gallery.Recipe, file string) (Model, error)

	// HasFile tells whether models are made of a file.
	HasFile bool

	// Metric suits the vectors.
	Metric knn.Metric

	// Words says where vectors of a recipe come from, such as "vgg16 fc2".
	Words func(gallery.Recipe) string

	// Limits are the distances up to which pictures are taken for the same; nil if
	// none is known.
	Limits func(gallery.Recipe, knn.Metric) Limits
}

// Limits are distances up to which two pictures, described by whole vectors, are taken
// for the same where nothing else is known; 0 where none is known.
type Limits struct {
	Copies float64 // files may be moved by it: it rather misses a copy than takes another photograph for one
	Alike  float64 // a person reads it beside the distance
}

var (
	kindsMu sync.RWMutex
	kinds   = map[string]Kind{}
)

// Register makes a kind of models known by the name that their recipes have as Model.
// It panics if the name is taken, or if Open or Words is nil.
func Register(name string, k Kind) {
	kindsMu.Lock()
	defer kindsMu.Unlock()
	if _, taken := kinds[name]; taken {
		panic(fmt.Sprintf("describe.Register: there is a kind %q already", name))
	}
	if k.Open == nil || k.Words == nil {
		panic(fmt.Sprintf("describe.Register: the kind %q has no Open or no Words", name))
	}
	kinds[name] = k
}

// kindOf returns the kind of a recipe's model.
func kindOf(r gallery.Recipe) (Kind, bool) {
	kindsMu.RLock()
	defer kindsMu.RUnlock()
	k, known := kinds[r.Model]
	return k, known
}

// Metric returns the metric that suits vectors of a recipe; the cosine distance if
// its kind is not known.
func Metric(r gallery.Recipe) knn.Metric {
	if k, known := kindOf(r); known {
		return k.Metric
	}
	return knn.Cosine
}

// Words says where vectors of a recipe come from.
func Words(r gallery.Recipe) string {
	if k, known := kindOf(r); known {
		return k.Words(r)
	}
	return strings.TrimSpace(r.Model + " " + r.Layer)
}

// LimitsOf returns the distances up to which two pictures are the same by whole
// vectors of a recipe.
func LimitsOf(r gallery.Recipe, metric knn.Metric) Limits {
	if k, known := kindOf(r); known && k.Limits != nil && r.PCA == "" {
		return k.Limits(r, metric)
	}
	return Limits{}
}

// For returns what a gallery needs of a model, whose vectors Update brings to so many
// principal components, 0 for none.
func For(m Model, components int) indexing.Describer {
	return indexing.Describer{Recipe: m.Recipe(), Width: m.Width(), Components: components, Prepare: m.Prepare, Describe: m.Describe}
}

// Identify notes in the recipe of a model which weights its file holds. A file whose
// path, size and time are those of an earlier recipe has the hash on record there: to
// hash the 553 MB of VGG16 takes longer than a whole search. Recipes that say it
// already, or that are of no file, stay as they are.
func Identify(r, earlier gallery.Recipe) (gallery.Recipe, error) {
	if r.WeightsFile == "" || r.WeightsFingerprint != "" {
		return r, nil
	}
	info, err := os.Stat(r.WeightsFile)
	if err != nil {
		return r, err
	}
	r.WeightsSize, r.WeightsTime = info.Size(), info.ModTime().UTC()
	if earlier.WeightsFile == r.WeightsFile && earlier.WeightsSize == r.WeightsSize && earlier.WeightsTime.Equal(r.WeightsTime) {
		r.WeightsFingerprint = earlier.WeightsFingerprint
		return r, nil
	}
	r.WeightsFingerprint, err = weights.Fingerprint(r.WeightsFile)
	return r, err
}
