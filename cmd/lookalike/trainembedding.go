package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/embedding"
	"lookalike/internal/words"
	"lookalike/picture/album"
	"lookalike/training"
)

// arcFace is the value of --embedding.
const arcFace = "arcface"

// openEmbedding begins the training of an embedding, or goes on with it.
func (o *trainOptions) openEmbedding(cmd *cobra.Command, cache string) (*training.Course, error) {
	use, given := o.used(cmd), cmd.Flags().Changed
	config := embedding.Config{Base: shape(use, "base", o.base), Margin: shape(use, "margin", o.margin), Scale: shape(use, "scale", o.scale)}
	if given("code") { // the default is an autoencoder's
		config.Dim = o.code
	}
	if given("size") || !o.resume && o.base == embedding.Encoder && o.from == "" {
		config.Size = o.size
	}
	list := append(o.training(use), training.WeightsCache(cache))
	if o.base == embedding.Encoder {
		list = append(list, training.From(o.from))
	} else {
		list = append(list, training.WeightsFile(o.weights))
	}
	return training.OpenEmbedding(o.out, config, list...)
}

// warnOfSingles names classes with one picture to learn from.
func warnOfSingles(t *cli.Terminal, learned *album.Set) {
	n := map[string]int{}
	for _, label := range learned.Labels() {
		n[label]++
	}
	var single []string
	for _, class := range training.Classes(learned) {
		if n[class] == 1 {
			single = append(single, words.Printable(class))
		}
	}
	const most = 5
	if k := len(single); k > most {
		single = append(single[:most], fmt.Sprintf("and %d more", k-most))
	}
	if len(single) > 0 {
		t.Warn("warning: classes with one picture only, which cannot show what its pictures have in common: %s", strings.Join(single, ", "))
	}
}
