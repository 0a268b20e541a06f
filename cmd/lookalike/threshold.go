package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/gallery"
	"lookalike/internal/words"
	"lookalike/knn/retrieval"
)

// thresholdOptions are the flags of threshold.
type thresholdOptions struct {
	share  float64
	by     string
	metric string
	json   bool
}

func thresholdCommand(a *app) *cobra.Command {
	var o thresholdOptions
	cmd := &cobra.Command{
		Use:   "threshold PHOTOS.idx",
		Short: "Find the distance up to which two pictures match",
		Long: `Finds the greatest distance at which at most a given share of the matches are
false (--share, default 0.01), and saves it in the index, where dups and compare
look it up. A match is two pictures of the index at that
distance or nearer. What counts as a false match:

  --by labels     Pictures in folders of the same name belong together; a match
                  of two others is false. The threshold then tells things of
                  one kind from others, not copies of one photograph. It is
                  checked by cross-validation: a threshold that was fitted to
                  half of the pictures is tried on the other half, and the
                  share, with its error, must be within what is allowed. So it
                  holds for new pictures of the same kinds, not for other
                  kinds. The default where there are two folders or more.

  --by distances  Two pictures that are no nearer than unrelated ones come by
                  chance are a false match. The threshold tells near duplicates
                  from others: the same photograph in another size, cut or
                  saved again, or taken a moment later. How near pictures come
                  by chance follows from the distances of the 16th to the 32nd
                  neighbour. Different things that look alike, such as many
                  motorcycles on white, do not count as chance: they match
                  too. The default without folders; needs 64 pictures.

A stricter threshold finds less: recall says which part of the pairs of one
folder it still matches. The index keeps, for each metric, the last one found by
labels and the last one by distances; of two, compare takes that by distances,
and dups takes no other. They stay when pictures are added or taken out; when many
have been, find them again.

With --json the result is one object:
  {"index": FILE, "method": "labels", "metric": "cosine", "distance": 0.3046,
   "share": 0.1, "estimate": 0.0808, "error": 0.0109, "matches": 11945,
   "pairs": 4704778, "pictures": 3068, "recall": 0.159, "folds": [
     {"distance": 0.3051, "matches": 2711, "share": 0.077, "pictures": 1534},
     …]}
where estimate is the share of false ones among the matches of the folds, the
halves that the threshold was tried on, and error its standard error; by distances,
estimate is what chance lets expect, and "dimension" takes the place of error,
recall and folds: of how many dimensions the vectors look.`,
		Example: `  lookalike threshold photos.idx
  lookalike threshold photos.idx --by distances
  lookalike threshold photos.idx --share 0.1 --metric euclidean`,
		Args: cli.Arguments("PHOTOS.idx"),
		RunE: func(cmd *cobra.Command, args []string) error { return findThreshold(cmd.Context(), a, args[0], o) },
	}
	f := cmd.Flags()
	f.Float64Var(&o.share, "share", 0.01, "allow this `SHARE` of the matches to be false, between 0 and 1")
	f.StringVar(&o.by, "by", "", "tell false matches by `WHAT`: labels or distances (default labels if there are two folders)")
	metricFlag(cmd, &o.metric)
	cli.JSONFlag(cmd, &o.json)
	return cmd
}

func findThreshold(ctx context.Context, a *app, index string, o thresholdOptions) error {
	if err := checkMetric(o.metric); err != nil {
		return err
	}
	if !(o.share > 0 && o.share < 1) {
		return cli.Usagef("--share %v: give a number between 0 and 1, such as 0.01", o.share)
	}
	if o.by != "" && o.by != gallery.FromLabels && o.by != gallery.FromDistances {
		return cli.Usagef("--by %s: give labels or distances", o.by)
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
	of := len(c.Entries)
	if o.by = cmp.Or(o.by, lookalike.ThresholdMethod(c.Entries)); o.by == gallery.FromLabels {
		noteOthers(&a.Terminal, c.Entries)
		of = labelled(c.Entries)
	}
	p := a.Progress("Comparing", "images", of)
	defer p.End()
	t, err := c.index.FindThreshold(ctx, o.by, o.share, lookalike.By(metric), lookalike.Comparing(func(n, _ int) { p.Set(n) }))
	p.End()
	if e, ok := errors.AsType[*retrieval.ShareError](err); ok && e.Nearest > 0 {
		return fmt.Errorf("%w; allow it with --share %v", err, e.Nearest)
	}
	if err != nil {
		return err
	}
	if o.json {
		err = a.PrintJSON(struct {
			Index string `json:"index"`
			lookalike.Threshold
		}{index, t})
	} else {
		printThreshold(&a.Terminal, t.Threshold)
	}
	if err != nil {
		return err
	}
	if err := c.index.SaveThreshold(t); err != nil {
		return fmt.Errorf("the threshold was not saved: %w", err)
	}
	if !o.json {
		fmt.Fprintf(a.Out, "\nsaved in %s\n", index)
	}
	return nil
}

// printThreshold shows a threshold and what is known of it.
func printThreshold(t *cli.Terminal, found *retrieval.Threshold) {
	kind, byLabels := "near duplicates", len(found.Folds) > 0
	if byLabels {
		kind = "pictures of one folder"
	}
	fmt.Fprintf(t.Out, "%s distance up to %#.4g: %s\n\n", found.Metric, found.Distance, kind)
	if !byLabels {
		fmt.Fprintf(t.Out, "matches     %d of %d pairs of %s\n", found.Matches, found.Pairs, words.Count(found.Pictures, "picture"))
		fmt.Fprintf(t.Out, "by chance   %.2g matches are expected, %s; asked for %s at most\n", found.Estimate*float64(max(found.Matches, 1)), percent(found.Estimate), percent(found.Share))
		fmt.Fprintf(t.Out, "dimensions  %.1f, going by how the number of neighbours grows with the distance\n", found.Dimension)
		return
	}
	lowest, highest := 1.0, 0.0
	for _, f := range found.Folds {
		lowest, highest = min(lowest, f.Share), max(highest, f.Share)
	}
	fmt.Fprintf(t.Out, "matches  %d of %d pairs of %s\n", found.Matches, found.Pairs, words.Count(found.Pictures, "picture"))
	t.Print("false    %s ± %s, tested on other halves (%s to %s); at most %s allowed", percent(found.Estimate), percent(found.Error), percent(lowest), percent(highest), percent(found.Share))
	fmt.Fprintf(t.Out, "recall   %s of the pairs of one folder\n", percent(found.Recall))
	if found.Estimate+found.Error > found.Share {
		t.Warn("warning: the share of false matches is uncertain and may be greater than asked for; more pictures, or a greater --share, give a surer threshold")
	}
}

// percent writes a share with two digits that count.
func percent(share float64) string {
	if share > 0.995 {
		return "100%"
	}
	return fmt.Sprintf("%.2g%%", 100*share)
}
