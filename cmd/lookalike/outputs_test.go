package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"lookalike/internal/sweeptest"
)

// What is written over keeps its permissions and the link by which it was found.
func TestOutputsKeepLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are not Unix's")
	}
	photos, dir := drawn(t, 2), t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	printed(t, "train", photos, "-o", file("model"), "--size", "32", "--epochs", "1", "--log", file("log"), "--quiet")
	printed(t, "index", photos, "-o", file("idx"), "--model", "perceptual", "--quiet")
	picture := filepath.Join(photos, "fish", "fish-01.png")
	for _, c := range []struct {
		outputs []string
		args    []string
	}{
		{[]string{"model", "log", "curve.png", "split"}, []string{"train", photos, "-o", "model", "--resume", "--epochs", "2", "--log", "log", "--curve", "curve.png", "--split", "split"}},
		{[]string{"v.npz"}, []string{"export", file("idx"), "-o", "v.npz"}},
		{[]string{"v.csv"}, []string{"export", file("idx"), "-o", "v.csv"}},
		{[]string{"m.html"}, []string{"map", file("idx"), "m.html"}},
		{[]string{"m.png"}, []string{"map", file("idx"), "m.png"}},
		{[]string{"s.html", "s.png"}, []string{"search", file("idx"), picture, "--html", "s.html", "--sheet", "s.png"}},
		{[]string{"d.html", "d.png"}, []string{"dups", file("idx"), "--within", "9", "--html", "d.html", "--sheet", "d.png"}},
		{[]string{"c.png"}, []string{"eval", file("idx"), "--confusion", "c.png"}},
		{[]string{"lookalike.1"}, []string{"man", "."}},
	} {
		here := t.TempDir()
		for _, name := range c.outputs {
			if _, err := os.Stat(file(name)); err != nil {
				if err := os.WriteFile(file(name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(os.Chmod(file(name), 0o600), os.Symlink(file(name), filepath.Join(here, name))); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), "lookalike", append(c.args, "--quiet")...)
		cmd.Dir = here
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
		for _, name := range c.outputs {
			link, err := os.Lstat(filepath.Join(here, name))
			target, err2 := os.Stat(file(name))
			switch {
			case err != nil || err2 != nil:
				t.Errorf("%s: %s: %v, %v", c.args[0], name, err, err2)
			case link.Mode()&fs.ModeSymlink == 0:
				t.Errorf("%s has replaced the link %s", c.args[0], name)
			case target.Mode() != 0o600 || target.Size() == 0:
				t.Errorf("%s has left %s with %v and %d bytes", c.args[0], name, target.Mode(), target.Size())
			}
		}
	}
}

// A file that appears while convert is at work stays.
func TestConvertAppeared(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.safetensors"), filepath.Join(dir, "out.npz")
	if err := writeVGG(in); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		cmd := exec.CommandContext(t.Context(), "lookalike", "convert", in, out)
		var errs strings.Builder
		cmd.Stderr = &errs
		ended := startUntil(t, cmd, func() bool {
			writing, _ := filepath.Glob(filepath.Join(dir, ".lookalike-*.new"))
			return len(writing) > 0
		})
		f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil { // it was faster
			<-ended
			os.Remove(out)
			continue
		}
		f.WriteString("theirs")
		f.Close()
		if err := <-ended; err == nil || !strings.Contains(errs.String(), "by another program meanwhile, and stays") {
			t.Errorf("%v: %s", err, &errs)
		}
		if got := read(t, out); string(got) != "theirs" {
			t.Errorf("it holds %d bytes", len(got))
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".lookalike-*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		return
	}
	t.Skip("convert was always faster")
}

// packed writes a folder of pictures as a .tar.gz, with much else in it, so that
// unpacking takes a moment.
func packed(t *testing.T, photos string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	if err := w.AddFS(os.DirFS(photos)); err != nil {
		t.Fatal(err)
	}
	add("noise.txt", make([]byte, 16<<20))
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "photos.tar.gz")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// What a killed command has left is gone after the same one has run again.
func TestKilledLeavesNothing(t *testing.T) {
	sweeptest.Slow(t, "runs each command three times")
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be killed at will")
	}
	photos, store := drawn(t, 2), t.TempDir()
	index, vgg := filepath.Join(store, "p.idx"), filepath.Join(store, "vgg.safetensors")
	printed(t, "index", photos, "-o", index, "--model", "perceptual", "--quiet")
	if err := writeVGG(vgg); err != nil {
		t.Fatal(err)
	}
	archive := packed(t, photos)
	for _, args := range [][]string{
		{"train", photos, "-o", "m.safetensors", "--size", "64", "--epochs", "2", "--log", "log.csv", "--curve", "c.png", "--split", "s.csv", "--sheets", "sheets"},
		{"convert", vgg, "vgg.npz"},
		{"export", index, "-o", "v.jsonl"},
		{"map", index, "m.html", "--iterations", "50"},
		{"search", index, filepath.Join(photos, "fish", "fish-01.png"), "--html", "s.html", "--sheet", "s.png"},
		{"dups", photos, "--html", "d.html", "--cache", os.DevNull},
		{"index", archive, "-o", "a.idx", "--model", "perceptual"},
		{"man", "man1"},
		{"demo", "--photos", photos, "--epochs", "1", "--out", "demo"},
	} {
		t.Run(args[0], func(t *testing.T) {
			dir, temp := t.TempDir(), t.TempDir()
			run := func() *exec.Cmd {
				cmd := exec.CommandContext(t.Context(), "lookalike", append(args, "--quiet")...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+temp)
				return cmd
			}
			clean := func() {
				entries, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					os.RemoveAll(filepath.Join(dir, e.Name()))
				}
			}
			start := time.Now()
			if out, err := run().CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			took := time.Since(start)
			for range sweeptest.Cases(1, 1, 50) {
				clean()
				cmd := run()
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rand.Int64N(int64(took)))) // any moment will do
				cmd.Process.Kill()
				cmd.Wait()
				for _, made := range []string{"m.safetensors", "log.csv", "vgg.npz"} { // that the same command leaves alone
					os.Remove(filepath.Join(dir, made))
				}
				if out, err := run().CombinedOutput(); err != nil {
					t.Errorf("again: %v\n%s", err, out)
				}
				for _, root := range []string{dir, temp} {
					err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
						if strings.HasPrefix(filepath.Base(path), ".lookalike-") || root == temp && path != temp {
							err = errors.Join(err, fmt.Errorf("left behind: %s", path))
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// Two outputs of one name are refused as that, also where one is a link to the other that
// is not there yet; so is what the standard output goes to.
func TestOutputsTwice(t *testing.T) {
	photos := drawn(t, 2)
	for _, c := range []struct {
		name, log, want string
		link            bool
	}{
		{"same", "m.safetensors", "log.csv is to be written twice", true},
		{"stdout", "out", "it is also what the standard output goes to", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, c.log)
			if c.link {
				log = filepath.Join(dir, "log.csv")
				if err := os.Symlink(c.log, log); err != nil {
					t.Skip("no symbolic links:", err)
				}
			}
			out, err := os.Create(filepath.Join(dir, "out"))
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			var said bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "lookalike", "train", photos, "-o", filepath.Join(dir, "m.safetensors"), "--size", "32", "--epochs", "1", "--log", log)
			cmd.Stdout, cmd.Stderr = out, &said
			if err := cmd.Run(); err == nil || !strings.Contains(said.String(), c.want) {
				t.Errorf("%v: %s, want %q", err, said.String(), c.want)
			}
		})
	}
}
