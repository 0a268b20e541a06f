package embedding_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"lookalike/augment"
	"lookalike/embedding"
	"lookalike/nn"
	"lookalike/picture"
)

// apart runs a test in a process of its own, which touching closed memory ends.
func apart(t *testing.T, test func(*testing.T)) {
	const inside = "LOOKALIKE_TEST_APART"
	if os.Getenv(inside) != "" || runtime.GOARCH == "wasm" { // which starts no processes
		test(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), inside+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%.2000s", err, out)
	}
}

// Close waits for all that is in flight, may be called by several and again, and
// afterwards every call is refused: of a network on a VGG, whose weights lie in a
// mapped file, and of an encoder.
func TestClose(t *testing.T) {
	apart(t, func(t *testing.T) {
		for _, c := range []embedding.Config{{Base: "vgg16", Dim: 8}, small} {
			t.Run(c.Base, func(t *testing.T) { closed(t, c) })
		}
	})
}

func closed(t *testing.T, c embedding.Config) {
	file := ""
	if c.Base != embedding.Encoder {
		file = must(vggFile())(t)
	}
	path := filepath.Join(t.TempDir(), "m.safetensors")
	made := must(embedding.New(c, classes, file, 7))(t)
	if err := made.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	photos, labels := coloured(6, 5)
	want := must(made.Embed(t.Context(), photos[:1]))(t).Data()
	m := must(embedding.Load(path))(t)

	var all, begun sync.WaitGroup
	for range 4 {
		begun.Add(1)
		all.Go(func() {
			for first := true; ; first = false {
				y, err := m.Embed(t.Context(), photos[:1])
				switch {
				case first && err != nil || err != nil && !errors.Is(err, fs.ErrClosed):
					t.Error(err)
				case err == nil && !slices.Equal(y.Data(), want):
					t.Error("another embedding")
				}
				if first {
					begun.Done()
				}
				if err != nil {
					return
				}
			}
		})
	}
	begun.Wait()
	for range 2 {
		all.Go(func() {
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := made.Close(); err != nil {
		t.Error(err)
	}

	for name, m := range map[string]*embedding.Model{"new": made, "loaded": m} {
		if err := m.Close(); err != nil {
			t.Errorf("%s: closed once more: %v", name, err)
		}
		for call, f := range map[string]func() error{
			"Embed":       func() error { _, err := m.Embed(t.Context(), photos); return err },
			"Embed none":  func() error { _, err := m.Embed(t.Context(), []*picture.Image{}); return err },
			"Samples":     func() error { _, err := m.Samples(t.Context(), photos, labels, augment.Config{}, 1, nil); return err },
			"Start":       func() error { return m.Start(nil, 1) },
			"From":        func() error { return m.From(nil) },
			"FitSamples":  func() error { _, err := m.FitSamples(t.Context(), nil, nn.FitConfig{}); return err },
			"Fingerprint": func() error { _, err := m.Fingerprint(); return err },
			"Save":        func() error { return m.Save(path, nil) },
		} {
			if err := f(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s: %s: %v", name, call, err)
			}
		}
	}
}
