package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/lines"
	"lookalike/gallery"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/knn"
	"lookalike/knn/retrieval"
	"lookalike/training"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	metric    string
	json      bool
	confusion string
	split     string
}

func evalCommand(a *app) *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval PHOTOS.idx",
		Short: "Say how good searches are, given a folder for each class",
		Long: `Searches for every picture of an index among all others and counts how many of
those found lie in a folder of the same name: the class. Prints the averages
over all pictures and for each class:

  precision at 1, 5, 10    the share of the nearest that belong to the class
  recall at 1, 5, 10       the share of the class that is among the nearest
  mean average precision   (mAP) the mean precision up to each picture of the
                           class, over the whole ranking: 1 if they come first

A picture alone in its class counts as 0; those that lie in no folder are left
out. --confusion draws which classes are taken for which, from the five nearest
of each picture.

--split takes the table that 'lookalike train --split' has written and judges
each of its sets by itself: the pictures of a set are searched for among the
others of the same set. So pictures that a network has learned from are told
apart from those that it has not, and classes that it knows from those that it
does not. The table may as well be made by hand: its columns are path, class and
set; the class is that of the index, and paths are as in the index.

With --json the result is one object:
  {"index": FILE, "pictures": 3068, "metric": "cosine", "precision_at_1": 0.86,
   …, "recall_at_1": …, "mean_average_precision": 0.58, "classes": [
     {"label": "airplanes", "pictures": 48, "precision_at_1": …, …}, …],
   "confusion": [[0.95, 0, …], …]}
where row i, column j of the confusion is the part of class j among the five
nearest to the pictures of class i, in the order of classes. With --split it is
  {"index": FILE, "metric": "cosine", "sets": [
     {"set": "train", "pictures": 1240, "precision_at_1": …, "classes": […],
      …}, …]}`,
		Example: `  lookalike eval photos.idx
  lookalike eval photos.idx --metric euclidean --confusion confusion.png
  lookalike eval photos.idx --split split.csv
  lookalike eval photos.idx --json | jq .mean_average_precision`,
		Args: cli.Arguments("PHOTOS.idx"),
		RunE: func(cmd *cobra.Command, args []string) error { return eval(cmd.Context(), a, args[0], o) },
	}
	f := cmd.Flags()
	metricFlag(cmd, &o.metric)
	cli.JSONFlag(cmd, &o.json)
	f.StringVar(&o.confusion, "confusion", "", "draw which classes are taken for which to `FILE`, .png or .jpg")
	f.StringVar(&o.split, "split", "", "judge each set of the split in `FILE` by itself")
	return cmd
}

func eval(ctx context.Context, a *app, index string, o evalOptions) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if err := a.outputs.ReserveDrawing("confusion", o.confusion, index); err != nil {
		return err
	}
	if o.split != "" && o.confusion != "" {
		return cli.Usagef("--confusion shows a whole index: leave out --split or --confusion")
	}
	c, err := openCollection(a, index, "")
	if err != nil {
		return err
	}
	defer c.Close()
	metric, err := metricOf(o.metric, c.Gallery)
	if err != nil {
		return err
	}
	if o.split != "" {
		return evalSets(ctx, &a.Terminal, c, metric, o)
	}
	noteOthers(&a.Terminal, c.Entries)
	p := a.Progress("Evaluating", "images", labelled(c.Entries))
	defer p.End()
	r, err := c.index.Evaluate(ctx, lookalike.By(metric), lookalike.Comparing(func(n, _ int) { p.Set(n) }))
	p.End()
	if err != nil {
		return fmt.Errorf("%s: %w", index, err)
	}
	if o.confusion != "" {
		names := make([]string, len(r.Classes))
		for i, c := range r.Classes {
			names[i] = words.Printable(c.Label)
		}
		if err := sheet.Write(o.confusion, sheet.Confusion(names, r.Confusion)); err != nil {
			return err
		}
		a.Undrawn(sheet.Undrawn(names...))
		a.Wrote(o.confusion, fmt.Sprintf("which of %s are taken for which", words.Count(len(names), "class")))
	}
	if o.json {
		enc := json.NewEncoder(a.Out)
		enc.SetEscapeHTML(false)
		return enc.Encode(struct {
			Index string `json:"index"`
			*retrieval.Report
		}{index, r})
	}
	printReport(&a.Terminal, c.Gallery, r)
	return nil
}

// setReport is the report of one set of a split.
type setReport struct {
	Set string `json:"set"`
	*retrieval.Report
}

// evalSets judges the sets of a split, each by itself.
func evalSets(ctx context.Context, t *cli.Terminal, c *collection, metric knn.Metric, o evalOptions) error {
	setOf, sets, err := training.ReadSplit(o.split)
	if errors.Is(err, training.ErrNoSplit) {
		err = fmt.Errorf("%w, as 'lookalike train --split' writes it", err)
	}
	if err != nil {
		return err
	}
	noteOthers(t, c.Entries)
	classes, in := map[string][]string{}, 0 // of the pictures of each set
	for _, e := range c.Entries {
		if set, ok := setOf[e.Path]; ok && e.Label != "" {
			classes[set] = append(classes[set], e.Label)
			in++
		}
	}
	switch left := labelled(c.Entries) - in; {
	case in == 0:
		return fmt.Errorf("%s names none of the pictures of %s: it was made for another folder", o.split, c.file)
	case left > 0:
		t.Warn("note: %s of %s %s not in %s and left out", words.Count(left, "picture"), c.file, words.IsOrAre(left), o.split)
	}
	sets = slices.DeleteFunc(sets, func(set string) bool {
		labels := classes[set]
		if len(labels) == 0 {
			return true
		}
		alike := len(slices.Compact(slices.Sorted(slices.Values(labels)))) == 1
		if alike {
			t.Warn("note: all pictures of the set %s are of the class %s, so searches among them tell nothing; it is left out", words.Printable(set), words.Printable(labels[0]))
			in -= len(labels)
		}
		return alike
	})
	if in == 0 {
		return fmt.Errorf("no set of %s has pictures of two classes, so nothing can be judged", o.split)
	}
	p := t.Progress("Evaluating", "images", in)
	defer p.End()
	var reports []setReport
	before := 0
	for _, set := range sets {
		r, err := c.index.Evaluate(ctx, lookalike.By(metric), lookalike.Comparing(func(n, _ int) { p.Set(before + n) }),
			lookalike.Where(func(e lookalike.Entry) bool { of, ok := setOf[e.Path]; return ok && of == set }))
		if err != nil {
			return fmt.Errorf("%s, set %s: %w", c.file, words.Printable(set), err)
		}
		before += r.Pictures
		reports = append(reports, setReport{set, r})
	}
	p.End()
	if o.json {
		return t.PrintJSON(struct {
			Index  string      `json:"index"`
			Metric string      `json:"metric"`
			Sets   []setReport `json:"sets"`
		}{c.file, metric.String(), reports})
	}
	printSets(t, fmt.Sprintf("%s; %s; %s distance", words.Count(in, "picture"), vectors(c.Gallery), metric), reports)
	return nil
}

// ranks heads the numbers of a set or a class; the last is the mean average precision.
const ranks = "  precision at 1    at 5   at 10  recall 10     mAP"

// printSets prints a line for each set of a split.
func printSets(t *cli.Terminal, head string, reports []setReport) {
	t.Print("%s\n", head)
	width := len("validation")
	for _, r := range reports {
		width = max(width, lines.Width(words.Printable(r.Set)))
	}
	width = max(min(width, cli.Width(t.Out.File)-len("  pictures  classes"+ranks)), len("set"))
	fmt.Fprintf(t.Out, "%s  pictures  classes%s\n", lines.Padded("set", width), ranks)
	for _, r := range reports {
		fmt.Fprintf(t.Out, "%s  %8d  %7d  %14.4f  %.4f  %.4f  %9.4f  %6.4f\n", lines.Padded(lines.Shorten(words.Printable(r.Set), width), width), r.Pictures, len(r.Classes),
			r.PrecisionAt1, r.PrecisionAt5, r.PrecisionAt10, r.RecallAt10, r.MeanAveragePrecision)
	}
}

// printReport prints the report of an index, and a line for each class.
func printReport(t *cli.Terminal, g *gallery.Gallery, r *retrieval.Report) {
	w := t.Out
	t.Print("%s, %d classes; %s; %s distance\n", words.Count(r.Pictures, "picture"), len(r.Classes), vectors(g), r.Metric)
	fmt.Fprintf(w, "               at 1    at 5   at 10\n")
	fmt.Fprintf(w, "precision    %.4f  %.4f  %.4f\n", r.PrecisionAt1, r.PrecisionAt5, r.PrecisionAt10)
	fmt.Fprintf(w, "recall       %.4f  %.4f  %.4f\n", r.RecallAt1, r.RecallAt5, r.RecallAt10)
	fmt.Fprintf(w, "mean average precision  %.4f\n\n", r.MeanAveragePrecision)
	width := len("class")
	for _, c := range r.Classes {
		width = max(width, lines.Width(words.Printable(c.Label)))
	}
	width = max(min(width, cli.Width(w.File)-len("  pictures"+ranks)), len("class"))
	fmt.Fprintf(w, "%s  pictures%s\n", lines.Padded("class", width), ranks)
	for _, c := range r.Classes {
		fmt.Fprintf(w, "%s  %8d  %14.4f  %.4f  %.4f  %9.4f  %6.4f\n", lines.Padded(lines.Shorten(words.Printable(c.Label), width), width), c.Pictures,
			c.PrecisionAt1, c.PrecisionAt5, c.PrecisionAt10, c.RecallAt10, c.MeanAveragePrecision)
	}
}
