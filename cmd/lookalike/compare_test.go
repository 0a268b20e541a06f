package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/internal/sweeptest"
	"lookalike/picture"
)

// compareJSON runs compare, which must exit with that status.
func compareJSON(t *testing.T, status int, args ...string) (r compared) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "lookalike", append([]string{"compare", "--json", "--quiet"}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != status {
		t.Fatalf("%v: %v, want status %d\n%s", args, err, status, &errs)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// With real photographs and VGG16: a photograph that was changed is the same and
// lies over the first as it was changed; another one is different.
func TestComparePhotographs(t *testing.T) {
	sweeptest.Slow(t, "VGG16 takes seconds")
	const weights = "../../../shared/weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
	photos := "../../../shared/caltech101"
	for _, path := range []string{weights, photos} {
		if _, err := os.Stat(path); err != nil {
			t.Skipf("needs %s", path)
		}
	}
	dir := t.TempDir()
	original := filepath.Join(photos, "crayfish", "image_0028.jpg")
	m, err := picture.File(original, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, quality int, m image.Image) string {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	full := m.RGBA()
	mirror := image.NewRGBA(full.Rect)
	for y := range m.Height {
		for x := range m.Width {
			mirror.SetRGBA(x, y, full.RGBAAt(m.Width-1-x, y))
		}
	}
	cut := full.SubImage(image.Rect(m.Width/10, m.Height/10, m.Width*9/10, m.Height*9/10))
	for _, c := range []struct {
		path            string
		x, scaleX, most float64
	}{
		{write("low.jpg", 30, full), 0, 1, 0.1},
		{write("mirrored.jpg", 90, mirror), 1, -1, 0.1},
		{write("cut.jpg", 90, cut), -0.125, 1.25, 0.4},
	} {
		why := filepath.Join(dir, "why.png")
		status := cli.StatusOK
		r := compareJSON(t, status, original, c.path, "--weights", weights, "--why", why, "--within", "0.4")
		if !(r.Distance > 0 && r.Distance <= c.most) || r.SameBytes || r.From != "given" || r.Metric != "cosine" {
			t.Errorf("%s: %+v", c.path, r)
		}
		if p := r.Why.Placement; p == nil || math.Abs(p.X-c.x) > 0.08 || math.Abs(p.ScaleX-c.scaleX) > 0.12 || p.Matches*10 < r.Why.Matches*6 {
			t.Errorf("%s: %d matches, placement %+v, want x %v, scale %v", c.path, r.Why.Matches, p, c.x, c.scaleX)
		}
		if f, err := os.Open(why); err != nil {
			t.Error(err)
		} else if _, _, err := image.Decode(f); err != nil {
			t.Error(err)
		}
	}
	r := compareJSON(t, statusDifferent, original, filepath.Join(photos, "pizza", "image_0010.jpg"), "--weights", weights, "--why", filepath.Join(dir, "why.jpg"))
	if r.Same || r.Within != 0.1 || r.From != "default" || r.Why.Placement != nil {
		t.Errorf("a crayfish and a pizza: %+v, %+v", r, r.Why)
	}
	if r := compareJSON(t, cli.StatusOK, original, original, "--weights", weights); !r.Same || !r.SameBytes || r.Distance != 0 || r.Why != nil {
		t.Errorf("a photograph and itself: %+v", r)
	}
}
