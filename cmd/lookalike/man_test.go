package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lookalike/internal/sweeptest"
)

// man and mandoc have nothing to say against the pages, and every flag of help is
// in them.
func TestManPages(t *testing.T) {
	sweeptest.Slow(t, "reads all pages")
	dir := t.TempDir()
	printed(t, "man", dir)
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages (%v)", len(pages), err)
	}
	for _, page := range pages {
		words := strings.Split(strings.TrimSuffix(filepath.Base(page), ".1"), "-")[1:]
		help := printed(t, append([]string{"help"}, words...)...)
		text := strings.ReplaceAll(string(read(t, page)), `\-`, "-")
		for _, word := range strings.Fields(help) {
			if strings.HasPrefix(word, "--") && !strings.HasPrefix(word, "--help") && !strings.Contains(text, strings.TrimRight(word, ".,;:='\"")) {
				t.Errorf("%s lacks %s", filepath.Base(page), word)
			}
		}
	}
	if mandoc, err := exec.LookPath("mandoc"); err == nil {
		out, _ := exec.CommandContext(t.Context(), mandoc, append([]string{"-Tlint", "-Wwarning"}, pages...)...).CombinedOutput()
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			if line != "" && !strings.Contains(line, "missing date") {
				t.Error(line)
			}
		}
	}
	if man, err := exec.LookPath("man"); err == nil {
		for _, page := range pages {
			cmd := exec.CommandContext(t.Context(), man, "--warnings=mac", "-E", "UTF-8", "-l", page)
			cmd.Env = append(os.Environ(), "MANWIDTH=100", "LC_ALL=C.UTF-8")
			var complaints strings.Builder
			cmd.Stderr = &complaints
			if err := cmd.Run(); err != nil || complaints.Len() > 0 {
				t.Errorf("%s: %v\n%s", filepath.Base(page), err, &complaints)
			}
		}
	}
}
