package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"lookalike/autoencoder"
	"lookalike/gallery"
	"lookalike/picture"
	"lookalike/tensor"
)

func (a *app) indexCommand() *cobra.Command {
	var out, model string
	var o picture.Options
	cmd := &cobra.Command{
		Use:   "index DIR -o PHOTOS.idx --model MODEL.safetensors",
		Short: "Describe all pictures of a folder by their codes",
		Long: `Describes every picture below a folder by its code and writes the codes to an
index, which search looks pictures up in. The photographs are not changed and
not copied; the index knows where they and the model are.

Files that cannot be read as pictures are named and left out. An index of the
same name is replaced.`,
		Example: "  lookalike index photos -o photos.idx --model model.safetensors",
		Args:    arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("-o is missing: where to write the index, such as -o photos.idx")
			}
			if model == "" {
				return usagef("--model is missing: the file that 'lookalike train' has written")
			}
			if err := checkOutput(out, model); err != nil {
				return err
			}
			if _, err := gallery.Open(out); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s exists and cannot be read as an index, so it is not replaced (%w); remove it or choose another name", out, err)
			}
			m, err := autoencoder.Load(model)
			if err != nil {
				return err
			}
			set, err := folder(args[0], o)
			if err != nil {
				return err
			}
			start := time.Now()
			g, err := a.index(cmd.Context(), set, args[0], m, model, o)
			if err != nil {
				return err
			}
			if err := g.Save(out); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: %s, codes of %d numbers, %.1f s\n", out, count(len(g.Entries), "picture"), g.Vectors.Dim(1), time.Since(start).Seconds())
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the index to `FILE`")
	cmd.Flags().StringVar(&model, "model", "", "describe pictures with the model in `FILE`")
	orientationFlag(cmd, &o.IgnoreOrientation)
	return cmd
}

// index describes the pictures of a folder and shows how far it is.
func (a *app) index(ctx context.Context, set *picture.Set, dir string, m *autoencoder.Model, file string, o picture.Options) (*gallery.Gallery, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d, err := describer(m, file, orientation(o.IgnoreOrientation))
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

// describer makes codes of pictures with an autoencoder that was read from a
// file.
func describer(m *autoencoder.Model, file, exif string) (gallery.Describer, error) {
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
		Prepare:  m.Prepare,
		Describe: func(p []*picture.Image) *tensor.Tensor { return m.Encoder.Predict(m.Input(p)) },
	}, err
}
