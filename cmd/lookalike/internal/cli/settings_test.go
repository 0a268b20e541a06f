package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Of several mistakes in the file of settings, the same one is always told.
func TestSettingsMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"b = 1\na = 1\nd = 1\nc = 1":                               "there is no setting a",
		"b = 07:32:00\na = 07:32:00\nd = 07:32:00\nc = 07:32:00\n": "a: a setting is a text",
	} {
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			settings := Settings{File: file}
			if err := settings.Configure(&cobra.Command{Use: program}, t.Logf); err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("%q: %v, want %q", text, err, want)
			}
		}
	}
}
