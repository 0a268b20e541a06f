package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDups(t *testing.T) { script(t, "dups") }

// files lists all files below folders by name and content, journals left out.
func files(t *testing.T, dirs ...string) (names []string, contents []string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) == ".jsonl" {
				return err
			}
			data, err := os.ReadFile(path)
			names, contents = append(names, path+" "+string(data)), append(contents, string(data))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(contents)
	return names, contents
}

// However a run is killed, every picture is somewhere, and undo brings all back.
func TestDupsKilled(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be killed at will")
	}
	photos := drawn(t, 3)
	dir := filepath.Dir(photos)
	original, err := os.ReadFile(filepath.Join(photos, "fish", "fish-01.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 150 {
		if err := os.WriteFile(filepath.Join(photos, fmt.Sprintf("copy-%03d.png", i)), original, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "away"), 0o755); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "photos.idx")
	lookalike(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	before, contents := files(t, photos)
	cut := 0
	for _, action := range [][]string{{"--move-to", filepath.Join(dir, "away")}, {"--hardlink"}} {
		for try := range 12 {
			journal := filepath.Join(dir, fmt.Sprintf("%s-%d.jsonl", action[0], try))
			cmd := exec.Command("lookalike", append([]string{"dups", index, "--exact", "--apply", "--journal", journal}, action...)...)
			var out bytes.Buffer
			cmd.Stdout = &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for wait := time.Now(); time.Since(wait) < 10*time.Second; { // until it is at work
				if info, err := os.Stat(journal); err == nil && info.Size() > int64(try*2500) {
					break
				}
			}
			cmd.Process.Kill()
			if err := cmd.Wait(); err != nil {
				cut++
			}
			if _, now := files(t, photos, filepath.Join(dir, "away")); action[0] == "--move-to" {
				for _, text := range contents { // copies among them, so each is there at least as often
					if n, was := times(now, text), times(contents, text); n < was {
						t.Fatalf("a picture was there %d times, and is %d times", was, n)
					}
				}
			}
			if _, err := os.Stat(journal); err != nil {
				continue // killed before it began
			}
			lookalike(t, "dups", "--undo", journal)
			if after, _ := files(t, photos); !slices.Equal(after, before) {
				t.Fatalf("%v, try %d: after undo there are %d files, before %d", action, try, len(after), len(before))
			}
			infos := []fs.FileInfo{}
			for i := range 150 {
				info, err := os.Stat(filepath.Join(photos, fmt.Sprintf("copy-%03d.png", i)))
				if err != nil {
					t.Fatal(err)
				}
				if i > 0 && os.SameFile(info, infos[0]) {
					t.Fatalf("%v, try %d: copy %d is still a link", action, try, i)
				}
				infos = append(infos, info)
			}
		}
	}
	if cut < 12 {
		t.Errorf("only %d of 24 runs were cut off: the test shows little", cut)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "away")); err == nil {
		for _, f := range left {
			if !strings.HasSuffix(f.Name(), ".jsonl") {
				t.Errorf("left behind: %s", f.Name())
			}
		}
	}
}

func times(all []string, text string) int {
	n := 0
	for _, s := range all {
		if s == text {
			n++
		}
	}
	return n
}
