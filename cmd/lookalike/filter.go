package main

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"lookalike/gallery"
	"lookalike/internal/cli"
	"lookalike/internal/words"
)

// filterHelp describes --filter, for the help of commands.
const filterHelp = `--filter restricts what is found: label=NAME to pictures in folders of that name,
path=GLOB to paths that match, where * stands for anything within a folder's or
file's name, ** for anything, ? for one character; a GLOB without a slash is
compared with the file's name alone. With != in place of = those are left out.
Given several times, one condition of each kind must hold, and every !=.`

// filter says which pictures may be found.
type filter struct {
	wanted              []string    // labels
	labels, paths       []condition // one of each must hold, if there are any
	notLabels, notPaths []condition // none of these
}

type condition func(gallery.Entry) bool

// parseFilter makes a filter of the values of --filter; nil if there are none.
func parseFilter(values []string) (*filter, error) {
	if len(values) == 0 {
		return nil, nil
	}
	f := &filter{}
	for _, v := range values {
		key, want, ok := strings.Cut(v, "=")
		key, not := strings.CutSuffix(key, "!")
		switch {
		case !ok:
			return nil, cli.Usagef("--filter %s: give label=NAME or path=GLOB, or the same with !=", v)
		case key == "label":
			is := func(e gallery.Entry) bool { return e.Label == want }
			if not {
				f.notLabels = append(f.notLabels, is)
			} else {
				f.wanted, f.labels = append(f.wanted, want), append(f.labels, is)
			}
		case key == "path":
			glob := regexp.MustCompile(globPattern(want))
			matches := func(e gallery.Entry) bool {
				if !strings.Contains(want, "/") {
					return glob.MatchString(path.Base(e.Path))
				}
				return glob.MatchString(e.Path)
			}
			if not {
				f.notPaths = append(f.notPaths, matches)
			} else {
				f.paths = append(f.paths, matches)
			}
		default:
			return nil, cli.Usagef("--filter %s: there is no %q to filter by; give label=NAME or path=GLOB", v, key)
		}
	}
	return f, nil
}

// openFiltered is openCollection, and makes a filter of the values of --filter; it
// leaves something to find, and is nil if there are none.
func (a *app) openFiltered(index, photos string, filters []string) (*collection, *filter, error) {
	only, err := parseFilter(filters)
	if err != nil {
		return nil, nil, err
	}
	c, err := a.openCollection(index, photos)
	if err != nil {
		return nil, nil, err
	}
	if only != nil {
		if err := only.check(c.Entries); err != nil {
			c.Close()
			return nil, nil, err
		}
	}
	return c, only, nil
}

// globPattern turns a glob into a regular expression, of which everything but *
// and ? is quoted.
func globPattern(glob string) string {
	quoted := regexp.QuoteMeta(strings.TrimPrefix(glob, "./"))
	return "^" + strings.NewReplacer(`\*\*`, ".*", `\*`, "[^/]*", `\?`, "[^/]").Replace(quoted) + "$"
}

func (f *filter) keeps(e gallery.Entry) bool {
	holds := func(c condition) bool { return c(e) }
	return (len(f.labels) == 0 || slices.ContainsFunc(f.labels, holds)) &&
		(len(f.paths) == 0 || slices.ContainsFunc(f.paths, holds)) &&
		!slices.ContainsFunc(f.notLabels, holds) && !slices.ContainsFunc(f.notPaths, holds)
}

// check makes sure that a filter leaves something to find.
func (f *filter) check(entries []gallery.Entry) error {
	if slices.ContainsFunc(entries, f.keeps) {
		return nil
	}
	return fmt.Errorf("none of the %s of the index passes --filter%s", words.Count(len(entries), "picture"), f.hint(entries))
}

// hint says which label may be misspelled.
func (f *filter) hint(entries []gallery.Entry) string {
	labels := labelsOf(entries)
	for _, want := range f.wanted {
		if slices.Contains(labels, want) {
			continue
		}
		if len(labels) == 0 {
			return "; its pictures lie in no folders that could be labels"
		}
		for _, l := range labels {
			if strings.EqualFold(l, want) {
				return fmt.Sprintf("; did you mean label=%s?", l)
			}
		}
		if near := words.Nearest(want, labels); near != "" {
			return fmt.Sprintf("; did you mean label=%s?", near)
		}
		return fmt.Sprintf("; it has no label %q, but %s such as %s", want, words.Count(len(labels), "other"), labels[0])
	}
	return ""
}

// labelsOf returns the labels that pictures have, each once, sorted.
func labelsOf(entries []gallery.Entry) []string {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Label != "" {
			seen[e.Label] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
