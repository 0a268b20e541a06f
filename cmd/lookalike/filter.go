package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"lookalike/gallery"
)

// filterHelp describes --filter, for the help of commands.
const filterHelp = `--filter restricts what is found: label=NAME to pictures in folders of that name,
path=GLOB to paths that match, where * stands for anything within a folder's or
file's name, ** for anything, ? for one character; a GLOB without a slash is
compared with the file's name alone. With != in place of = those are left out.
Given several times, one condition of each kind must hold, and every !=.`

// filter says which pictures may be found.
type filter struct {
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
			return nil, usagef("--filter %s: give label=NAME or path=GLOB, or the same with !=", v)
		case key == "label":
			is := func(e gallery.Entry) bool { return e.Label == want }
			if not {
				f.notLabels = append(f.notLabels, is)
			} else {
				f.labels = append(f.labels, is)
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
			return nil, usagef("--filter %s: there is no %q to filter by; give label=NAME or path=GLOB", v, key)
		}
	}
	return f, nil
}

// openFiltered is openCollection, and makes a filter of the values of --filter; it
// leaves something to find, and is nil if there are none.
func openFiltered(index, photos string, filters []string) (*collection, *filter, error) {
	only, err := parseFilter(filters)
	if err != nil {
		return nil, nil, err
	}
	c, err := openCollection(index, photos)
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
	hint := ""
	if len(f.labels) > 0 && !slices.ContainsFunc(entries, func(e gallery.Entry) bool { return e.Label != "" }) {
		hint = "; its pictures lie in no folders that could be labels"
	}
	return fmt.Errorf("none of the %s of the index passes --filter%s", count(len(entries), "picture"), hint)
}
