package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lookalike/internal/cli"
	"lookalike/internal/memory"
)

// Exit statuses.
const (
	statusOK          = 0
	statusError       = 1
	statusUsage       = 2
	statusSkipped     = 3 // with --strict only
	statusInterrupted = 130

	// Those of compare, which are those of cmp and diff.
	statusDifferent   = 1
	statusNotCompared = 2
)

// exitStatuses tells them to people.
const exitStatuses = `    0  done
    1  an error
    2  a mistake in the command line or the settings
    3  done, but files were left out (with --strict; 0 otherwise)
  130  stopped by Ctrl-C or SIGTERM
compare has its own: 0 for the same, 1 for different, 2 for any failure.`

// annotationFailures is, of a command, the status of its errors, if not
// statusError.
const annotationFailures = "status of failures"

// app is one run of the program: what all commands share.
type app struct {
	cli.Terminal
	out *cli.Output // Out, for files that are being rewritten

	// Settings that all commands have.
	threads natural
	memory  byteSize
	cache   string // where downloaded weights are kept
	config  string // the file that settings are read from
	strict  bool

	settings map[*pflag.Flag]origin // of flags that were not given on the command line
	outputs  []reserved             // files that this run alone writes

	different bool // what compare found
}

func newApp() *app {
	out := &cli.Output{File: os.Stdout}
	return &app{Terminal: cli.Terminal{Out: out, Err: os.Stderr}, out: out}
}

// run executes the command line and returns the exit status.
func run(args []string) int {
	// The first signal asks the work to stop at a good moment, a second one
	// ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()

	a := newApp()
	defer a.releaseOutputs()
	root := a.root()
	root.SetOut(a.Out)
	a.layOutHelp(root)
	completeCommands(root, len(args) > 0 && isCompletion(args[0]))
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && a.Out.Err != nil {
		err = fmt.Errorf("cannot write the result: %w", a.Out.Err)
	}

	_, isUsage := errors.AsType[usageError](err)
	switch {
	case err != nil && ctx.Err() != nil:
		text := "stopped before the end"
		if stopped, ok := errors.AsType[stoppedError](err); ok {
			text = stopped.Error()
		}
		return a.Fail("stopped", statusInterrupted, text, "")
	case isUsage:
		return a.Fail("error", statusOf(cmd, statusUsage), err.Error()+a.origins(err), fmt.Sprintf("See '%s --help'.", cmd.CommandPath()))
	case err != nil:
		return a.Fail("error", statusOf(cmd, statusError), packageNames.ReplaceAllString(err.Error(), "$1")+unusable(err)+a.origins(err), "")
	case a.different:
		return statusDifferent
	case a.strict && a.Skipped > 0:
		return statusSkipped
	}
	return statusOK
}

// statusOf is the status of a failed command, in general or for it in particular.
func statusOf(cmd *cobra.Command, general int) int {
	if own, err := strconv.Atoi(cmd.Annotations[annotationFailures]); err == nil {
		return own
	}
	return general
}

// packageNames at the front of an error, or behind the file that it is of, are for
// programmers.
var packageNames = regexp.MustCompile("(^|: )((augment|autoencoder|embedding|gallery|knn|pca|retrieval|vgg|weights): )+")

// usageError is a mistake in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// stoppedError tells what there is after a signal, and how to go on.
type stoppedError string

func (e stoppedError) Error() string { return string(e) }

// unwritten words the end of a command whose only result is a file, which is
// written whole at last: after a signal there is none of it.
func unwritten(ctx context.Context, err error) error {
	if _, told := errors.AsType[stoppedError](err); err != nil && ctx.Err() != nil && !told {
		return stoppedError("stopped; nothing was written")
	}
	return err
}

// begin takes the settings that were not given on the command line from elsewhere
// and puts those into force that concern the whole program.
func (a *app) begin(cmd *cobra.Command) error {
	if isCompletion(cmd.Name()) {
		return nil // for a shell, which must not be told of a mistake in the file of settings
	}
	err := a.configure(cmd)
	a.Begin()
	if err != nil {
		return err
	}
	if a.threads > 0 {
		runtime.GOMAXPROCS(int(a.threads))
	}
	if a.memory > 0 {
		memory.Keep(int64(a.memory))
	}
	if a.cache != "" { // internal/fetch looks there
		return os.Setenv("LOOKALIKE_CACHE", a.cache)
	}
	return nil
}

// rootCause is the innermost part of an error of the file system, which the
// caller words anew.
func rootCause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
