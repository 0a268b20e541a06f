package main

import (
	"slices"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/vgg"
)

// modelFlags adds the flags that say how a picture is described.
func modelFlags(cmd *cobra.Command, m *describe.Spec) {
	f := cmd.Flags()
	f.StringVar(&m.Name, "model", "", "describe pictures with `MODEL`: vgg16, vgg19, perceptual, or a file of 'lookalike train'")
	f.StringVar(&m.Weights, "weights", "", "read the weights of vgg16 or vgg19 from `FILE` (default: those that 'lookalike weights fetch' got)")
	f.StringVar(&m.Layer, "layer", "", "describe by the output of the layer `NAME` of vgg16 or vgg19 (default fc2 if the weights have it, else block5_pool)")
	f.StringVar(&m.Pooling, "pool", "", "reduce each of the layer's channels to one number by `METHOD`: avg, max or none (default none; avg where block5_pool is the default layer)")
	f.StringVar(&m.Ground, "ground", "", "show vgg16 and vgg19 transparent pictures on `GROUND`: white, black, or none, which drops alpha as Keras does (default none)")
}

// indexModelFlags is modelFlags for pictures of an index, which may be brought to
// principal components.
func indexModelFlags(cmd *cobra.Command, m *describe.Spec, components *int) {
	modelFlags(cmd, m)
	cmd.Flags().IntVar(components, "pca", 0, "keep the `N` principal components of the vectors")
}

// imply takes vgg16 for the model where flags of a network are given without its name.
func imply(cmd *cobra.Command, m *describe.Spec) {
	for _, name := range []string{"weights", "layer", "pool", "ground"} {
		if f := cmd.Flags().Lookup(name); m.Name == "" && f != nil && f.Changed {
			m.Name = "vgg16"
		}
	}
}

// checkModel finds mistakes in these flags. cmd tells which were given.
func checkModel(cmd *cobra.Command, m describe.Spec) error {
	if pca := cmd.Flags().Lookup("pca"); pca != nil && pca.Changed {
		if n, err := cmd.Flags().GetInt("pca"); err != nil || n < 1 {
			return cli.Usagef("--pca %s: give 1 or more", pca.Value)
		}
	}
	if !m.IsNetwork() {
		what := "a model that 'lookalike train' has written"
		switch m.Name {
		case "":
			what = "a model that is not named"
		case describe.Perceptual:
			what = m.Name
		}
		for _, name := range []string{"weights", "layer", "pool", "ground"} {
			if cmd.Flags().Changed(name) {
				return cli.Usagef("--%s is for --model vgg16 and vgg19, not for %s", name, what)
			}
		}
	}
	if _, err := vgg.ParsePooling(m.Pooling); m.Pooling != "" && err != nil {
		return cli.Usagef("--pool %s: give none, avg or max", m.Pooling)
	}
	if !slices.Contains([]string{"", "none", "white", "black"}, m.Ground) {
		return cli.Usagef("--ground %s: give white, black or none", m.Ground)
	}
	return nil
}
