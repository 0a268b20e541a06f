package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/knn"
)

// Flags that several commands have, and what these do with them.

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "json", false, "print the result as JSON")
}

// printJSON prints a result as one JSON value over several lines.
func (a *app) printJSON(result any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// drawnTypes are the suffixes of pictures that the program can write.
var drawnTypes = []string{".png", ".jpg", ".jpeg"}

// checkDrawing makes sure, before any work, that a picture can be written to the
// path that a flag gives, if it gives one, and that it is none of the inputs.
func checkDrawing(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if !slices.Contains(drawnTypes, strings.ToLower(filepath.Ext(path))) {
		return usagef("--%s %s: the name must end in .png or .jpg", flag, path)
	}
	return checkOutput(path, inputs...)
}

// metricWords are the values of --metric, and metricNames the same in a sentence.
var (
	metricWords = []string{knn.Cosine.String(), knn.Euclidean.String(), knn.InnerProduct.String()}
	metricNames = orList(metricWords)
)

// metricFlag adds --metric.
func metricFlag(cmd *cobra.Command, name *string) { metricFlagOf(cmd, name, metricNames) }

// metricFlagOf is metricFlag for commands that take some of the metrics only.
func metricFlagOf(cmd *cobra.Command, name *string, names string) {
	cmd.Flags().StringVar(name, "metric", "", "compare vectors by distance `NAME`: "+names+" (default cosine, but euclidean for an autoencoder and for perceptual)")
}

// checkPage is checkDrawing for a web page.
func checkPage(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if suffix := strings.ToLower(filepath.Ext(path)); suffix != ".html" && suffix != ".htm" {
		return usagef("--%s %s: the name must end in .html", flag, path)
	}
	return checkOutput(path, inputs...)
}
