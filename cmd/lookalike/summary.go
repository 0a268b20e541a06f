package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/gallery"
	"lookalike/internal/words"
	"lookalike/modelfile"
)

func summaryCommand(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "summary MODEL|INDEX",
		Short: "Show the layers of a model, or what an index holds",
		Long: `Shows the layers of an autoencoder, of VGG16 or of VGG19, with the shapes of
their outputs and the numbers of their parameters, in the form of Keras. Of an
embedding these are the layers that it has learned, without the VGG below. Of any
other file of weights it lists the arrays.

The model may be in any format that 'lookalike convert' reads.

Of an index it tells how many pictures it has, where these are, how they were
described, and which thresholds are saved in it.`,
		Example: `  lookalike summary model.safetensors
  lookalike summary photos.idx
  lookalike summary weights.npz --json`,
		Args: cli.Arguments("MODEL|INDEX"),
		RunE: func(_ *cobra.Command, args []string) error {
			if isIndex(args[0]) {
				return summarizeIndex(a, args[0], asJSON)
			}
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				return insteadOfIndex(args[0], nil)
			}
			f, err := openModelFile(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			switch {
			case asJSON:
				return a.PrintJSON(f.Describe())
			case f.Network != "":
				fmt.Fprint(a.Out, f.Summary)
			default:
				if f.Unknown != modelfile.ErrUnknown {
					a.Warn("note: only the arrays can be shown: %v", f.Unknown)
				}
				printArrays(a.Out, f.Describe())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the same as JSON: format, network and arrays, or what the index says of itself")
	return cmd
}

// printArrays lists the arrays, for people.
func printArrays(w io.Writer, d modelfile.Description) {
	fmt.Fprintf(w, "Format: %s\n", d.Format)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "Array\tShape\tType\tParam #")
	for _, array := range d.Arrays {
		shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(array.Shape), "[]"), " ", ", ")
		fmt.Fprintf(table, "%s\t(%s)\t%s\t%s\n", words.Printable(array.Name), shape, array.Type, words.Thousands(array.Parameters))
	}
	table.Flush()
	fmt.Fprintf(w, "Total: %s, %s parameters\n", words.Count(len(d.Arrays), "array"), words.Thousands(d.Parameters))
}

// summarizeIndex shows what an index holds.
func summarizeIndex(a *app, index string, asJSON bool) error {
	c, err := openCollection(a, index, "")
	if err != nil {
		return err
	}
	defer c.Close()
	g := c.Gallery
	r := g.Recipe
	if asJSON {
		return a.PrintJSON(struct {
			Index      string              `json:"index"`
			Root       string              `json:"root"`
			Pictures   int                 `json:"pictures"`
			Dimensions int                 `json:"dimensions"`
			Recipe     gallery.Recipe      `json:"recipe"`
			Thresholds []gallery.Threshold `json:"thresholds"`
		}{index, g.Root, len(g.Entries), g.Vectors.Dim(1), r, append([]gallery.Threshold{}, g.Thresholds...)})
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(a.Out, "%-13s "+format+"\n", append([]any{name}, args...)...)
	}
	line("index", "%s", index)
	if g.Root == "" {
		line("pictures", "%d, in a folder that is not known", len(g.Entries))
	} else {
		line("pictures", "%d, in %s", len(g.Entries), words.Printable(g.Root))
	}
	line("described by", "%s", vectors(g))
	if r.WeightsFile != "" {
		line("made with", "%s", words.Printable(r.WeightsFile))
	}
	switch r.EXIF {
	case "applied", "ignored":
		line("orientation", "EXIF's %s", r.EXIF)
	default:
		line("orientation", "not known")
	}
	for _, t := range g.Thresholds {
		line("threshold", "%s distance %.4g, by %s of %s", t.Metric, t.Distance, t.Method, words.Count(t.Pictures, "picture"))
	}
	return nil
}
