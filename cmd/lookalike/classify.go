package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/hugepages"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/vgg"
	"lookalike/weights/published"
)

// classifyOptions are the flags of classify.
type classifyOptions struct {
	weights string
	top     int
	json    bool
	picture picture.Options
}

// classified is what classify prints with --json, a list of them.
type classified struct {
	Path        string            `json:"path"`
	Predictions []classifiedClass `json:"predictions"`
}

type classifiedClass struct {
	Rank  int     `json:"rank"`  // from 1
	ID    string  `json:"id"`    // in WordNet
	Name  string  `json:"name"`  // as Keras has it
	Score float32 `json:"score"` // probability, never rounded
}

func classifyCommand(a *app) *cobra.Command {
	var o classifyOptions
	cmd := &cobra.Command{
		Use:   "classify PICTURE...",
		Short: "Say what is on pictures, by VGG's 1000 classes of ImageNet",
		Long: `Names the most probable of ImageNet's 1000 classes for each picture, with their
probabilities, by VGG16 or VGG19. Pictures are prepared as Keras does it: resized
to 224x224 by nearest neighbour, whatever their shape.

The weights are Keras's with the dense layers, such as the file
vgg16_weights_tf_dim_ordering_tf_kernels.h5. Without --weights those are used
that 'lookalike weights fetch vgg16' has downloaded. Files that cannot be read as
pictures are named and left out.

With --json the result is a list:
  [{"path": PICTURE, "predictions": [
    {"rank": 1, "id": "n02123045", "name": "tabby", "score": 0.81}, …]}, …]`,
		Example: `  lookalike classify holiday.jpg
  lookalike classify *.jpg --top 1 --json | jq '.[].predictions[0].name'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Usagef("PICTURE is missing")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			hugepages.Avoid()
			return classify(cmd.Context(), a, args, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.weights, "weights", "", "read the weights from `FILE`")
	f.IntVar(&o.top, "top", 5, "name `N` classes, 1 to 1000")
	cli.JSONFlag(cmd, &o.json)
	orientationFlag(cmd, &o.picture.IgnoreOrientation)
	return cmd
}

// classifyBatch is how many pictures are held, decoded, at a time.
const classifyBatch = 32

func classify(ctx context.Context, a *app, paths []string, o classifyOptions) (err error) {
	if o.top < 1 || o.top > vgg.Classes {
		return cli.Usagef("--top %d: give 1 to %d", o.top, vgg.Classes)
	}
	if o.weights == "" {
		if o.weights, err = published.Store(a.cache).Find("vgg16", "vgg19"); err != nil {
			return err
		}
	}
	m, err := vgg.Open(o.weights, vgg.Config{})
	if err != nil {
		return err
	}
	defer m.Close()
	if m.Config().NoTop {
		return fmt.Errorf("%s has no dense layers, so it tells no classes apart; take the weights with the top, such as those of 'lookalike weights fetch vgg16'", o.weights)
	}
	if err := m.Ready("predictions"); err != nil {
		return err
	}
	results := []classified{}
	for part := range slices.Chunk(paths, classifyBatch) {
		var named []string
		var pictures []*picture.Image
		for _, path := range part {
			p, err := picture.File(path, o.picture)
			if err != nil {
				a.Skip(path, errors.Unwrap(err))
				continue
			}
			named, pictures = append(named, path), append(pictures, m.Prepare(p))
		}
		probabilities, err := m.Predict(ctx, pictures)
		if err != nil {
			return err
		}
		for i, list := range vgg.DecodePredictions(probabilities, o.top) {
			result := classified{Path: named[i]}
			for rank, p := range list {
				result.Predictions = append(result.Predictions, classifiedClass{rank + 1, p.ID, p.Name, p.Score})
			}
			if !o.json {
				printClasses(a.Out, result, len(paths) > 1)
			}
			results = append(results, result)
		}
	}
	if len(results) == 0 {
		return fmt.Errorf("none of the %s could be read as a picture", words.Count(len(paths), "file"))
	}
	if !o.json {
		return nil
	}
	return a.PrintJSON(results)
}

// printClasses prints the classes of a picture as a table, with the picture's
// path above if there are several.
func printClasses(w io.Writer, c classified, several bool) {
	if several {
		fmt.Fprintf(w, "%s\n", words.Printable(c.Path))
	}
	for _, p := range c.Predictions {
		fmt.Fprintf(w, "%4d  %7.3f %%  %s  %s\n", p.Rank, 100*p.Score, p.ID, p.Name)
	}
}
