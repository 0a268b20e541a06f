package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Flags that several commands have, and what these do with them.

// jsonFlag adds --json.
func jsonFlag(cmd *cobra.Command, on *bool) {
	cmd.Flags().BoolVar(on, "json", false, "print the result as JSON")
}

// printJSON prints a result as one JSON value over several lines.
func (a *app) printJSON(result any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}

// isDrawing tells whether the program can write a picture to a file of this name.
func isDrawing(path string) bool {
	return slices.Contains([]string{".png", ".jpg", ".jpeg"}, strings.ToLower(filepath.Ext(path)))
}

// isPage tells the same of a web page.
func isPage(path string) bool {
	suffix := strings.ToLower(filepath.Ext(path))
	return suffix == ".html" || suffix == ".htm"
}

// checkDrawing makes sure, before any work, that a picture can be written to the
// path that a flag gives, if it gives one, and that it is none of the inputs.
func checkDrawing(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if !isDrawing(path) {
		return usagef("--%s %s: the name must end in .png or .jpg", flag, path)
	}
	return checkOutput(path, inputs...)
}

// checkPage is checkDrawing for a web page.
func checkPage(flag, path string, inputs ...string) error {
	if path == "" {
		return nil
	}
	if !isPage(path) {
		return usagef("--%s %s: the name must end in .html", flag, path)
	}
	return checkOutput(path, inputs...)
}

// checkOutput makes sure, before any work, that path can be written and is none
// of the inputs.
func checkOutput(path string, inputs ...string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("cannot write %s: it is a folder; give the name of a file", path)
	case err == nil:
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
		return fmt.Errorf("cannot write %s: %s is no folder", path, dir)
	}
	probe, err := os.CreateTemp(dir, ".lookalike-*.tmp")
	if err != nil {
		return fmt.Errorf("cannot write %s: the folder %s cannot be written to: %w", path, dir, errors.Unwrap(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}
