package main

import (
	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
)

func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "lookalike",
		Short: "Find similar pictures",
		Long: `Lookalike describes each picture of a folder by a vector, and finds pictures whose
vectors are near each other. VGG16, a network that was trained on ImageNet, finds
pictures of similar things:

  lookalike weights fetch vgg16-notop
  lookalike index  photos -o photos.idx --model vgg16
  lookalike search photos.idx picture.jpg --sheet similar.png

An autoencoder, which you train on your own photographs, finds pictures of similar
colour and layout:

  lookalike train  photos -o model.safetensors
  lookalike index  photos -o photos.idx --model model.safetensors

Pictures may be JPEG, PNG, GIF, BMP, TIFF, WebP, HEIC or AVIF, in folders of any
depth. Other files are left out; --verbose names them.

Output files that exist are replaced as a whole, but never a picture that a command
reads or an index describes. A model, its log, converted weights and a journal must
be new. Two runs cannot write the same file at the same time.

Exit status:

` + exitStatuses,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.Brief(a.Out, cmd, nil)
			return nil
		},
		Example: `  lookalike search photos picture.jpg   find the pictures most like one
  lookalike dups photos                 find copies of the same photograph
  lookalike demo                        the whole job in a minute`,
	}
	root.Args = cli.UnknownCommand
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(cli.FlagError)
	root.Version = version()
	root.SetVersionTemplate("lookalike {{.Version}}\n")
	root.Flags().BoolP("version", "V", false, "show the version")
	flags := root.PersistentFlags()
	flags.Var(&a.threads, "threads", "use `N` processors (default all)")
	flags.Var(&a.memory, "memory-limit", "keep within `SIZE` of memory, such as 800MB: cache less, collect garbage sooner")
	flags.BoolVar(&a.Quiet, "quiet", false, "show only results and errors")
	flags.BoolVar(&a.Verbose, "verbose", false, "name each file that is left out, and tell errors in detail")
	flags.StringVar(&a.List, "skipped", "", "write the list of files that are left out, with reasons, to `FILE`")
	flags.Var(cli.NewOneOf(&a.Way, "auto", "lines", "json", "none"), "progress", "show progress in the `WAY` auto, lines, json or none (see 'lookalike help progress')")
	flags.BoolVar(&a.strict, "strict", false, "exit with status 3 if files had to be left out")
	flags.StringVar(&a.cache, "cache", "", "keep downloaded weights in `DIR` (default: the user's cache folder)")
	flags.StringVar(&a.settings.File, "config", "", "read settings from `FILE` (see 'lookalike help configuration')")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return begin(cmd, a) }
	addCommands(a, root)
	return root
}
