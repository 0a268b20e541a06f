package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses.
const (
	statusOK          = 0
	statusError       = 1
	statusUsage       = 2
	statusSkipped     = 3 // with --strict only
	statusInterrupted = 130
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
	out io.Writer // results
	err *os.File  // progress, warnings, errors

	// Settings that all commands have.
	threads      natural
	memory       byteSize
	cache        string // where downloaded weights are kept
	config       string // the file that settings are read from
	quiet        bool
	strict       bool
	showProgress string // auto, lines, json or none

	events   *events                // for --progress json, otherwise nil
	settings map[*pflag.Flag]origin // of flags that were not given on the command line
	skipped  int                    // files that were named in a report and left out

	different bool // what compare found
}

// run executes the command line and returns the exit status.
func run(args []string) int {
	// The first signal asks the work to stop at a good moment, a second one
	// ends the program.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()

	a := &app{out: os.Stdout, err: os.Stderr}
	root := a.root()
	a.layOutHelp(root)
	completeCommands(root, len(args) > 0 && isCompletion(args[0]))
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)

	_, isUsage := errors.AsType[usageError](err)
	switch {
	case err != nil && ctx.Err() != nil:
		text := "stopped before the end"
		if stopped, ok := errors.AsType[stoppedError](err); ok {
			text = stopped.Error()
		}
		return a.fail("stopped", statusInterrupted, text, "")
	case isUsage:
		return a.fail("error", statusOf(cmd, statusUsage), err.Error()+a.origins(err), fmt.Sprintf("See '%s --help'.", cmd.CommandPath()))
	case err != nil:
		return a.fail("error", statusOf(cmd, statusError), packageNames.ReplaceAllString(err.Error(), "")+a.origins(err), "")
	case a.different:
		return statusDifferent
	case a.strict && a.skipped > 0:
		return statusSkipped
	}
	return statusOK
}

// fail says what ended the program, with a hint for people, and returns status.
func (a *app) fail(event string, status int, text, hint string) int {
	if a.events != nil {
		a.events.write(endEvent{event, text, status})
		return status
	}
	fmt.Fprintf(a.err, "lookalike: %s\n", text)
	if hint != "" {
		fmt.Fprintln(a.err, hint)
	}
	return status
}

// statusOf is the status of a failed command, in general or for it in particular.
func statusOf(cmd *cobra.Command, general int) int {
	if own, err := strconv.Atoi(cmd.Annotations[annotationFailures]); err == nil {
		return own
	}
	return general
}

// packageNames at the front of an error are for programmers.
var packageNames = regexp.MustCompile("^((augment|autoencoder|embedding|gallery|knn|pca|retrieval|vgg|weights): )+")

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

// warn writes to standard error. The text begins with "warning: " or "note: ".
func (a *app) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.events == nil {
		fmt.Fprintln(a.err, text)
		return
	}
	if note, ok := strings.CutPrefix(text, "note: "); ok {
		a.events.write(textEvent{"note", note})
		return
	}
	a.events.write(textEvent{"warning", strings.TrimPrefix(text, "warning: ")})
}

// skip tells that a file was left out, and counts it for --strict.
func (a *app) skip(path string, reason error) {
	a.skipped++
	if a.events != nil {
		a.events.write(skippedEvent{"skipped", path, reason.Error()})
		return
	}
	fmt.Fprintf(a.err, "skipped %s: %v\n", printable(path), reason)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "lookalike",
		Short: "Find similar pictures",
		Long: `Lookalike finds similar pictures. It describes each picture of a folder by a
vector and finds those whose vectors are nearest to that of a given picture.

  lookalike demo                            the whole job in a minute

  lookalike train  photos -o model.safetensors
  lookalike index  photos -o photos.idx --model model.safetensors
  lookalike search photos.idx picture.jpg --sheet similar.png

An autoencoder that has been trained on some photographs finds pictures of like
colour and layout. VGG16, with weights that have learned from ImageNet, finds
pictures of like things:

  lookalike weights fetch vgg16-notop
  lookalike index  photos -o photos.idx --model vgg16

Pictures may be JPEG, PNG, GIF, BMP, TIFF or WebP, in folders of any depth.
Files that cannot be read as pictures are named and left out.

Exit status:

` + exitStatuses,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			return usagef("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
		}
		return usagef("there is no command %q", args[0])
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
			return usagef("--%s %s: give %s", bad.GetFlag().Name, bad.GetValue(), wants(bad.GetFlag(), bad.Unwrap()))
		}
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && len(unknown.GetSpecifiedName()) > 1 {
			var names []string
			cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			if near := nearest(unknown.GetSpecifiedName(), names); near != "" {
				return usagef("%w; did you mean --%s?", err, near)
			}
		}
		return usageError{err}
	})
	flags := root.PersistentFlags()
	flags.Var(&a.threads, "threads", "use `N` processors (default all)")
	flags.Var(&a.memory, "memory-limit", "keep within `SIZE` of memory, such as 800MB: cache less, collect garbage sooner")
	flags.BoolVar(&a.quiet, "quiet", false, "show no progress, only results")
	flags.Var(newOneOf(&a.showProgress, "auto", "lines", "json", "none"), "progress", "show progress in the `WAY` auto, lines, json or none (see 'lookalike help progress')")
	flags.BoolVar(&a.strict, "strict", false, "exit with status 3 if files had to be left out")
	flags.StringVar(&a.cache, "cache", "", "keep downloaded weights in `DIR` (default: the user's cache folder)")
	flags.StringVar(&a.config, "config", "", "read settings from `FILE` (see 'lookalike help configuration')")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.begin(cmd) }
	a.addCommands(root)
	return root
}

// begin takes the settings that were not given on the command line from elsewhere
// and puts those into force that concern the whole program.
func (a *app) begin(cmd *cobra.Command) error {
	if isCompletion(cmd.Name()) {
		return nil // for a shell, which must not be told of a mistake in the file of settings
	}
	err := a.configure(cmd)
	if a.showProgress == "json" {
		a.events = &events{out: a.err}
	}
	if err != nil {
		return err
	}
	if a.threads > 0 {
		runtime.GOMAXPROCS(int(a.threads))
	}
	if a.memory > 0 {
		debug.SetMemoryLimit(int64(a.memory))
	}
	if a.cache != "" { // internal/fetch looks there
		return os.Setenv("LOOKALIKE_CACHE", a.cache)
	}
	return nil
}

// arguments checks that a command has exactly those arguments.
func arguments(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usagef("%s is missing", names[len(args)])
		case len(args) > len(names):
			return usagef("%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// commandLine returns the command as a person would type it again: its
// arguments, the flags that were given, and more words. Flags in but are left
// out.
func commandLine(cmd *cobra.Command, args []string, but string, more ...string) string {
	words := append(strings.Fields(cmd.CommandPath())[1:], args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch {
		case f.Name == but:
		case f.Value.Type() == "bool":
			words = append(words, strings.TrimSuffix("--"+f.Name+"="+f.Value.String(), "=true"))
		default:
			words = append(words, "--"+f.Name, f.Value.String())
		}
	})
	return typed(append(words, more...)...)
}

// typed returns a command of this program as it is typed into a shell.
func typed(words ...string) string {
	program := os.Args[0]
	if strings.HasPrefix(program, os.TempDir()) { // go run, which removes it
		program = "lookalike"
	}
	line := quote(program)
	for _, w := range words {
		line += " " + quote(w)
	}
	return line
}

// quote protects a word from the shell if it needs that.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%\\", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// checkOutput makes sure, before any work, that path can be written and is none
// of the inputs.
func checkOutput(path string, inputs ...string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("cannot write %s: it is a folder; give the name of a file", path)
	case err == nil:
		for _, in := range inputs {
			if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
				return fmt.Errorf("cannot write %s: it is also the input %s; choose another name", path, in)
			}
		}
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("cannot write %s: there is no folder %s; make it first", path, dir)
	} else if !info.IsDir() {
		return fmt.Errorf("cannot write %s: %s is no folder", path, dir)
	}
	probe, err := os.CreateTemp(dir, ".lookalike-*.tmp")
	if err != nil {
		return fmt.Errorf("cannot write %s: the folder %s cannot be written to: %w", path, dir, errors.Unwrap(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// rootCause is the innermost part of an error of the file system, which the
// caller words anew.
func rootCause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
