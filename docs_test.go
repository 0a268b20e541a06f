package lookalike_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guides returns the documents that are written for people: those in the root, and all
// below docs.
func guides(t *testing.T) []string {
	t.Helper()
	files := []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}
	err := filepath.WalkDir("docs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	code    = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`") // in which nothing is a link or a heading
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
)

// read returns a document's text.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// links returns the places that a document leads to, but for those on the web.
func links(t *testing.T, path string) (to []string) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(read(t, path), ""), -1) {
		if !strings.Contains(m[1], "://") {
			to = append(to, m[1])
		}
	}
	return to
}

// anchor is the name that GitHub gives a heading: letters, digits, hyphens and
// underscores, and hyphens for spaces.
func anchor(heading string) string {
	heading = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(heading)), " ", "-")
	return regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(heading, "")
}

// TestLinks: each link in the guides leads to a file or a folder that exists and, if it
// names a heading, to one of that file.
func TestLinks(t *testing.T) {
	for _, from := range guides(t) {
		for _, to := range links(t, from) {
			file, name, named := strings.Cut(to, "#")
			path := from
			if file != "" {
				path = filepath.Join(filepath.Dir(from), filepath.FromSlash(file))
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", from, to)
				continue
			}
			if !named {
				continue
			}
			blocks := regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(read(t, path), "")
			if !slices.ContainsFunc(heading.FindAllStringSubmatch(blocks, -1), func(m []string) bool { return anchor(m[1]) == name }) {
				t.Errorf("%s: %s has no heading for the link to %s", from, path, to)
			}
		}
	}
}

// TestDecisions: the index lists every decision, once.
func TestDecisions(t *testing.T) {
	const folder = "docs/decisions"
	listed := links(t, filepath.Join(folder, "README.md"))
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, times := filepath.Base(file), 0
		for _, to := range listed {
			if to == name {
				times++
			}
		}
		if name != "README.md" && times != 1 {
			t.Errorf("the index lists %s %d times", file, times)
		}
	}
}

// TestMapIsShort: who reads ARCHITECTURE.md sees all of it. What was decided, and why,
// goes to docs/decisions.
func TestMapIsShort(t *testing.T) {
	const most = 8 << 10
	if n := len(read(t, "ARCHITECTURE.md")); n > most {
		t.Errorf("ARCHITECTURE.md has %d bytes, more than %d", n, most)
	}
}
