package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/gallery"
	"lookalike/internal/fetch"
	"lookalike/picture"
	"lookalike/tensor"
	"lookalike/vgg"
	"lookalike/weights"
)

// describeOptions are the flags of index that say how pictures are to be
// described.
type describeOptions struct {
	model   string // "vgg16", "vgg19", or the file of an autoencoder or an embedding
	weights string // the file of a VGG's weights
	layer   string
	pool    string
	pca     int
	exif    string
}

// networks are the values of --model that name a network with published weights,
// perceptualModel is that for a description without any network. All others are
// files.
var networks = []string{"vgg16", "vgg19"}

const perceptualModel = "perceptual"

// namedModels are the values of --model that are no files.
var namedModels = append(slices.Clone(networks), perceptualModel)

// flags adds those of the description.
func (d *describeOptions) flags(cmd *cobra.Command) {
	d.networkFlags(cmd)
	cmd.Flags().IntVar(&d.pca, "pca", 0, "keep the `N` principal components of the vectors")
}

// networkFlags adds those for one picture by itself, which has no principal
// components.
func (d *describeOptions) networkFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&d.model, "model", "", "describe pictures with `MODEL`: vgg16, vgg19, perceptual, or a file of 'lookalike train'")
	f.StringVar(&d.weights, "weights", "", "read the weights of vgg16 or vgg19 from `FILE` (default: those that 'lookalike weights fetch' got)")
	f.StringVar(&d.layer, "layer", "", "describe by the output of the layer `NAME` of vgg16 or vgg19 (default fc2 if the weights have it, else block5_pool)")
	f.StringVar(&d.pool, "pool", "", "reduce each of the layer's channels to one number by `METHOD`: avg, max or none (default none; avg where block5_pool is the default layer)")
}

// check finds mistakes in the flags. cmd tells which were given.
func (d *describeOptions) check(cmd *cobra.Command) error {
	if d.model == "" {
		return usagef("--model is missing: vgg16, vgg19, perceptual, or the file that 'lookalike train' has written")
	}
	if cmd.Flags().Changed("pca") && d.pca < 1 {
		return usagef("--pca %d: give 1 or more", d.pca)
	}
	if !slices.Contains(networks, d.model) {
		what := "a model that 'lookalike train' has written"
		if d.model == perceptualModel {
			what = d.model
		}
		for _, name := range []string{"weights", "layer", "pool"} {
			if cmd.Flags().Changed(name) {
				return usagef("--%s is for --model vgg16 and vgg19, not for %s", name, what)
			}
		}
	}
	if _, err := vgg.ParsePooling(d.pool); d.pool != "" && err != nil {
		return usagef("--pool %s: give none, avg or max", d.pool)
	}
	return nil
}

// file is where the weights are, "" if there are none.
func (d *describeOptions) file() (string, error) {
	switch {
	case d.model == perceptualModel:
		return "", nil
	case !slices.Contains(networks, d.model):
		if _, err := os.Stat(d.model); errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("--model %s: there is no such file, and no network of that name; give vgg16, vgg19, or the file that 'lookalike train' has written", d.model)
		}
		return d.model, nil
	case d.weights != "":
		return d.weights, nil
	}
	if slices.Contains([]string{"fc1", "fc2", "predictions"}, d.layer) {
		return fetch.Find(d.model)
	}
	return fetch.Find(d.model, d.model+"-notop")
}

// isTrained tells whether a network of that name in a recipe is one that 'train'
// has written: the model's file is all there is to it.
func isTrained(model string) bool { return model == "autoencoder" || model == "embedding" }

// identify notes in a recipe which weights a file holds. A file whose path, size
// and time are those of an earlier recipe has the hash on record there: to hash
// the 553 MB of VGG16 takes longer than the whole search.
func identify(r *gallery.Recipe, earlier gallery.Recipe) error {
	info, err := os.Stat(r.WeightsFile)
	if err != nil {
		return err
	}
	r.WeightsSize, r.WeightsTime = info.Size(), info.ModTime().UTC()
	if earlier.WeightsFile == r.WeightsFile && earlier.WeightsSize == r.WeightsSize && earlier.WeightsTime.Equal(r.WeightsTime) {
		r.WeightsSHA256 = earlier.WeightsSHA256
		return nil
	}
	r.WeightsSHA256, err = weights.Fingerprint(r.WeightsFile)
	return err
}

// queryDescriber describes pictures as those of an index were. file is where the
// weights are now, "" if they have not moved; other weights than the index's are
// an error. The caller closes the network.
func queryDescriber(g *gallery.Gallery, index, file string) (gallery.Describer, io.Closer, error) {
	none, model := gallery.Describer{}, g.Recipe.Model
	switch {
	case model == gallery.Imported:
		return none, nil, fmt.Errorf("the vectors of %s were imported from %s, so no picture can be described as they were; search by a picture of the index, index:PATH", index, g.Recipe.WeightsFile)
	case !slices.Contains(namedModels, model) && !isTrained(model):
		return none, nil, fmt.Errorf("%s was made by the network %q, which this program does not know", index, model)
	case model == perceptualModel && file != "" && file != perceptualModel:
		return none, nil, fmt.Errorf("%s was made by the model 'perceptual', which has no weights: leave --model %s away", index, file)
	}
	if model != perceptualModel && file == "" {
		var err error
		if file, err = findModel(g.Recipe.WeightsFile, index); err != nil {
			return none, nil, err
		}
	}
	how := describeOptions{model: model, layer: g.Recipe.Layer, pool: g.Recipe.Pooling, exif: g.Recipe.EXIF}
	if isTrained(model) {
		how.model = file
	}
	d, network, err := how.open(file)
	if err != nil && g.Recipe.WeightsFile != "" {
		err = fmt.Errorf("%w; %s was made with %s", err, index, filepath.Base(g.Recipe.WeightsFile))
	}
	if err != nil {
		return none, nil, err
	}
	if slices.Contains(networks, model) {
		err = identify(&d.Recipe, g.Recipe)
	}
	if g.PCA != nil {
		features := d.Describe
		d.Recipe.PCA = g.Recipe.PCA
		d.Describe = func(ctx context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			x, err := features(ctx, p)
			if err != nil {
				return nil, err
			}
			return g.PCA.Transform(x), nil
		}
	}
	if err == nil {
		err = g.Check(d.Recipe)
	}
	if err != nil {
		network.Close()
	}
	return d, network, err
}

// findModel returns where the weights of an index are: where they were, beside
// the index, or, for an index from another machine, where fetched ones are kept.
func findModel(was, index string) (string, error) {
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
	return "", fmt.Errorf("the model that %s was made with is at none of %s; say where it is with --model FILE", index, strings.Join(places, ", "))
}
