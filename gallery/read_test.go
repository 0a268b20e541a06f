package gallery

import (
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"lookalike/tensor"
)

func example(n, d int) *Gallery {
	rng := rand.New(rand.NewPCG(1, 2))
	g := &Gallery{
		Root: "/photos/ä & b",
		Recipe: Recipe{
			Model: "autoencoder", WeightsFingerprint: strings.Repeat("0a", 32), Layer: "code",
			Preprocessing: "RGB, bilinear to 224x224, divided by 255", EXIF: "applied",
			WeightsFile: "model.safetensors", Program: "lookalike 0.1",
		},
		Entries: make([]Entry, n),
		Files:   make([]File, n),
		Vectors: tensor.New(n, d),
	}
	for i := range g.Entries {
		label := fmt.Sprintf("klasse „%d“", 3*i/n)
		g.Entries[i] = Entry{Path: fmt.Sprintf("%s/bild <%06d>.jpg", label, i), Label: label, Width: 300 + i, Height: 200}
		g.Files[i] = File{Size: int64(i), SHA256: sha256.Sum256([]byte(label))}
		if i > 0 {
			g.Files[i].Modified = time.Unix(int64(i), 5).UTC()
		}
	}
	for i := range g.Vectors.Data() {
		g.Vectors.Data()[i] = float32(rng.NormFloat64())
	}
	return g
}

func save(t *testing.T, g *Gallery) string {
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

// kept returns the path of an index of example(40, 7) that a program on amd64 has
// saved.
func kept(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/example.idx.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := filepath.Join(t.TempDir(), "photos.idx")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := gzip.NewReader(f)
	if err == nil {
		_, err = io.Copy(out, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// An index is read where none can be written too.
func TestOpenKept(t *testing.T) {
	path, want := kept(t), example(40, 7)
	if g, err := Open(path); err != nil || !reflect.DeepEqual(g, want) {
		t.Errorf("read %+v, %v, want %+v", g, err, want)
	}
	if g, err := Inspect(path); err != nil || g.Recipe != want.Recipe || len(g.Entries) != 0 {
		t.Errorf("inspected %+v, %v", g, err)
	}
}
