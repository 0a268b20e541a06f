package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/gallery"
)

func (a *app) exportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export PHOTOS.idx -o VECTORS.npz",
		Short: "Write the vectors of an index for NumPy",
		Long: `Writes the vectors of an index, and which pictures they belong to, as an
archive for numpy.load: "vectors", float32 of shape [n, d], and "paths", n
texts, relative to the folder that was indexed.`,
		Example: `  lookalike export photos.idx -o vectors.npz
  python3 -c 'import numpy; print(numpy.load("vectors.npz")["vectors"].shape)'`,
		Args: arguments("PHOTOS.idx"),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return usagef("-o is missing: where to write the vectors, such as -o vectors.npz")
			}
			if !strings.EqualFold(filepath.Ext(out), ".npz") {
				return usagef("-o %s: the name must end in .npz", out)
			}
			if err := checkOutput(out, args[0]); err != nil {
				return err
			}
			g, err := gallery.Open(args[0])
			if err != nil {
				return err
			}
			if err := g.Export(out); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s: vectors %v, paths [%d]\n", out, g.Vectors.Shape(), len(g.Entries))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the vectors to `FILE`, .npz")
	return cmd
}
