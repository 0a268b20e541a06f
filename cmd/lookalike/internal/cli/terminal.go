// Package cli is the program in a terminal: its flags, and what it tells people and
// other programs while it works.
package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"

	"golang.org/x/term"

	"lookalike/cmd/lookalike/internal/lines"
)

// Output is where results go. It keeps the first error, such as that of a full
// disk, so that not everyone who prints has to look for it.
type Output struct {
	File *os.File
	Err  error
}

func (o *Output) Write(b []byte) (int, error) {
	n, err := o.File.Write(b)
	if o.Err == nil {
		o.Err = err
	}
	return n, err
}

// Terminal is what a run of the program writes to: results to Out, all else to Err,
// for people or for programs.
type Terminal struct {
	Out *Output
	Err *os.File

	Hint func(error) string // what to do about an error, "" if nothing is known

	Quiet   bool   // tell of errors only
	Verbose bool   // name each file that was left out
	Way     string // how progress is shown: auto, lines, json or none
	List    string // file that WriteList names the files in that were left out; "" for none
	Skipped int    // files that were left out

	events *events   // once Start has found that Way is json, otherwise nil
	listed []LeftOut // for List
}

// Start puts the way into force in which progress is shown.
func (t *Terminal) Start() {
	if t.Way == "json" {
		t.events = &events{out: t.Err}
	}
}

// say writes a line for people.
func (t *Terminal) say(text string) { fmt.Fprintln(t.Err, lines.Wrap(text, Width(t.Err))) }

// sayBelow is say for a line that belongs to the one before.
func (t *Terminal) sayBelow(text string) {
	const indent = "  "
	width := Width(t.Err) - len(indent)
	fmt.Fprintln(t.Err, indent+strings.ReplaceAll(lines.Wrap(text, width), "\n", "\n"+indent))
}

// Print writes a line of a result for people, broken between words where it goes to a
// terminal.
func (t *Terminal) Print(format string, args ...any) {
	fmt.Fprintln(t.Out, lines.Wrap(fmt.Sprintf(format, args...), Width(t.Out.File)))
}

// Warn tells of what is not as it should be, unless Quiet. The text begins with "warning: " or
// "note: ".
func (t *Terminal) Warn(format string, args ...any) {
	if t.Quiet {
		return
	}
	text := fmt.Sprintf(format, args...)
	if t.events == nil {
		t.say(text)
		return
	}
	if note, ok := strings.CutPrefix(text, "note: "); ok {
		t.events.write(textEvent{"note", note})
		return
	}
	t.events.write(textEvent{"warning", strings.TrimPrefix(text, "warning: ")})
}

// NotDrawn reports a picture that cannot be read any more, and counts it for --strict.
// where is "on the sheet", "on the page" or the like.
func (t *Terminal) NotDrawn(where string, err error) {
	t.Warn("warning: not %s: %v%s", where, err, t.Hint(err))
	t.Skipped++
}

// Fail says what ended the program, with a hint for people, and returns status.
func (t *Terminal) Fail(event string, status int, text, hint string) int {
	if t.events != nil {
		t.events.write(endEvent{event, text, status})
		return status
	}
	t.say(program + ": " + text)
	if hint != "" {
		fmt.Fprintln(t.Err, hint)
	}
	return status
}

// Next tells whoever sits at the terminal which command can follow.
func (t *Terminal) Next(words ...string) {
	if t.watched() {
		fmt.Fprintf(t.Err, "Try next: %s\n", Typed(words...))
	}
}

// watched tells whether somebody sits at the terminal and wants to be told how it goes.
func (t *Terminal) watched() bool {
	return !t.Quiet && t.Way == "auto" && term.IsTerminal(int(t.Err.Fd()))
}

// PrintJSON prints a result as one JSON value over several lines.
func (t *Terminal) PrintJSON(result any) error {
	enc := json.NewEncoder(t.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// Width is the number of characters in a line, for a terminal; else there is no
// limit.
func Width(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return math.MaxInt
}

// Narrow is the width of a line under which tables leave out what matters least.
const Narrow = 60
