package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/modelfile"
	"lookalike/picture"
	"lookalike/vgg"
)

// modelFlags adds the flags that say how a picture is described.
func modelFlags(cmd *cobra.Command, m *describe.Spec) {
	f := cmd.Flags()
	f.Var((*modelName)(&m.Name), "model", "describe pictures with `MODEL`: vgg16, vgg19, perceptual, or a file of 'lookalike train'")
	f.StringVar(&m.Weights, "weights", "", "read the weights of vgg16 or vgg19 from `FILE` (default: those that 'lookalike weights fetch' got)")
	f.StringVar(&m.Layer, "layer", "", "describe by the output of the layer `NAME` of vgg16 or vgg19 (default fc2 if the weights have it, else block5_pool)")
	f.StringVar(&m.Pooling, "pool", "", "reduce each of the layer's channels to one number by `METHOD`: avg, max or none (default none; avg where block5_pool is the default layer)")
	f.StringVar(&m.Ground, "ground", "", "show vgg16 and vgg19 transparent pictures on `GROUND`: white, black, or none, which drops alpha as Keras does (default none)")
}

// modelName is a flag that takes a model's name in letters of either case, or a file.
type modelName string

func (n *modelName) String() string { return string(*n) }
func (n *modelName) Type() string   { return "string" }
func (n *modelName) Set(s string) error {
	*n = modelName(describe.Named(s))
	return nil
}

// openModel opens the model that the flags ask for.
func openModel(s describe.Spec) (describe.Model, error) {
	m, err := s.Open()
	if err != nil && !s.IsNetwork() {
		if what := insteadOfModel(s.Name); what != "" {
			return nil, cli.Usagef("--model %s: %s", s.Name, what)
		}
	}
	return m, err
}

// insteadOfModel says what a file is that is not a model, and what to do about it; "" if
// that is not known.
func insteadOfModel(file string) string {
	if info, err := os.Stat(file); err != nil || info.IsDir() {
		if err == nil {
			return "this is a folder; give vgg16, vgg19, perceptual, or the file of a model"
		}
		return ""
	}
	if head, err := gallery.ReadHead(file); err == nil {
		what := "this is an index, not a model"
		switch r := head.Recipe; {
		case r.WeightsFile != "" && !(describe.Spec{Name: r.Model}).IsNetwork():
			what += "; it was made with --model " + cli.Quoted(r.WeightsFile)
		case r.Model != gallery.Imported:
			what += "; it was made with --model " + r.Model
		}
		return what
	}
	f, err := modelfile.Open(file)
	if err != nil {
		if isPicture(file) {
			return "this is a picture; give vgg16, vgg19, perceptual, or the file of a model"
		}
		return ""
	}
	defer f.Close()
	for _, network := range describe.Networks {
		if strings.HasPrefix(strings.ToLower(f.Network), network) {
			return fmt.Sprintf("these are weights of %s; give --model %s --weights %s", f.Network, network, cli.Quoted(file))
		}
	}
	return ""
}

// isPicture tells whether a file is a picture, damaged or not.
func isPicture(file string) bool {
	_, err := picture.File(file, picture.Options{})
	_, other := errors.AsType[*picture.KindError](err)
	_, unread := errors.AsType[*fs.PathError](err)
	return err == nil || !other && !unread && !errors.Is(err, fs.ErrNotExist)
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
			what = "a run without --model"
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
