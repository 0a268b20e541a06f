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

	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/gallery"
	"lookalike/internal/fetch"
	"lookalike/internal/parallel"
	"lookalike/internal/perceptual"
	"lookalike/knn"
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

// open loads the network. The caller closes it.
func (d *describeOptions) open(file string) (gallery.Describer, io.Closer, error) {
	if d.model == perceptualModel {
		describer := perceptualDescriber(d.exif)
		describer.Components = d.pca
		return describer, io.NopCloser(nil), nil
	}
	if !slices.Contains(networks, d.model) {
		isEmbedding, err := isEmbeddingFile(file)
		if err != nil {
			return gallery.Describer{}, nil, err
		}
		if isEmbedding {
			return d.openEmbedding(file)
		}
		m, err := autoencoder.Load(file)
		if err != nil {
			return gallery.Describer{}, nil, err
		}
		describer, err := autoencoderDescriber(m, file, d.exif)
		describer.Components = d.pca
		return describer, openAutoencoder{m}, err
	}
	m, err := vgg.Open(file, vgg.Config{})
	if err != nil {
		return gallery.Describer{}, nil, err
	}
	describer, err := vggDescriber(m, file, *d)
	if err != nil {
		m.Close()
	}
	describer.Components = d.pca
	return describer, m, err
}

// autoencoderDescriber makes codes of pictures with an autoencoder that was read
// from a file.
func autoencoderDescriber(m *autoencoder.Model, file, exif string) (gallery.Describer, error) {
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         "autoencoder",
			WeightsSHA256: m.Fingerprint(),
			Layer:         "code",
			Preprocessing: autoencoder.Preprocessing,
			EXIF:          exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:   m.Config.Code,
		Prepare: m.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			return m.Encoder.Predict(m.Input(p)), nil
		},
	}, err
}

// openEmbedding loads an embedding. The caller closes it.
func (d *describeOptions) openEmbedding(file string) (gallery.Describer, io.Closer, error) {
	m, err := embedding.Load(file)
	if err != nil {
		return gallery.Describer{}, nil, err
	}
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         "embedding",
			WeightsSHA256: m.Fingerprint(),
			Layer:         "embedding on " + m.Config.Base,
			Preprocessing: m.Preprocessing(),
			EXIF:          d.exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:      m.Config.Dim,
		Components: d.pca,
		Prepare:    m.Prepare,
		Describe:   m.Embed,
	}, m, err
}

// isTrained tells whether a network of that name in a recipe is one that 'train'
// has written: the model's file is all there is to it.
func isTrained(model string) bool { return model == "autoencoder" || model == "embedding" }

// perceptualDescriber describes what pictures look like at a glance.
func perceptualDescriber(exif string) gallery.Describer {
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         perceptualModel,
			Preprocessing: perceptual.Preprocessing,
			EXIF:          exif,
			Program:       "lookalike " + version(),
		},
		Width:   perceptual.Width,
		Prepare: perceptual.Prepare,
		Describe: func(_ context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(p), perceptual.Width)
			parallel.For(len(p), func(i int) { copy(v.Row(i), perceptual.Describe(p[i])) })
			return v, nil
		},
	}
}

// vggDescriber makes features of pictures with a VGG that was read from a file.
// The recipe has no hash of the weights yet.
func vggDescriber(m *vgg.Model, file string, d describeOptions) (gallery.Describer, error) {
	if m.Name() != d.model {
		return gallery.Describer{}, fmt.Errorf("%s holds weights of %s, not of %s", file, m.Name(), d.model)
	}
	name, poolName := d.layer, d.pool
	switch {
	case name == "" && poolName == "" && m.DefaultLayer() != "fc2":
		name, poolName = m.DefaultLayer(), vgg.Average.String()
	case name == "" && poolName == "":
		name = m.DefaultLayer()
	case name == "":
		name = "block5_pool"
	}
	layer, err := m.Layer(name)
	if err != nil {
		return gallery.Describer{}, err
	}
	width, pooling := tensor.Size(layer.Shape), vgg.None
	if poolName != "" {
		if pooling, err = vgg.ParsePooling(poolName); err != nil {
			return gallery.Describer{}, err
		}
	}
	recipePooling := ""
	if pooling != vgg.None {
		if len(layer.Shape) != 3 {
			return gallery.Describer{}, fmt.Errorf("the layer %s has %s, which cannot be pooled; leave out --pool, or choose a layer of one of the blocks", name, count(width, "number"))
		}
		width, recipePooling = layer.Shape[2], pooling.String()
	}
	path, err := filepath.Abs(file)
	return gallery.Describer{
		Recipe: gallery.Recipe{
			Model:         m.Name(),
			Layer:         name,
			Pooling:       recipePooling,
			Preprocessing: m.Preprocessing(),
			EXIF:          d.exif,
			WeightsFile:   path,
			Program:       "lookalike " + version(),
		},
		Width:   width,
		Prepare: m.Prepare,
		Describe: func(ctx context.Context, p []*picture.Image) (*tensor.Tensor, error) {
			x, err := m.Features(ctx, p, name)
			if err != nil {
				return nil, err
			}
			if pooling == vgg.None {
				return x.Reshape(x.Dim(0), width), nil
			}
			return pooled(x, pooling), nil
		},
	}, err
}

// pooled returns each channel's mean or greatest value, from [n, h, w, c] to
// [n, c].
func pooled(x *tensor.Tensor, how vgg.Pooling) *tensor.Tensor {
	n, pixels, channels := x.Dim(0), x.Dim(1)*x.Dim(2), x.Dim(3)
	out := tensor.New(n, channels)
	for i := range n {
		row, in := out.Row(i), x.Row(i)
		copy(row, in) // of the first pixel
		for pixel := 1; pixel < pixels; pixel++ {
			for c, v := range in[pixel*channels : (pixel+1)*channels] {
				if how == vgg.Max {
					row[c] = max(row[c], v)
				} else {
					row[c] += v
				}
			}
		}
		if how == vgg.Average {
			for c := range row {
				row[c] /= float32(pixels)
			}
		}
	}
	return out
}

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
	none := gallery.Describer{}
	if g.Recipe.Model == gallery.Imported {
		return none, nil, fmt.Errorf("the vectors of %s were imported from %s, so no picture can be described as they were; search by a picture of the index, index:PATH", index, g.Recipe.WeightsFile)
	}
	switch {
	case g.Recipe.Model == perceptualModel:
		if file != "" && file != perceptualModel {
			return none, nil, fmt.Errorf("%s was made by the model 'perceptual', which has no weights: leave --model %s away", index, file)
		}
	case file == "":
		var err error
		if file, err = findModel(g.Recipe.WeightsFile, index); err != nil {
			return none, nil, err
		}
	}
	how := describeOptions{model: file, exif: g.Recipe.EXIF}
	published := slices.Contains(networks, g.Recipe.Model)
	switch {
	case g.Recipe.Model == perceptualModel:
		how.model = perceptualModel
	case !isTrained(g.Recipe.Model):
		if !published {
			return none, nil, fmt.Errorf("%s was made by the network %q, which this program does not know", index, g.Recipe.Model)
		}
		how.model, how.layer, how.pool = g.Recipe.Model, g.Recipe.Layer, g.Recipe.Pooling
	}
	d, network, err := how.open(file)
	if err != nil {
		return none, nil, err
	}
	if published {
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

// metricOf returns the metric of that name or, without one, the one that suits
// an index: codes of an autoencoder were made near by their Euclidean distance,
// features of VGG differ in strength as well as in kind.
func metricOf(name string, g *gallery.Gallery) (knn.Metric, error) {
	switch {
	case name != "":
		return knn.ParseMetric(name)
	case g.Recipe.Model == "autoencoder", g.Recipe.Model == perceptualModel:
		return knn.Euclidean, nil
	}
	return knn.Cosine, nil
}

// checkMetric finds a mistake in --metric.
func checkMetric(name string) error {
	if name == "" {
		return nil
	}
	if _, err := knn.ParseMetric(name); err != nil {
		return usagef("--metric %s: give %s", name, metricNames)
	}
	return nil
}
