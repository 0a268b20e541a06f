package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/gallery/exchange"
	"lookalike/internal/words"
)

// importOptions are the flags of import.
type importOptions struct {
	out, paths, labels, photos string
}

func importCommand(a *app) *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import VECTORS -o PHOTOS.idx",
		Short: "Make an index of vectors that another program has made",
		Long: `Makes an index of vectors from a file, in the format that the name's end says:

  .npz          "vectors", [n, d], or the only array of two dimensions; "paths"
                and "labels", n texts, if they are there
  .npy          an array [n, d]
  .safetensors  as .npz, and what 'lookalike export' writes
  .csv          a line of names with path, label and v0, v1, …, or numbers only
  .jsonl        an object a line with "vector" and perhaps "path" and "label"

Without paths, pictures are called row-000000, row-000001, …; without labels,
a picture's is the folder in its path. The index is sorted by path.

Such an index is searched by its own pictures (index:PATH or index:NUMBER),
evaluated, exported and so on. A picture from elsewhere cannot be compared with
it, for this program does not know how its vectors were made; but what 'lookalike
export' has written to .safetensors, without principal components, is known.`,
		Example: `  lookalike import vectors.npz -o photos.idx --photos photos
  lookalike import vectors.npy --paths paths.txt -o photos.idx
  lookalike search photos.idx index:cats/tom.jpg`,
		Args: cli.Arguments("VECTORS"),
		RunE: func(_ *cobra.Command, args []string) error { return importVectors(a, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "output", "o", "", "write the index to `FILE`")
	f.StringVar(&o.paths, "paths", "", "take the paths of the pictures from `FILE`, one a line")
	f.StringVar(&o.labels, "labels", "", "take their labels from `FILE`, one a line")
	f.StringVar(&o.photos, "photos", "", "the pictures lie in `DIR`, which paths are or become relative to")
	return cmd
}

func importVectors(a *app, file string, o importOptions) error {
	if o.out == "" {
		return cli.Usagef("-o is missing: where to write the index, such as -o photos.idx")
	}
	if !slices.Contains(exchange.Formats, strings.ToLower(filepath.Ext(file))) {
		return cli.Usagef("%s: the name must end in one of %s", file, strings.Join(exchange.Formats, ", "))
	}
	if err := cli.CheckOutput(o.out, file, o.paths, o.labels); err != nil {
		return err
	}
	if _, err := os.Stat(o.out); err == nil {
		return notReplaced(o.out)
	}
	g, err := exchange.Import(file)
	if err != nil {
		return err
	}
	paths, err := linesOf(o.paths, len(g.Entries))
	if err != nil {
		return err
	}
	labels, err := linesOf(o.labels, len(g.Entries))
	if err != nil {
		return err
	}
	if err := exchange.Name(g, o.photos, paths, labels); err != nil {
		return err
	}
	if g.Recipe.Program == "" {
		g.Recipe.Program = "lookalike " + version()
	}
	if err := g.Save(o.out); errors.Is(err, fs.ErrExist) { // it has appeared meanwhile
		return notReplaced(o.out)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "%s: %s, %s\n", o.out, words.Count(len(g.Entries), "picture"), vectors(g))
	return nil
}

func notReplaced(path string) error {
	return fmt.Errorf("%s exists, and is not replaced; remove it or choose another name", path)
}

// linesOf reads a file of n lines; nil if there is no file.
func linesOf(file string, n int) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	in := bufio.NewScanner(f)
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	if len(lines) > 0 {
		lines[0] = strings.TrimPrefix(lines[0], "\ufeff") // as editors of Windows begin UTF-8
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(lines) != n {
		return nil, fmt.Errorf("%s has %s, there are %s", file, words.Count(len(lines), "line"), words.Count(n, "vector"))
	}
	return lines, nil
}
