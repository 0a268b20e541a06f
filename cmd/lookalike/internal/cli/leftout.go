package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"

	"lookalike/internal/atomicfile"
	"lookalike/internal/words"
)

// LeftOut is a file that a command could not use.
type LeftOut struct {
	Path   string
	Reason error

	// Kind is what the file holds, in singular, such as ".json" or "video", of a file that
	// need not be named one by one; "" of one that people want to know of.
	Kind string
}

const (
	mostKinds = 6  // that are told, from the most frequent on
	mostNamed = 10 // files
)

// LeaveOut tells of the files that were left out of n: of those that hold something else how
// many there are of each kind, of the others which and why. With Verbose it names all.
func (t *Terminal) LeaveOut(files []LeftOut, n int) {
	if len(files) == 0 {
		return
	}
	each := t.Verbose || t.events != nil || n == 1
	for _, f := range files {
		t.note(f.Path, f.Reason, each)
	}
	if each {
		verb := "could not be read as pictures and were left out"
		if len(files) == 1 {
			verb = "could not be read as a picture and was left out"
		}
		t.Warn("warning: %d of %s %s", len(files), words.Count(n, "file"), verb)
		return
	}
	if t.Quiet {
		return
	}
	text, named := leftOut(files)
	t.say(text)
	for _, f := range named[:min(len(named), mostNamed)] {
		t.sayBelow(fmt.Sprintf("%s: %v", words.Printable(f.Path), f.Reason))
	}
	if more := len(named) - mostNamed; more > 0 {
		t.sayBelow(fmt.Sprintf("and %s more; --verbose names all", words.Thousands(more)))
	}
}

// leftOut is the line that tells of files that were left out, and those to be named below.
func leftOut(files []LeftOut) (text string, named []LeftOut) {
	count := map[string]int{}
	for _, f := range files {
		if f.Kind == "" {
			named = append(named, f)
		} else {
			count[f.Kind]++
		}
	}
	kinds := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	var parts []string
	rest := 0
	for i, kind := range kinds {
		if i >= mostKinds {
			rest += count[kind]
			continue
		}
		parts = append(parts, counted(count[kind], kind))
	}
	if rest > 0 {
		parts = append(parts, counted(rest, "other file"))
	}
	text = strings.Join(parts, ", ")
	what := "damaged or unreadable picture"
	if slices.ContainsFunc(named, func(f LeftOut) bool { _, is := errors.AsType[syscall.Errno](f.Reason); return is }) {
		what = "damaged or unreadable file" // or folder, of which nobody knows what it is
	}
	switch {
	case named == nil:
		them := "them"
		if len(files) == 1 {
			them = "it"
		}
		text += fmt.Sprintf(" (--verbose names %s)", them)
	case text == "":
		text = counted(len(named), what) + ":"
	default:
		text += "; " + counted(len(named), what) + ":"
	}
	return "left out " + text, named
}

// counted writes a number of files of a kind, which is a suffix or a noun.
func counted(n int, kind string) string {
	if n != 1 && !strings.HasPrefix(kind, ".") {
		kind += "s"
	}
	return words.Thousands(n) + " " + kind
}

// Skip tells that a file was left out, and counts it.
func (t *Terminal) Skip(path string, reason error) { t.note(path, reason, true) }

// note counts a file that was left out, and tells of it if say is set.
func (t *Terminal) note(path string, reason error, say bool) {
	t.Skipped++
	if t.List != "" {
		t.listed = append(t.listed, LeftOut{Path: path, Reason: reason})
	}
	switch {
	case !say, t.Quiet:
	case t.events != nil:
		t.events.write(skippedEvent{"skipped", path, reason.Error()})
	default:
		t.say(fmt.Sprintf("skipped %s: %v", words.Printable(path), reason))
	}
}

// WriteList writes the files that were left out to the file List, if there is one, a line
// each: the path, a tabulator, and the reason.
func (t *Terminal) WriteList() error {
	if t.List == "" {
		return nil
	}
	return atomicfile.Write(t.List, func(w io.Writer) error {
		for _, f := range t.listed {
			reason := strings.Join(strings.Fields(f.Reason.Error()), " ")
			if _, err := fmt.Fprintf(w, "%s\t%s\n", words.Printable(f.Path), reason); err != nil {
				return err
			}
		}
		return nil
	})
}
