package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/memory"
	"lookalike/picture"
)

// exitStatuses tells them to people.
const exitStatuses = `    0  done
    1  an error
    2  a mistake in the command line or the settings
    3  done, but files were left out (with --strict; 0 otherwise)
  130  stopped by Ctrl-C or SIGTERM
compare has its own: 0 for the same, 1 for different, 2 for any failure.`

// app is one run of the program: what all commands share.
type app struct {
	cli.Terminal

	// Settings that all commands have.
	threads cli.Natural
	memory  cli.ByteSize
	cache   string // where downloaded weights are kept
	strict  bool

	settings cli.Settings
	outputs  cli.Outputs

	different bool // what compare found
}

func newApp() *app {
	return &app{Terminal: cli.Terminal{Out: &cli.Output{File: os.Stdout}, Err: os.Stderr, Hint: unusable}, settings: newSettings()}
}

// run executes the command line and returns the exit status.
func run(args []string) int {
	// The first signal asks the work to stop at a good moment, a second one
	// ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()

	a := newApp()
	defer a.outputs.Release()
	root := rootCommand(a)
	root.SetOut(a.Out)
	a.LayOutHelp(root, neededFlags)
	cli.CompleteCommands(root, len(args) > 0 && cli.IsCompletion(args[0]), cli.Offers{Argument: argumentOffer, Flag: flagOffer})
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && a.Out.Err != nil {
		err = fmt.Errorf("cannot write the result: %w", a.Out.Err)
	}
	if list := a.WriteList(); err == nil {
		err = list
	}

	_, isUsage := errors.AsType[cli.UsageError](err)
	switch {
	case err != nil && ctx.Err() != nil:
		text := "stopped before the end"
		if stopped, ok := errors.AsType[cli.StoppedError](err); ok {
			text = stopped.Error()
		}
		return a.Fail("stopped", cli.StatusInterrupted, text, "")
	case isUsage:
		return a.Fail("error", cli.StatusOf(cmd, cli.StatusUsage), err.Error()+a.settings.Origins(err), fmt.Sprintf("See '%s --help'.", cmd.CommandPath()))
	case err != nil:
		details := ""
		if e, ok := errors.AsType[*lookalike.RecipeError](err); ok && a.Verbose {
			details = e.Details()
		}
		return a.Fail("error", cli.StatusOf(cmd, cli.StatusError), packageNames.ReplaceAllString(err.Error(), "$1")+a.Hint(err)+a.settings.Origins(err), details)
	case a.different:
		return statusDifferent
	case a.strict && a.Skipped > 0:
		return cli.StatusSkipped
	}
	return cli.StatusOK
}

// packageNames at the front of an error, or behind the file that it is of, are for
// programmers.
var packageNames = regexp.MustCompile("(^|: )((augment|autoencoder|embedding|gallery|knn|pca|retrieval|training|vgg|weights): )+")

// begin takes the settings that were not given on the command line from elsewhere
// and puts those into force that concern the whole program.
func begin(cmd *cobra.Command, a *app) error {
	if cli.IsCompletion(cmd.Name()) {
		return nil // for a shell, which must not be told of a mistake in the file of settings
	}
	err := a.settings.Configure(cmd, a.Warn)
	a.Start()
	if err != nil {
		return err
	}
	if err := a.reserveList(); err != nil {
		return err
	}
	if a.threads > 0 {
		runtime.GOMAXPROCS(int(a.threads))
	}
	if a.memory > 0 {
		memory.Keep(int64(a.memory))
	}
	return nil
}

// reserveList makes sure that the list of files that are left out can be written, and takes
// the place of no other file than an earlier list.
func (a *app) reserveList() error {
	path := a.List
	a.List = "" // nothing is written to a file that has not been reserved
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		_, err := picture.File(path, picture.Options{})
		if e, is := errors.AsType[*picture.KindError](err); !is || e.Kind != picture.Text {
			return cli.Usagef("--skipped %s: this file is not a list; give another name", path)
		}
	}
	if err := a.outputs.Reserve(path); err != nil {
		return err
	}
	a.List = path
	return nil
}
