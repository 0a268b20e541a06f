package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"lookalike/gallery"
	"lookalike/internal/sheet"
	"lookalike/knn/retrieval"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	metric    string
	json      bool
	confusion string
}

func (a *app) evalCommand() *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval PHOTOS.idx",
		Short: "Say how good the searches of an index are, given a folder for each class",
		Long: `Searches for every picture of an index among all others and counts how many of
those found lie in a folder of the same name: the class. Prints, in the mean
over all pictures and for each class,

  precision at 1, 5, 10    which part of the nearest are of the picture's class
  recall at 1, 5, 10       which part of its class are among the nearest
  mean average precision   the mean precision up to each picture of the class,
                           over the whole ranking: 1 if they all come first

A picture alone in its class counts as 0. --confusion draws which classes are
taken for which, from the five nearest of each picture.

With --json the result is one object:
  {"index": FILE, "pictures": 3068, "metric": "cosine", "precision_at_1": 0.86, …,
   "recall_at_1": …, "mean_average_precision": 0.58, "classes": [
     {"label": "airplanes", "pictures": 48, "precision_at_1": …, …}, …],
   "confusion": [[0.95, 0, …], …]}
where row i, column j of the confusion is the part of class j among the five
nearest to the pictures of class i, in the order of classes.`,
		Example: `  lookalike eval photos.idx
  lookalike eval photos.idx --metric euclidean --confusion confusion.png
  lookalike eval photos.idx --json | jq .mean_average_precision`,
		Args: arguments("PHOTOS.idx"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.eval(cmd.Context(), args[0], o) },
	}
	f := cmd.Flags()
	metricFlag(cmd, &o.metric)
	jsonFlag(cmd, &o.json)
	f.StringVar(&o.confusion, "confusion", "", "draw which classes are taken for which to `FILE`, .png or .jpg")
	return cmd
}

func (a *app) eval(ctx context.Context, index string, o evalOptions) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if err := checkDrawing("confusion", o.confusion, index); err != nil {
		return err
	}
	g, err := gallery.Open(index)
	if err != nil {
		return err
	}
	metric, err := metricOf(o.metric, g)
	if err != nil {
		return err
	}
	labels := make([]string, len(g.Entries))
	for i, e := range g.Entries {
		labels[i] = e.Label
	}
	p := a.progress("Evaluating", "images", len(labels))
	defer p.end()
	r, err := retrieval.Evaluate(ctx, g.Vectors, labels, metric, func(n int) { p.set(n) })
	p.end()
	if err != nil {
		return fmt.Errorf("%s: %w", index, err)
	}
	if o.confusion != "" {
		names := make([]string, len(r.Classes))
		for i, c := range r.Classes {
			names[i] = className(c.Label)
		}
		if err := sheet.Write(o.confusion, sheet.Confusion(names, r.Confusion)); err != nil {
			return err
		}
	}
	if o.json {
		enc := json.NewEncoder(a.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(struct {
			Index string `json:"index"`
			*retrieval.Report
		}{index, r})
	}
	a.printReport(g, r)
	return nil
}

func (a *app) printReport(g *gallery.Gallery, r *retrieval.Report) {
	fmt.Fprintf(a.out, "%s, %d classes; %s; %s distance\n\n", count(r.Pictures, "picture"), len(r.Classes), vectors(g), r.Metric)
	fmt.Fprintf(a.out, "               at 1    at 5   at 10\n")
	fmt.Fprintf(a.out, "precision    %.4f  %.4f  %.4f\n", r.PrecisionAt1, r.PrecisionAt5, r.PrecisionAt10)
	fmt.Fprintf(a.out, "recall       %.4f  %.4f  %.4f\n", r.RecallAt1, r.RecallAt5, r.RecallAt10)
	fmt.Fprintf(a.out, "mean average precision  %.4f\n\n", r.MeanAveragePrecision)
	width := len("class")
	for _, c := range r.Classes {
		width = max(width, len([]rune(className(c.Label))))
	}
	fmt.Fprintf(a.out, "%-*s  pictures  precision at 1    at 5   at 10  recall at 10  average precision\n", width, "class")
	for _, c := range r.Classes {
		fmt.Fprintf(a.out, "%-*s  %8d  %14.4f  %.4f  %.4f  %12.4f  %17.4f\n", width, className(c.Label), c.Pictures,
			c.PrecisionAt1, c.PrecisionAt5, c.PrecisionAt10, c.RecallAt10, c.MeanAveragePrecision)
	}
}

// className is how a label is shown.
func className(label string) string {
	if label == "" {
		return "(no folder)"
	}
	return printable(label)
}
