package main

import (
	"lookalike/internal/cli"
	"lookalike/internal/words"
)

// The names by which files that are being rewritten call what has moved.
var (
	count     = words.Count
	orList    = words.OrList
	perSecond = words.PerSecond
	printable = words.Printable
	typed     = cli.Typed
)

func (a *app) warn(format string, args ...any) { a.Warn(format, args...) }
func (a *app) skip(path string, reason error)  { a.Skip(path, reason) }
func (a *app) next(words ...string)            { a.Next(words...) }
func (a *app) printJSON(result any) error      { return a.PrintJSON(result) }

type progress struct{ *cli.Progress }

func (a *app) progress(what, unit string, total int) progress {
	return progress{a.Progress(what, unit, total)}
}
func (p progress) set(done int, heads ...string) { p.Set(done, heads...) }
func (p progress) reword(heads ...string)        { p.Reword(heads...) }
func (p progress) end()                          { p.End() }

var (
	usagef      = cli.Usagef
	rootCause   = cli.RootCause
	arguments   = cli.Arguments
	isDrawing   = cli.IsDrawing
	checkOutput = cli.CheckOutput
)

type stoppedError = cli.StoppedError

func (a *app) spare(where string, is func(file string) bool) error { return a.outputs.Spare(where, is) }
