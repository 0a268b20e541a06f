package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"lookalike/gallery"
	"lookalike/picture"
)

func (a *app) indexCommand() *cobra.Command {
	var out string
	var how describeOptions
	var o picture.Options
	cmd := &cobra.Command{
		Use:   "index DIR -o PHOTOS.idx --model MODEL",
		Short: "Describe all pictures of a folder by vectors",
		Long: `Describes every picture below a folder by a vector and writes the vectors to an
index, which search looks pictures up in. The photographs are not changed and
not copied; the index knows where they and the model are.

The model is an autoencoder that 'lookalike train' has written, whose codes find
pictures of like colour and layout, or vgg16 or vgg19 with weights that have
learned from ImageNet, whose features find pictures of like things. --layer says
which features: the output of fc2, 4096 numbers, if the weights have their dense
layers, else that of block5_pool with each of its 512 channels averaged.

--pca keeps the principal components of the vectors: a smaller index, a faster
search, and often a better one. They are fitted to the vectors of this folder
and stored in the index.

Files that cannot be read as pictures are named and left out. An index of the
same name is replaced.`,
		Example: `  lookalike index photos -o photos.idx --model model.safetensors
  lookalike index photos -o photos.idx --model vgg16
  lookalike index photos -o photos.idx --model vgg16 --weights vgg16_notop.h5 --layer block5_pool --pca 100`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("-o is missing: where to write the index, such as -o photos.idx")
			}
			if err := how.check(cmd); err != nil {
				return err
			}
			how.exif = orientation(o.IgnoreOrientation)
			file, err := how.file()
			if err != nil {
				return err
			}
			if err := checkOutput(out, file); err != nil {
				return err
			}
			if _, err := gallery.Open(out); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s exists and cannot be read as an index, so it is not replaced (%w); remove it or choose another name", out, err)
			}
			d, network, err := how.open(file)
			if err != nil {
				return err
			}
			defer network.Close()
			set, err := folder(args[0], o)
			if err != nil {
				return err
			}
			start := time.Now()
			if slices.Contains(networks, how.model) {
				if err := identify(&d.Recipe, gallery.Recipe{}); err != nil {
					return err
				}
			}
			g, err := a.index(cmd.Context(), set, args[0], d)
			if err != nil {
				return err
			}
			if err := g.Save(out); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: %s, %s, %.1f s\n", out, count(len(g.Entries), "picture"), vectors(g), time.Since(start).Seconds())
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the index to `FILE`")
	how.flags(cmd)
	orientationFlag(cmd, &o.IgnoreOrientation)
	return cmd
}

// index describes the pictures of a folder and shows how far it is.
func (a *app) index(ctx context.Context, set *picture.Set, dir string, d gallery.Describer) (*gallery.Gallery, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := a.progress("Indexing", "images", set.Len())
	defer p.end()
	g, skips, err := gallery.Build(ctx, set, root, d, func(n int) { p.set(n) })
	p.end()
	a.report(skips, set.Len())
	return g, err
}

// vectors says in words what an index holds of each picture.
func vectors(g *gallery.Gallery) string {
	r := g.Recipe
	if g.PCA != nil {
		kept := 0.0
		for _, part := range g.PCA.ExplainedVarianceRatio {
			kept += part
		}
		return fmt.Sprintf("%s, %d of %d principal components with %.1f%% of the variance", source(r), g.Vectors.Dim(1), g.PCA.Mean.Len(), 100*kept)
	}
	return fmt.Sprintf("%s of %d numbers", source(r), g.Vectors.Dim(1))
}

// source says in words where vectors come from.
func source(r gallery.Recipe) string {
	switch {
	case r.Model == "autoencoder":
		return "codes"
	case r.Pooling != "":
		return fmt.Sprintf("%s %s (%s)", r.Model, r.Layer, r.Pooling)
	}
	return r.Model + " " + r.Layer
}
