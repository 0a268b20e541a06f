package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/manpage"
	"lookalike/internal/atomicfile"
	"lookalike/internal/words"
)

func manCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the pages of the manual",
		Long: `Writes the manual into a folder, which is made if there is none: a page for the
program, one for each command and one for each topic of help, with the same texts
as --help. One page is read with 'man -l', all of them are found by their names
when they lie where man looks: DIR is then the folder man1 of that place.`,
		Example: `  lookalike man ~/.local/share/man/man1 && man lookalike-search
  lookalike man . && man -l lookalike-index.1`,
		Args: cli.Arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("cannot make the folder %s: %w", dir, words.Cause(err))
			}
			pages := manPages(cmd.Root())
			manual := manpage.Manual{Pages: pages, Source: "lookalike " + version(), Title: "Lookalike", ExitStatus: exitStatuses}
			for _, c := range pages {
				err := atomicfile.Write(filepath.Join(dir, manpage.Name(c)+".1"), func(w io.Writer) error {
					_, err := io.WriteString(w, manual.Page(c))
					return err
				})
				if err != nil {
					return err
				}
			}
			fmt.Fprintf(a.Out, "%s: %s, such as %s.1\n", dir, words.Count(len(pages), "page"), manpage.Name(pages[1]))
			return nil
		},
	}
}

// manPages returns what has a page: the program, its commands, and what help
// tells besides.
func manPages(root *cobra.Command) []*cobra.Command {
	pages := append([]*cobra.Command{root}, cli.CommandsBelow(root)...)
	for _, c := range root.Commands() {
		if c.IsAdditionalHelpTopicCommand() {
			pages = append(pages, c)
		}
	}
	return pages
}
