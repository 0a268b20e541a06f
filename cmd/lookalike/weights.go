package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/web"
	"lookalike/internal/words"
	"lookalike/weights/published"
)

func weightsCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "weights",
		Short: "Download the weights of VGG16 and VGG19",
		Long: `Networks that have learned from ImageNet come with weights, which Keras
publishes. They are downloaded once and then found by their names:

` + publishedWeights() + `
They are kept in the user's cache folder, or where --cache says.`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(weightsFetchCommand(a), weightsListCommand(a), weightsPathCommand(a))
	return cmd
}

// publishedWeights is a list of the weights that there are.
func publishedWeights() string {
	var list strings.Builder
	for _, f := range published.Files {
		about := "the whole network, with ImageNet's 1000 classes"
		if strings.HasSuffix(f.Name, "-notop") {
			about = "its convolutions alone"
		}
		fmt.Fprintf(&list, "  %-12s %6s  %s\n", f.Name, words.Megabytes(f.Size), about)
	}
	return list.String()
}

// weightsNames are for the shell's completion.
func weightsNames() []string {
	names := make([]string, len(published.Files))
	for i, f := range published.Files {
		names[i] = f.Name
	}
	return names
}

func weightsFetchCommand(a *app) *cobra.Command {
	var address, checksum, out string
	var force, allowPrivate bool
	cmd := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download published weights and check them",
		Long: `Downloads weights and compares them with the published checksum before they
get their name. NAME is one of

` + publishedWeights() + `
A download that was interrupted goes on where it stopped when the same command
is given again; until it is complete, the file's name ends in .part. Bytes with
another checksum are deleted. Proxies are taken from HTTPS_PROXY and NO_PROXY.

With --url the file comes from a mirror. Its checksum must be the published one,
or the one that --checksum gives. Private network addresses are refused, also after
a redirect, unless --allow-private is given.

Without network: carry the file over from another machine. The error message says
where to put it; or give it to other commands with --weights FILE.`,
		Example: `  lookalike weights fetch vgg16-notop
  lookalike weights fetch vgg16 --url https://mirror.example/vgg16.h5
  lookalike weights fetch vgg16 --output vgg16.h5`,
		Args:      cli.Arguments("NAME"),
		ValidArgs: weightsNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := published.Lookup(args[0])
			if err != nil {
				return cli.AsUsage(err)
			}
			if address != "" {
				f.URL = address
			}
			if checksum != "" {
				sum, err := published.ParseChecksum(checksum)
				if err != nil {
					return cli.Usagef("--checksum %w", err)
				}
				if sum != f.Checksum {
					f.Checksum, f.Size = sum, 0
				}
			}
			path := out
			if out != "" {
				err = cli.CheckOutput(out)
			} else {
				path, err = published.Store(a.cache).Path(f)
			}
			if err != nil {
				return err
			}
			return fetchWeights(cmd, a, args, f, path, force, allowPrivate)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&address, "url", "", "download from `ADDRESS`, http or https")
	flags.StringVar(&checksum, "checksum", "", "compare with `SUM`, md5:… or sha256:…, not with the published checksum")
	flags.StringVarP(&out, "output", "o", "", "write to `FILE`, not to the cache folder")
	flags.BoolVar(&force, "force", false, "replace a file that is there already")
	flags.BoolVar(&allowPrivate, "allow-private", false, "download from private and local network addresses too")
	return cmd
}

// fetchWeights brings a published file to path, unless it is there.
func fetchWeights(cmd *cobra.Command, a *app, args []string, f published.File, path string, force, allowPrivate bool) error {
	ctx := cmd.Context()
	if _, err := os.Stat(path); err == nil && !force {
		switch got, err := f.Checksum.Of(ctx, path); {
		case err != nil:
			return err
		case got != f.Checksum:
			return fmt.Errorf("%s is there already, but is another file: its checksum is %v, not %v; replace it with --force", path, got, f.Checksum)
		}
		fmt.Fprintf(a.Out, "%s: there already, checksum right\n", path)
		return nil
	}

	d := downloading{app: a, name: f.Name}
	defer d.end()
	allow := web.Public
	if allowPrivate {
		allow = web.Any
	}
	err := published.Download(ctx, path, f, allow, published.Watch{Bytes: d.set, Note: d.note})
	d.end()
	switch {
	case err != nil && ctx.Err() != nil && d.done > 0:
		return cli.StoppedError(fmt.Sprintf("stopped; the first %s are kept. To go on:\n  %s", words.Megabytes(d.done), cli.CommandLine(cmd, args, "")))
	case err != nil:
		if !errors.Is(err, published.ErrGivenUp) {
			return orAllowPrivate(err)
		}
		return fmt.Errorf("%w; look at the connection, or name a mirror with --url.\nWithout network, get the file elsewhere, from\n  %s\nand put it here as\n  %s\nor leave it where it is, and give it to other commands with --weights FILE", err, web.Shown(f.URL), path)
	}
	fmt.Fprintf(a.Out, "%s: %s, checksum right\n", path, words.Megabytes(d.done))
	return nil
}

// downloading shows how far a download is.
type downloading struct {
	app         *app
	name        string
	bar         *cli.Progress // of what this run downloads, in megabytes
	first, done int64         // bytes: before the bar began, and now
}

func (d *downloading) set(done, total int64) {
	if d.bar == nil || done < d.done || d.bar.Total() == 0 && total > 0 { // begun, begun anew, or the size told
		d.end()
		head := "Downloading " + d.name
		if done > 0 {
			head = "Downloading the rest of " + d.name
		}
		d.first = done
		d.bar = d.app.Progress(head, "MB", int((total-min(done, total))/1e6))
	}
	d.done = done
	d.bar.Set(int((done - d.first) / 1e6))
}

func (d *downloading) note(text string) { d.bar.Line("%s", text) }

func (d *downloading) end() {
	if d.bar != nil {
		d.bar.End()
	}
}

func weightsListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List published weights, and which of them are here",
		Long: `Lists the published weights and where those are that have been downloaded. Their
checksums are computed anew.`,
		Example: `  lookalike weights list
  lookalike weights list --cache /mnt/models`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, f := range published.Files {
				state, err := weightsState(cmd.Context(), published.Store(a.cache), f)
				if err != nil {
					return err
				}
				line := fmt.Sprintf("%-12s %6s  %s", f.Name, words.Megabytes(f.Size), state)
				if said, file, here := strings.Cut(state, listedFile); here && len(line) > cli.Width(a.Out.File) {
					line = fmt.Sprintf("%-12s %6s  %s\n  %s", f.Name, words.Megabytes(f.Size), said, file)
				}
				fmt.Fprintln(a.Out, line)
			}
			return nil
		},
	}
}

// listedFile stands before the file in what weightsState says.
const listedFile = "    "

// weightsState says whether a published file is here, where, and whether it is
// right.
func weightsState(ctx context.Context, store published.Store, f published.File) (string, error) {
	path, err := store.Path(f)
	if err != nil {
		return "", err
	}
	sum, err := f.Checksum.Of(ctx, path)
	part, missing := os.Stat(path + ".part")
	switch {
	case err == nil && sum == f.Checksum:
		return "checksum right" + listedFile + path, nil
	case err == nil:
		return "wrong checksum" + listedFile + path, nil
	case !errors.Is(err, os.ErrNotExist):
		return "", err
	case missing == nil:
		return fmt.Sprintf("%-17s %s", words.Megabytes(part.Size())+" of it", part.Name()), nil
	}
	return "not here", nil
}

func weightsPathCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "path NAME",
		Short: "Print where downloaded weights are",
		Long: `Prints the name of the file that 'lookalike weights fetch NAME' has written, for
other programs that read it. If it is not there, that is an error.`,
		Example: `  lookalike weights path vgg16
  cp $(lookalike weights path vgg16-notop) /media/stick`,
		Args:      cli.Arguments("NAME"),
		ValidArgs: weightsNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := published.Lookup(args[0]); err != nil {
				return cli.AsUsage(err)
			}
			path, err := published.Store(a.cache).Find(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, path)
			return nil
		},
	}
}
