package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lookalike/internal/atomicfile"
	"lookalike/internal/words"
)

// Outputs are the files that a run alone writes.
type Outputs struct {
	files []output
}

// IsDrawing tells whether the program can write a picture to a file of this name.
func IsDrawing(path string) bool {
	return slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(path)))
}

// IsPage tells the same of a web page.
func IsPage(path string) bool {
	suffix := strings.ToLower(filepath.Ext(path))
	return suffix == ".html" || suffix == ".htm"
}

// ReserveDrawing makes sure, before any work, that a picture can be written to the
// path that a flag gives, if it gives one, that it is none of the inputs, and that
// nobody else writes it until this run ends.
func (l *Outputs) ReserveDrawing(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if !IsDrawing(path) {
		return Usagef("--%s %s: the name must end in .png or .jpg", flag, path)
	}
	return l.Reserve(path, inputs...)
}

// ReservePage is ReserveDrawing for a web page.
func (l *Outputs) ReservePage(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if !IsPage(path) {
		return Usagef("--%s %s: the name must end in .html", flag, path)
	}
	return l.Reserve(path, inputs...)
}

// Reserve is CheckOutput for a file that nobody else is to write until this run ends.
func (l *Outputs) Reserve(path string, inputs ...string) error {
	err := l.Check(path, inputs...)
	if err != nil {
		return err
	}
	last := &l.files[len(l.files)-1]
	last.Output, err = reserveOutput(path)
	return err
}

// Check makes sure, before any work, of a file that something else reserves and writes,
// that it can be written and is none of the inputs, nor another output.
func (l *Outputs) Check(path string, inputs ...string) error {
	if err := checkOutput(path, inputs); err != nil {
		return err
	}
	target, err := atomicfile.Follow(path)
	if err == nil && slices.ContainsFunc(l.files, func(o output) bool { return o.target == target }) {
		return Usagef("%s is to be written twice; give two names", path)
	}
	l.files = append(l.files, output{name: path, target: target})
	return nil
}

// output is a file that the run writes.
type output struct {
	name, target       string // as it was given, and with links followed
	*atomicfile.Output        // that this run alone writes it; nil if something else sees to that
}

// Spare makes sure that no output takes the place of a photograph: of one at where,
// as is tells of a file.
func (l *Outputs) Spare(where string, is func(file string) bool) error {
	for _, o := range l.files {
		if _, err := os.Stat(o.name); err == nil && is(o.name) {
			return fmt.Errorf("cannot write %s: it is one of the pictures in %s; choose another name", o.name, where)
		}
	}
	return nil
}

// Release lets others write what Reserve has reserved.
func (l *Outputs) Release() {
	for _, o := range l.files {
		if o.Output != nil {
			o.Close()
		}
	}
}

// Wrote tells of a file that was written beside the result, and what it holds.
func (t *Terminal) Wrote(path, what string) {
	if t.Quiet {
		return
	}
	text := fmt.Sprintf("%s: %s", words.Printable(path), what)
	if t.events != nil {
		t.events.write(textEvent{"note", text})
		return
	}
	t.say(text)
}

// Undrawn tells of characters that no font has, for which "?" stands in a drawing.
func (t *Terminal) Undrawn(characters string) {
	if characters == "" {
		return
	}
	some, more := []rune(characters), ""
	if len(some) > 12 {
		some, more = some[:12], " and others"
	}
	t.Warn("note: no font here has the characters %s%s; ? stands for each. A font such as Noto Sans CJK, once installed, is found", string(some), more)
}

// CheckOutput makes sure, before any work, that path can be written, is none of the
// inputs, and is not being written. What killed runs have left beside it goes.
func CheckOutput(path string, inputs ...string) error {
	if err := checkOutput(path, inputs); err != nil {
		return err
	}
	o, err := reserveOutput(path)
	if err == nil {
		o.Close()
	}
	return err
}

func checkOutput(path string, inputs []string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("cannot write %s: it is a folder; give the name of a file", path)
	case err == nil:
		if out, err := os.Stdout.Stat(); err == nil && info.Mode().IsRegular() && os.SameFile(info, out) {
			return fmt.Errorf("cannot write %s: it is also what the standard output goes to; choose another name", path)
		}
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
		return fmt.Errorf("cannot write %s: %s is not a folder", path, dir)
	}
	return nil
}

func reserveOutput(path string) (*atomicfile.Output, error) {
	o, err := atomicfile.Reserve(path)
	switch {
	case errors.Is(err, atomicfile.ErrBusy):
		return nil, fmt.Errorf("cannot write %s: %w", path, atomicfile.ErrBusy)
	case err != nil:
		return nil, fmt.Errorf("cannot write %s: its folder cannot be written to: %w", path, errors.Unwrap(err))
	}
	return o, nil
}
