package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lookalike/cmd/lookalike/internal/results"
	"lookalike/gallery"
	"lookalike/internal/sweeptest"
)

// sharedData returns a path below the folder "shared" beside the project's root
// or further up, and skips the test without it.
func sharedData(t *testing.T, path ...string) string {
	t.Helper()
	for up := ".."; len(up) < 30; up = filepath.Join(up, "..") {
		if found := filepath.Join(append([]string{up, "shared"}, path...)...); exists(found) {
			found, err := filepath.Abs(found)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
	}
	t.Skipf("there is no shared/%s", filepath.Join(path...))
	return ""
}

// refused runs the program, which must fail, and returns what it complains of.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "lookalike", args...).CombinedOutput()
	if err == nil {
		t.Fatalf("lookalike %s: no error\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// An index of VGG16's features with the real weights: similar pictures are of
// like things, and a query is described as the index was, or refused.
func TestIndexVGG(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	weights := sharedData(t, "weights", "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")
	caltech := sharedData(t, "caltech101")
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	for _, class := range []string{"Faces", "airplanes", "sunflower"} {
		files, err := filepath.Glob(filepath.Join(caltech, class, "*.jpg"))
		if err != nil || len(files) < 4 {
			t.Fatalf("%d pictures of %s (%v)", len(files), class, err)
		}
		if err := os.MkdirAll(filepath.Join(photos, class), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, file := range files[:4] {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(photos, class, filepath.Base(file)), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	moved := filepath.Join(dir, "vgg16.h5")
	data, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(moved, data, 0o644); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(dir, "photos.idx")
	describe := func(flags ...string) string {
		return printed(t, append([]string{"index", photos, "-o", index, "--model", "vgg16", "--weights", moved, "--quiet", "--fresh"}, flags...)...)
	}
	query := filepath.Join(photos, "Faces", "image_0001.jpg")
	search := func(flags ...string) results.Listing {
		var f results.Listing
		if err := json.Unmarshal([]byte(printed(t, append([]string{"search", index, query, "--json", "-k", "2", "--include-self"}, flags...)...)), &f); err != nil {
			t.Fatal(err)
		}
		for i, n := range f.Results[0].Neighbors {
			if n.Label != "Faces" || i == 0 && (n.Path != "Faces/image_0001.jpg" || !(n.Distance < 1e-5)) {
				t.Errorf("%v: number %d is %+v", flags, i+1, n)
			}
		}
		return f
	}

	if out := describe("--layer", "block5_pool", "--pca", "5"); !strings.Contains(out, "12 pictures, vgg16 block5_pool, 5 of 25088 principal components") {
		t.Errorf("printed %s", out)
	}
	if f := search(); f.Metric != "cosine" {
		t.Errorf("compared by %s", f.Metric)
	}
	if out := describe(); !strings.Contains(out, "12 pictures, vgg16 block5_pool (avg) of 512 numbers") {
		t.Errorf("printed %s", out)
	}
	search()
	if out := printed(t, "eval", index, "--quiet"); !strings.Contains(out, "mean average precision  0.9") {
		t.Errorf("faces, aeroplanes and sunflowers are mixed up:\n%s", out)
	}

	// The weights have moved, then changed.
	search("--model", weights)
	data[len(data)-1] ^= 1
	if err := os.WriteFile(moved, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(moved, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	g, err := gallery.Open(index)
	if err != nil {
		t.Fatal(err)
	}
	if out := refused(t, "search", index, query); !strings.Contains(out, "trained anew after the index was made") || strings.Contains(out, g.Recipe.Fingerprint()) {
		t.Errorf("other weights: %s", out)
	}

	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--model", "vgg19", "--weights", weights}, "holds weights of vgg16, not of vgg19"},
		{[]string{"--model", "vgg16", "--weights", weights, "--layer", "fc2"}, `no layer "fc2"`},
		{[]string{"--model", "vgg16", "--weights", weights, "--pca", "13"}, "13 principal components are asked for; 12 files with 512 values each have 1 to 12"},
	} {
		if out := refused(t, append([]string{"index", photos, "-o", filepath.Join(dir, "x.idx")}, c.flags...)...); !strings.Contains(out, c.want) {
			t.Errorf("%v: %s, want %q", c.flags, out, c.want)
		}
	}
}
