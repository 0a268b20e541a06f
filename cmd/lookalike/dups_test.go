package main

import (
	"bytes"
	"errors"
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

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/gallery"
	"lookalike/internal/sweeptest"
)

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
	printed(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	before, contents := files(t, photos)
	cut, tries := 0, sweeptest.Cases(4, 12, 60)
	for _, action := range [][]string{{"--move-to", filepath.Join(dir, "away")}, {"--hardlink"}} {
		for try := range tries {
			journal := filepath.Join(dir, fmt.Sprintf("%s-%d.jsonl", action[0], try))
			cmd := exec.Command("lookalike", append([]string{"dups", index, "--exact", "--apply", "--journal", journal}, action...)...)
			var out bytes.Buffer
			cmd.Stdout = &out
			ended := startUntil(t, cmd, func() bool { // until it is at work
				info, err := os.Stat(journal)
				return err == nil && info.Size() > int64(try*30_000/tries)
			})
			cmd.Process.Kill()
			if err := <-ended; err != nil {
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
			printed(t, "dups", "--undo", journal)
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
	if cut < tries {
		t.Errorf("only %d of %d runs were cut off: the test shows little", cut, 2*tries)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "away")); err == nil {
		for _, f := range left {
			if !strings.HasSuffix(f.Name(), ".jsonl") {
				t.Errorf("left behind: %s", f.Name())
			}
		}
	}
}

// A disk that is full, of the journal or of the copies, is an error, and what was done
// before can be taken back.
func TestDupsDiskFull(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no limit of file sizes")
	}
	photos := drawn(t, 1)
	dir := filepath.Dir(photos)
	big := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	original := read(t, filepath.Join(photos, "fish", "fish-01.png"))
	for i := range 4 { // no larger than the limit, but the last
		content := original
		if i == 3 {
			content = append(slices.Clone(original), big...)
			if err := os.WriteFile(filepath.Join(photos, "copy.png"), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(photos, fmt.Sprintf("copy-%d.png", i)), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	index := filepath.Join(dir, "photos.idx")
	printed(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	before, _ := files(t, photos)
	limited := func(bytes int, args ...string) (string, error) { // so large may files become
		script := fmt.Sprintf(`ulimit -f %d; exec lookalike "$@"`, bytes/512)
		out, err := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh"}, args...)...).CombinedOutput()
		return string(out), err
	}
	for _, action := range [][]string{{"--move-to", filepath.Join(dir, "away")}, {"--hardlink"}} {
		journal := filepath.Join(dir, action[0]+".jsonl")
		out, err := limited(1024, append([]string{"dups", index, "--exact", "--apply", "--journal", journal}, action...)...)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != cli.StatusError || !strings.Contains(out, "cannot write the journal: ") {
			t.Errorf("%s, the journal full: %v\n%s", action, err, out)
		}
		printed(t, "dups", "--undo", journal)
		if after, _ := files(t, photos); !slices.Equal(after, before) {
			t.Fatalf("%s: after undo there are %d files, before %d", action, len(after), len(before))
		}
	}

	// Of the copies on another device one does not fit.
	away, err := os.MkdirTemp("/dev/shm", "lookalike-")
	if err != nil {
		t.Skip("no other device:", err)
	}
	t.Cleanup(func() { os.RemoveAll(away) })
	journal := filepath.Join(dir, "copies.jsonl")
	out, err := limited(32<<10, "dups", index, "--exact", "--apply", "--journal", journal, "--move-to", away)
	if err == nil && !strings.Contains(out, "left") {
		t.Skip("/dev/shm is the same device")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != cli.StatusError || !strings.Contains(out, "file too large") {
		t.Errorf("a copy does not fit: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(away, "*")); len(left) != 3 {
		t.Errorf("moved are %q", left)
	}
	// Taking back fails as well, and goes on when there is space.
	if out, err := limited(512, "dups", "--undo", journal); err == nil {
		t.Errorf("the journal is full: %s", out)
	}
	printed(t, "dups", "--undo", journal)
	if after, _ := files(t, photos); !slices.Equal(after, before) {
		t.Errorf("after undo there are %d files, before %d", len(after), len(before))
	}
	if left, _ := filepath.Glob(filepath.Join(away, "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// The hash of published weights is taken from the cached index as long as path, size
// and time of the file are the same. With other weights the index is made anew.
func TestDupsWeights(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	photos, cache := drawn(t, 1), t.TempDir()
	t.Setenv("LOOKALIKE_CACHE", cache)
	file := filepath.Join(t.TempDir(), "vgg16.safetensors")
	if err := writeVGG(file); err != nil {
		t.Fatal(err)
	}
	hash := func() string {
		t.Helper()
		printed(t, "dups", photos, "--exact", "--model", "vgg16", "--weights", file, "--quiet")
		indexes, err := filepath.Glob(filepath.Join(cache, "dups", "*.idx"))
		if err != nil || len(indexes) != 1 {
			t.Fatalf("the cache holds %q, %v", indexes, err)
		}
		g, err := gallery.Open(indexes[0])
		if err != nil || len(g.Entries) != 10 {
			t.Fatalf("%d pictures, %v", len(g.Entries), err)
		}
		return g.Recipe.WeightsFingerprint
	}
	first := hash()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 4), info.Size()-4); err != nil { // the last weight
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), os.Chtimes(file, time.Time{}, info.ModTime())); err != nil {
		t.Fatal(err)
	}
	if got := hash(); got != first {
		t.Errorf("a file of the same time was read: its hash is %s, was %s", got, first)
	}
	if err := os.Chtimes(file, time.Time{}, info.ModTime().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := hash(); got == first {
		t.Error("other weights have the hash of the first")
	}
}

// What is kept of a folder is made anew where it is damaged, also if that shows
// late, in a picture's own bytes.
func TestDupsDamagedCache(t *testing.T) {
	photos, cache := drawn(t, 1), t.TempDir()
	t.Setenv("LOOKALIKE_CACHE", cache)
	want := printed(t, "dups", photos, "--exact", "--json")
	indexes, err := filepath.Glob(filepath.Join(cache, "dups", "*.idx"))
	if err != nil || len(indexes) != 1 {
		t.Fatalf("the cache holds %q, %v", indexes, err)
	}
	content, err := os.ReadFile(indexes[0])
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.ReplaceAll(content, []byte(".png"), []byte(".qng"))
	if err := os.WriteFile(indexes[0], content, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := gallery.Open(indexes[0]); !errors.Is(err, gallery.ErrDamaged) {
		t.Fatalf("the index is not damaged: %v", err)
	}
	if got := printed(t, "dups", photos, "--exact", "--json"); got != want {
		t.Errorf("got %s, want %s", got, want)
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
