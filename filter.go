package lookalike

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"lookalike/internal/words"
)

// Filter says which pictures may be found: Where(f.Keeps) is the option of a search.
type Filter struct {
	wanted              []string    // labels
	labels, paths       []condition // one of each must hold, if there are any
	notLabels, notPaths []condition // none of these
}

type condition func(Entry) bool

// ParseFilter makes a filter of conditions. "label=NAME" holds for pictures in folders of
// that name, "path=GLOB" for paths that match, where * stands for anything within a
// folder's or file's name, ** for anything, ? for one character; a GLOB without a slash is
// compared with the file's name alone. With != in place of = those are left out. One
// condition of each kind must hold, and every !=. Without conditions all are kept.
func ParseFilter(conditions ...string) (*Filter, error) {
	f := &Filter{}
	for _, c := range conditions {
		key, want, ok := strings.Cut(c, "=")
		key, not := strings.CutSuffix(key, "!")
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: give label=NAME or path=GLOB, or the same with !=", c)
		case key == "label":
			is := func(e Entry) bool { return e.Label == want }
			if not {
				f.notLabels = append(f.notLabels, is)
			} else {
				f.wanted, f.labels = append(f.wanted, want), append(f.labels, is)
			}
		case key == "path":
			matches, err := glob(want)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c, err)
			}
			if not {
				f.notPaths = append(f.notPaths, matches)
			} else {
				f.paths = append(f.paths, matches)
			}
		default:
			return nil, fmt.Errorf("%s: there is no %q to filter by; give label=NAME or path=GLOB", c, key)
		}
	}
	return f, nil
}

// glob is whether a path matches; in the pattern everything but * and ? is quoted.
func glob(pattern string) (condition, error) {
	quoted := regexp.QuoteMeta(strings.TrimPrefix(pattern, "./"))
	matches, err := regexp.Compile("(?s)^" + strings.NewReplacer(`\*\*`, ".*", `\*`, "[^/]*", `\?`, "[^/]").Replace(quoted) + "$")
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return nil, fmt.Errorf("no path can be compared with that: %s", e.Code)
	}
	if !strings.Contains(pattern, "/") {
		return func(e Entry) bool { return matches.MatchString(path.Base(e.Path)) }, nil
	}
	return func(e Entry) bool { return matches.MatchString(e.Path) }, nil
}

// Keeps tells whether a picture may be found.
func (f *Filter) Keeps(e Entry) bool {
	holds := func(c condition) bool { return c(e) }
	return (len(f.labels) == 0 || slices.ContainsFunc(f.labels, holds)) &&
		(len(f.paths) == 0 || slices.ContainsFunc(f.paths, holds)) &&
		!slices.ContainsFunc(f.notLabels, holds) && !slices.ContainsFunc(f.notPaths, holds)
}

// FilterError is that a filter keeps none of the pictures of an index.
type FilterError struct {
	Pictures int
	Hint     string // which label may be misspelled, such as `did you mean label=cats?`, or ""
}

func (e *FilterError) Error() string { return e.Of("the filter") }

// Of is the error with another name for the filter, such as that of a setting.
func (e *FilterError) Of(name string) string {
	text := fmt.Sprintf("none of the %s of the index passes %s", words.Count(e.Pictures, "picture"), name)
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// Check makes sure that the filter leaves something to find among the pictures of an
// index; if not, it is a [*FilterError].
func (f *Filter) Check(entries []Entry) error {
	if slices.ContainsFunc(entries, f.Keeps) {
		return nil
	}
	return &FilterError{len(entries), f.hint(entries)}
}

// hint says which label may be misspelled.
func (f *Filter) hint(entries []Entry) string {
	labels := Labels(entries)
	for _, want := range f.wanted {
		if slices.Contains(labels, want) {
			continue
		}
		if len(labels) == 0 {
			return "its pictures lie in no folders that could be labels"
		}
		for _, l := range labels {
			if strings.EqualFold(l, want) {
				return fmt.Sprintf("did you mean label=%s?", l)
			}
		}
		if near := words.Nearest(want, labels); near != "" {
			return fmt.Sprintf("did you mean label=%s?", near)
		}
		return fmt.Sprintf("it has no label %q, but %s such as %s", want, words.Count(len(labels), "other"), labels[0])
	}
	return ""
}

// Labels returns the labels that pictures have, each once, sorted.
func Labels(entries []Entry) []string {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Label != "" {
			seen[e.Label] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
