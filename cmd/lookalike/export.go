package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/gallery/exchange"
	"lookalike/weights"
)

func exportCommand(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export PHOTOS.idx -o VECTORS.npz",
		Short: "Write the vectors of an index for other programs",
		Long: `Writes the vectors of an index, and which pictures they belong to, in the format
that the name's end says:

  .npz          for numpy.load: "vectors", float32 of shape [n, d], and "paths"
                and "labels", n texts; paths are relative to the folder that
                was indexed
  .npy          for numpy.load, the vectors alone
  .safetensors  "vectors", with recipe and entries as JSON in the metadata
  .csv          a line of names, then a line for each picture: path, label,
                width, height, size, modified, sha256, and the values v0, v1, …
  .jsonl        an object a line with the same, the values as "vector"`,
		Example: `  lookalike export photos.idx -o vectors.npz
  python3 -c 'import numpy; print(numpy.load("vectors.npz")["vectors"].shape)'`,
		Args: cli.Arguments("PHOTOS.idx"),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usagef("-o is missing: where to write the vectors, such as -o vectors.npz")
			}
			if !slices.Contains(exchange.Formats, strings.ToLower(filepath.Ext(out))) {
				return cli.Usagef("-o %s: the name must end in one of %s", out, strings.Join(exchange.Formats, ", "))
			}
			if err := a.outputs.Reserve(out, args[0]); err != nil {
				return err
			}
			if err := checkExported(out); err != nil {
				return err
			}
			c, err := openCollection(a, args[0], "")
			if err != nil {
				return err
			}
			defer c.Close()
			if err := c.index.Export(out); err != nil {
				return err
			}
			fmt.Fprintf(a.Out, "%s: vectors %v\n", out, c.Vectors.Shape())
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the vectors to `FILE`")
	return cmd
}

// checkExported makes sure that the vectors take no model's place: a file of arrays
// is replaced only if it has some that are called vectors, as what is exported has.
func checkExported(path string) error {
	if strings.ToLower(filepath.Ext(path)) == ".npy" { // which has one array, without a name
		return nil
	}
	f, err := weights.Open(path)
	if err != nil {
		return nil // nothing is there, or no arrays
	}
	defer f.Close()
	if slices.Contains(f.Names(), "vectors") {
		return nil
	}
	return fmt.Errorf("%s exists and holds no exported vectors, so it is not replaced; remove it or choose another name", path)
}
