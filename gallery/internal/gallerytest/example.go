// Package gallerytest has galleries and photographs for the tests of package gallery
// and of those on it.
package gallerytest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"lookalike/gallery"
	"lookalike/tensor"
)

// Example is a gallery of n pictures with vectors of d values, the same at each call.
func Example(n, d int) *gallery.Gallery {
	rng := rand.New(rand.NewPCG(1, 2))
	g := &gallery.Gallery{
		Root: "/photos/ä & b",
		Recipe: gallery.Recipe{
			Model: "autoencoder", WeightsFingerprint: strings.Repeat("0a", 32), Layer: "code",
			Preprocessing: "RGB, bilinear to 224x224, divided by 255", EXIF: "applied",
			WeightsFile: "model.safetensors", Program: "lookalike 0.1",
		},
		Entries: make([]gallery.Entry, n),
		Files:   make([]gallery.File, n),
		Vectors: tensor.New(n, d),
	}
	for i := range g.Entries {
		label := fmt.Sprintf("klasse „%d“", 3*i/n)
		g.Entries[i] = gallery.Entry{Path: fmt.Sprintf("%s/bild <%06d>.jpg", label, i), Label: label, Width: 300 + i, Height: 200}
		g.Files[i] = gallery.File{Size: int64(i), SHA256: sha256.Sum256([]byte(label))}
		if i > 0 {
			g.Files[i].Modified = time.Unix(int64(i), 5).UTC()
		}
	}
	for i := range g.Vectors.Data() {
		g.Vectors.Data()[i] = float32(rng.NormFloat64())
	}
	return g
}

// Save writes a gallery as an index of its own, and skips the test where none is written.
func Save(t testing.TB, g *gallery.Gallery) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.idx")
	err := g.Save(path)
	if runtime.GOARCH == "wasm" && errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
