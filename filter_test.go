package lookalike_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lookalike"
)

// entries are pictures of an index.
func entries(paths ...string) (list []lookalike.Entry) {
	for _, path := range paths {
		label := ""
		if folders := strings.Split(path, "/"); len(folders) > 1 {
			label = folders[len(folders)-2]
		}
		list = append(list, lookalike.Entry{Path: path, Label: label})
	}
	return list
}

// One condition of each kind must hold, and every !=.
func TestFilter(t *testing.T) {
	all := entries("a.jpg", "cats/1.jpg", "cats/old/2.jpg", "dogs/1.jpg", "dogs/a\nb.png")
	for _, c := range []struct {
		conditions []string
		want       string
	}{
		{nil, "a.jpg cats/1.jpg cats/old/2.jpg dogs/1.jpg dogs/a\nb.png"},
		{[]string{"label=cats"}, "cats/1.jpg"},
		{[]string{"label="}, "a.jpg"},
		{[]string{"label!="}, "cats/1.jpg cats/old/2.jpg dogs/1.jpg dogs/a\nb.png"},
		{[]string{"label=cats", "label=dogs", "path=1.*"}, "cats/1.jpg dogs/1.jpg"},
		{[]string{"path=1.jpg", "label!=dogs"}, "cats/1.jpg"},
		{[]string{"path=?.jpg"}, "a.jpg cats/1.jpg cats/old/2.jpg dogs/1.jpg"},
		{[]string{"path=cats/*"}, "cats/1.jpg"},
		{[]string{"path=./cats/**"}, "cats/1.jpg cats/old/2.jpg"},
		{[]string{"path=dogs/**"}, "dogs/1.jpg dogs/a\nb.png"},
		{[]string{"path!=**.jpg"}, "dogs/a\nb.png"},
		{[]string{"path=[ac].jpg"}, ""},
	} {
		f, err := lookalike.ParseFilter(c.conditions...)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		for _, e := range all {
			if f.Keeps(e) {
				kept = append(kept, e.Path)
			}
		}
		if got := strings.Join(kept, " "); got != c.want {
			t.Errorf("%q keeps %q, want %q", c.conditions, got, c.want)
		}
		if err := f.Check(all); (err == nil) != (kept != nil) {
			t.Errorf("%q: %v", c.conditions, err)
		}
	}
}

// What is no condition is an error that says so, whatever its bytes are.
func TestFilterRefuses(t *testing.T) {
	for condition, want := range map[string]string{
		"cats": "give label=NAME", "": "give label=NAME", "size=3": `no "size" to filter by`, "path=\xff": "invalid UTF-8",
	} {
		if _, err := lookalike.ParseFilter("label=cats", condition); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "--") {
			t.Errorf("%q: %v", condition, err)
		}
	}
}

// A filter that keeps nothing tells which label may have been meant.
func TestFilterHint(t *testing.T) {
	all := entries("a.jpg", "cats/1.jpg", "dogs/1.jpg")
	if got := lookalike.Labels(all); !slices.Equal(got, []string{"cats", "dogs"}) {
		t.Errorf("labels %q", got)
	}
	for _, c := range []struct {
		condition, hint string
		entries         []lookalike.Entry
	}{
		{"label=Cats", "did you mean label=cats?", all},
		{"label=cat", "did you mean label=cats?", all},
		{"label=planes", `it has no label "planes", but 2 others such as cats`, all},
		{"label=cats", "its pictures lie in no folders that could be labels", all[:1]},
		{"path=*.png", "", all},
		{"path=*.png", "", nil},
	} {
		f, err := lookalike.ParseFilter(c.condition)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Check(c.entries)
		e, ok := errors.AsType[*lookalike.FilterError](err)
		if !ok || e.Pictures != len(c.entries) || e.Hint != c.hint || !strings.Contains(err.Error(), "passes the filter") || !strings.HasSuffix(err.Error(), c.hint) {
			t.Errorf("%s: %v", c.condition, err)
		}
	}
}
