package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/results"
	"lookalike/gallery"
	"lookalike/internal/sweeptest"
)

// Pictures in archives and single ones are described like those in folders, come
// out of a search under the same paths, and can be shown.
func TestIndexSources(t *testing.T) {
	photos := drawn(t, 2)
	dir := filepath.Dir(photos)
	path := func(name string) string { return filepath.Join(dir, name) }
	pack(t, photos, path("photos.zip"), path("photos.tar.gz"))
	one := filepath.Join(photos, "fish", "fish-02.png")
	trained(t, path("m.safetensors"))

	// paths are what the index holds, nearest to a picture first.
	paths := func(index string, sources ...string) (root string, paths []string) {
		t.Helper()
		args := append([]string{"index", "-o", path(index), "--model", path("m.safetensors"), "--quiet"}, sources...)
		for range 2 {
			printed(t, args...)
		}
		if said := printed(t, args...); !strings.Contains(said, "(nothing has changed)") {
			t.Errorf("indexed again: %s", said)
		}
		sheet := path(index + ".png")
		var f results.Listing
		if err := json.Unmarshal([]byte(printed(t, "search", path(index), one, "-k", "100", "--include-self", "--json", "--sheet", sheet)), &f); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(sheet); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: %v", sheet, err)
		}
		for _, n := range f.Results[0].Neighbors {
			paths = append(paths, n.Path)
		}
		return f.Root, paths
	}
	root, want := paths("folder.idx", photos)
	if root != photos || len(want) != 20 || want[0] != "fish/fish-02.png" {
		t.Fatalf("in %s: %v", root, want)
	}
	for _, archive := range []string{"photos.zip", "photos.tar.gz"} {
		if root, got := paths(archive+".idx", path(archive)); root != path(archive) || !slices.Equal(got, want) {
			t.Errorf("in %s: %v, want %v", root, got, want)
		}
	}
	root, got := paths("several.idx", path("photos.zip"), filepath.Join(photos, "planets"), one, photos+"/fish", path("photos.zip"))
	if root != dir || len(got) != 24 || got[0] != "photos.zip/fish/fish-02.png" && got[0] != "photos/fish/fish-02.png" {
		t.Errorf("in %s: %v", root, got)
	}
	for i, p := range want {
		want[i] = "photos.zip/" + p
	}
	slices.Sort(want)
	in := slices.DeleteFunc(slices.Sorted(slices.Values(got)), func(p string) bool { return strings.HasPrefix(p, "photos/") })
	if !slices.Equal(in, want) {
		t.Errorf("of the archive: %v, want %v", in, want)
	}
	if root, got := paths("one.idx", one); root != filepath.Dir(one) || !slices.Equal(got, []string{"fish-02.png"}) {
		t.Errorf("in %s: %v", root, got)
	}
}

// Ctrl-C lets the network finish the pictures that it is at work on, and saves
// them. With --fresh these are kept beside the index, which stays, until the same
// command has come to its end.
func TestIndexInterrupted(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	photos := drawn(t, 10)
	dir := filepath.Dir(photos)
	weights, index := filepath.Join(dir, "vgg16.safetensors"), filepath.Join(dir, "photos.idx")
	if err := writeVGG(weights); err != nil {
		t.Fatal(err)
	}
	args := []string{"index", photos, "-o", index, "--model", "vgg16", "--layer", "block3_pool", "--pool", "avg", "--weights", weights, "--threads", "2", "--progress", "json"} // two, so that no machine is done with all at once
	holds := func(path string, pictures int) {
		t.Helper()
		if g, err := gallery.Open(path); err != nil || len(g.Entries) != pictures {
			t.Errorf("%s cannot be read or has not %d pictures: %v", path, pictures, err)
		}
	}
	var held, begun int // a batch of 8, and some of 32
	text := interrupted(t, args...)
	if _, err := fmt.Sscanf(text, "stopped; "+index+" holds %d pictures", &held); err != nil || held%32 != 8 {
		t.Errorf("at the end it said %q", text)
	}
	holds(index, held)
	args = append(args, "--pool", "max", "--fresh")
	next := gallery.Unfinished(index)
	text = interrupted(t, args...)
	if _, err := fmt.Sscanf(text, "stopped; "+index+" is as it was, and "+next+" holds %d pictures", &begun); err != nil || begun%32 != 8 {
		t.Errorf("at the end it said %q", text)
	}
	holds(index, held)
	holds(next, begun)
	if out := printed(t, args...); !strings.Contains(out, fmt.Sprintf("%d added", 100-begun)) {
		t.Errorf("gone on with: %s", out)
	}
	holds(index, 100)
	if exists(next) {
		t.Errorf("%s is left", next)
	}
}

// interrupted runs the program with --progress json, sends it Ctrl-C when it has
// finished some pictures, and returns what it says at its end.
func interrupted(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "lookalike", args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var last struct{ Text string } // of the last event
	lines, stopped := bufio.NewScanner(stderr), false
	for lines.Scan() {
		var now struct{ Done int }
		if err := json.Unmarshal(lines.Bytes(), &now); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		json.Unmarshal(lines.Bytes(), &last)
		if now.Done > 32 && !stopped { // the first 32 are in the network
			stopped = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != cli.StatusInterrupted {
		t.Fatalf("exit status %d, want %d", code, cli.StatusInterrupted)
	}
	return last.Text
}

// pack writes the files of a folder to archives.
func pack(t *testing.T, dir, zipFile, tarFile string) {
	t.Helper()
	z, err := os.Create(zipFile)
	g, err2 := os.Create(tarFile)
	if err := cmp.Or(err, err2); err != nil {
		t.Fatal(err)
	}
	zipped, packed := zip.NewWriter(z), gzip.NewWriter(g)
	tarred := tar.NewWriter(packed)
	err = cmp.Or(zipped.AddFS(os.DirFS(dir)), tarred.AddFS(os.DirFS(dir)), zipped.Close(), tarred.Close(), packed.Close(), z.Close(), g.Close())
	if err != nil {
		t.Fatal(err)
	}
}
