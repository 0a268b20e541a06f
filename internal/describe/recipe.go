package describe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lookalike/gallery"
	"lookalike/internal/fetch"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/tensor"
)

// ErrNoModel is that the file of the model that an index was made with is nowhere
// where it would be looked for.
var ErrNoModel = errors.New("the model of the index is missing")

// Like opens what describes pictures as those of an index were. file is where the
// weights are now, "" if they have not moved; other weights than the index's are
// an error. The caller closes the describer.
func Like(g *gallery.Gallery, index, file string) (*Describer, error) {
	r := g.Recipe
	isLearned := r.Model == autoencoderModel || r.Model == embeddingModel
	m := Model{Name: r.Model, Layer: r.Layer, Pooling: r.Pooling, EXIF: r.EXIF}
	switch {
	case r.Model == gallery.Imported:
		return nil, fmt.Errorf("the vectors of %s were imported from %s, so no picture can be described as they were; search by a picture of the index, index:PATH", index, r.WeightsFile)
	case !isLearned && !m.IsNetwork() && r.Model != Perceptual:
		return nil, fmt.Errorf("%s was made by the network %q, which this program does not know", index, r.Model)
	case r.Model == Perceptual && file != "" && file != Perceptual:
		return nil, fmt.Errorf("%s was made by the model 'perceptual', which has no weights; %s cannot be its model", index, file)
	}
	if r.Model != Perceptual && file == "" {
		var err error
		if file, err = find(r.WeightsFile, index); err != nil {
			return nil, err
		}
	}
	if isLearned {
		m.Name = file
	}
	d, err := m.open(file)
	if err != nil && r.WeightsFile != "" {
		err = fmt.Errorf("%w; %s was made with %s", err, index, filepath.Base(r.WeightsFile))
	}
	if err != nil {
		return nil, err
	}
	if g.PCA != nil {
		features := d.Describe
		d.Recipe.PCA = r.PCA
		d.Describe = func(ctx context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			x, err := features(ctx, p)
			if err != nil {
				return nil, err
			}
			return g.PCA.Transform(x), nil
		}
	}
	if err = d.Identify(r); err == nil {
		err = g.Check(d.Recipe)
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// find returns where the weights of an index are: where they were, beside the
// index, or, for an index from another machine, where fetched ones are kept.
func find(was, index string) (string, error) {
	name := filepath.Base(was)
	places := []string{was, filepath.Join(filepath.Dir(index), name)}
	for _, f := range fetch.Files {
		if path, err := f.Path(); err == nil && filepath.Base(path) == name {
			places = append(places, path)
		}
	}
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: what %s was made with is at none of %s", ErrNoModel, index, strings.Join(places, ", "))
}

// Metric returns the metric that suits vectors of a recipe: codes of an autoencoder
// were made near by their Euclidean distance, features of VGG differ in strength as
// well as in kind.
func Metric(r gallery.Recipe) knn.Metric {
	if r.Model == autoencoderModel || r.Model == Perceptual {
		return knn.Euclidean
	}
	return knn.Cosine
}

// Words says where vectors of a recipe come from.
func Words(r gallery.Recipe) string {
	switch {
	case r.Model == autoencoderModel:
		return "codes"
	case r.Model == embeddingModel:
		return "embeddings"
	case r.Model == gallery.Imported:
		return "imported vectors"
	case r.Model == Perceptual:
		return "perceptual description"
	case r.Pooling != "":
		return fmt.Sprintf("%s %s (%s)", r.Model, r.Layer, r.Pooling)
	}
	return r.Model + " " + r.Layer
}
