package describe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lookalike/gallery"
	"lookalike/knn/pca"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/weights/published"
)

// ErrNoModel is that the file of the model that an index was made with is nowhere
// where it would be looked for, or that its kind has not been registered.
var ErrNoModel = errors.New("the model of the index is missing")

// Place says where an index is, and what belongs to it.
type Place struct {
	Index string // its file
	Model string // the file of its model's weights; "": where it was, beside the index, or in the cache
	Cache string // as in a Spec
}

// Like opens the model that pictures of an index were described by; it brings vectors
// to the index's principal components, too. Other weights than the index's are an error.
// The caller closes the model.
func Like(g *gallery.Gallery, at Place) (Model, error) {
	if g == nil {
		return nil, errors.New("describe.Like: the gallery is nil")
	}
	m, err := Again(g.Recipe, at)
	if err != nil {
		return nil, err
	}
	like := &likeIndex{Model: m, pca: g.PCA}
	if like.recipe, err = Identify(m.Recipe(), g.Recipe); err == nil {
		like.recipe.EXIF = g.Recipe.EXIF // as whoever reads the pictures must treat them
		if g.PCA != nil {
			like.recipe.PCA = g.Recipe.PCA
		}
		err = g.Check(like.recipe)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return like, nil
}

// Again opens the model of an index's recipe as it is now, to describe more pictures: its
// weights may be others than they were, and its vectors are whole. The caller closes the
// model.
func Again(r gallery.Recipe, at Place) (Model, error) {
	index, file := at.Index, at.Model
	k, known := kindOf(r)
	switch {
	case !known:
		return nil, fmt.Errorf("%w: %s was made by the network %q, which this program does not know", ErrNoModel, index, r.Model)
	case r.Model == Perceptual && file == Perceptual:
		file = ""
	case !k.HasFile && file != "":
		return nil, fmt.Errorf("%s was made by the model '%s', which has no weights; %s cannot be its model", index, r.Model, file)
	case k.HasFile && file == "":
		var err error
		if file, err = at.find(r.WeightsFile); err != nil {
			return nil, err
		}
	}
	m, err := k.Open(r, file)
	switch {
	case err == nil:
		return m, nil
	case k.HasFile && r.WeightsFile != "":
		return nil, fmt.Errorf("%w; %s was made with %s", err, index, filepath.Base(r.WeightsFile))
	}
	return nil, fmt.Errorf("%s: %w", index, err)
}

// likeIndex is a model whose vectors can be compared with those of an index.
type likeIndex struct {
	Model
	recipe gallery.Recipe
	pca    *pca.PCA // nil for none
}

func (m *likeIndex) Recipe() gallery.Recipe { return m.recipe }

func (m *likeIndex) Width() int {
	if m.pca == nil {
		return m.Model.Width()
	}
	return m.pca.Components.Dim(0)
}

func (m *likeIndex) Describe(ctx context.Context, pictures []*picture.Image) (*tensor.Tensor, error) {
	x, err := m.Model.Describe(ctx, pictures)
	if err != nil || m.pca == nil {
		return x, err
	}
	if want := []int{len(pictures), m.pca.Mean.Len()}; x == nil || !slices.Equal(x.Shape(), want) {
		return nil, fmt.Errorf("describe: the model %q has not made vectors of shape %v, to be brought to principal components", m.recipe.Model, want)
	}
	return m.pca.Transform(x), nil
}

// find returns where the weights of an index are: where they were, beside the
// index, or, for an index from another machine, where fetched ones are kept.
func (at Place) find(was string) (string, error) {
	index := at.Index
	name := filepath.Base(was)
	places := []string{was, filepath.Join(filepath.Dir(index), name)}
	for _, f := range published.Files {
		if path, err := published.Store(at.Cache).Path(f); err == nil && filepath.Base(path) == name {
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
