package main

import (
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/internal/words"
	"lookalike/knn"
)

// metricWords are the values of --metric, and metricNames the same in a sentence.
var (
	metricWords = []string{knn.Cosine.String(), knn.Euclidean.String(), knn.InnerProduct.String()}
	metricNames = words.OrList(metricWords)
)

// metricFlag adds --metric.
func metricFlag(cmd *cobra.Command, name *string) { metricFlagOf(cmd, name, metricNames) }

// metricFlagOf is metricFlag for commands that take some of the metrics only.
func metricFlagOf(cmd *cobra.Command, name *string, names string) {
	cmd.Flags().StringVar(name, "metric", "", "compare vectors by distance `NAME`: "+names+" (default cosine, but euclidean for an autoencoder and for perceptual)")
}

// checkMetric finds a mistake in --metric.
func checkMetric(name string) error {
	if name == "" {
		return nil
	}
	if _, err := knn.ParseMetric(name); err != nil {
		return cli.Usagef("--metric %s: give %s", name, metricNames)
	}
	return nil
}

// metricOf returns the metric of that name or, without one, the one that suits an
// index.
func metricOf(name string, g *gallery.Gallery) (knn.Metric, error) {
	if name != "" {
		return knn.ParseMetric(name)
	}
	return describe.Metric(g.Recipe), nil
}

// checkWithin finds a mistake in --within: but for inner products nothing is nearer than 0.
func checkWithin(d cli.Distance, metric knn.Metric) error {
	if d < 0 && metric != knn.InnerProduct {
		return cli.Usagef("--within %v: give 0 or more, as no %s distance is below it", float64(d), metric)
	}
	return nil
}
