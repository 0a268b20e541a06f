package gallery

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"lookalike/knn"
	"lookalike/tensor"
	"lookalike/weights"
)

func example(n, d int) *Gallery {
	rng := rand.New(rand.NewPCG(1, 2))
	g := &Gallery{
		Root: "/photos/ä & b",
		Recipe: Recipe{
			Model: "autoencoder", WeightsSHA256: strings.Repeat("0a", 32), Layer: "code",
			Preprocessing: "RGB, bilinear to 224x224, divided by 255", EXIF: "applied",
			WeightsFile: "model.safetensors", Program: "lookalike 0.1",
		},
		Entries: make([]Entry, n),
		Vectors: tensor.New(n, d),
	}
	for i := range g.Entries {
		label := fmt.Sprintf("klasse „%d“", i%3)
		g.Entries[i] = Entry{Path: fmt.Sprintf("%s/bild <%d>.jpg", label, i), Label: label, Width: 300 + i, Height: 200}
	}
	for i := range g.Vectors.Data() {
		g.Vectors.Data()[i] = float32(rng.NormFloat64())
	}
	return g
}

func save(t *testing.T, g *Gallery) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.idx")
	if err := g.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSaveThenOpen(t *testing.T) {
	for _, n := range []int{1, 5, 1000} {
		want := example(n, 7)
		path := save(t, want)
		got, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%d pictures came back as %+v, want %+v", n, got, want)
		}
		first, _ := os.ReadFile(path)
		if second, _ := os.ReadFile(save(t, example(n, 7))); !bytes.Equal(first, second) {
			t.Error("the same gallery gave other bytes")
		}
	}
}

func TestEmpty(t *testing.T) {
	g, err := Open(save(t, example(0, 7)))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Entries) != 0 || !slices.Equal(g.Vectors.Shape(), []int{0, 7}) {
		t.Errorf("%v", g)
	}
}

// The vectors of an opened index can be searched: each picture finds itself.
func TestSearch(t *testing.T) {
	g, err := Open(save(t, example(40, 7)))
	if err != nil {
		t.Fatal(err)
	}
	index, err := knn.New(g.Vectors, knn.Euclidean)
	if err != nil {
		t.Fatal(err)
	}
	for row := range g.Entries {
		found, err := index.Search(t.Context(), [][]float32{g.Vectors.Row(row)}, 1)
		if err != nil || found[0][0] != (knn.Neighbor{Row: row}) {
			t.Errorf("row %d found %v, %v", row, found, err)
		}
	}
}

func TestExport(t *testing.T) {
	g := example(2, 3)
	got, want := filepath.Join(t.TempDir(), "got.npz"), filepath.Join(t.TempDir(), "want.npz")
	if err := g.Export(got); err != nil {
		t.Fatal(err)
	}
	if err := weights.SaveNPZ(want, map[string]*tensor.Tensor{"vectors": g.Vectors},
		map[string][]string{"paths": {g.Entries[0].Path, g.Entries[1].Path}}); err != nil {
		t.Fatal(err)
	}
	gotBytes, err := os.ReadFile(got)
	wantBytes, _ := os.ReadFile(want)
	if err != nil || !bytes.Equal(gotBytes, wantBytes) {
		t.Errorf("the archive has other bytes than its arrays give (%v)", err)
	}
	g.Entries = g.Entries[:1]
	if err := g.Export(got); err == nil {
		t.Error("a gallery that lacks an entry was exported")
	}
}

func TestCheck(t *testing.T) {
	g := example(1, 1)
	same := g.Recipe
	same.WeightsFile, same.Program = "elsewhere/model.safetensors", "lookalike 0.2"
	if err := g.Check(same); err != nil {
		t.Errorf("a moved model and a newer program are refused: %v", err)
	}
	for _, change := range []func(*Recipe) string{
		func(r *Recipe) string { r.Model = "vgg16"; return `"autoencoder" in the index, "vgg16" in the query` },
		func(r *Recipe) string { r.WeightsSHA256 = "ff"; return "SHA-256" },
		func(r *Recipe) string { r.Layer = "fc2"; return `"fc2"` },
		func(r *Recipe) string { r.Preprocessing += "."; return "preprocessing" },
		func(r *Recipe) string { r.EXIF = "ignored"; return `"ignored"` },
		func(r *Recipe) string { r.Layer, r.EXIF = r.EXIF, r.Layer; return "layer" },
	} {
		r := g.Recipe
		want := change(&r)
		err := g.Check(r)
		if err == nil {
			t.Errorf("%+v was accepted", r)
			continue
		}
		for _, part := range []string{want, g.Recipe.Fingerprint(), r.Fingerprint()} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in the error:\n%v", part, err)
			}
		}
	}
	// The fingerprint is on disk for good: it must not change by accident.
	if got := g.Recipe.Fingerprint(); got != "ba3f2e9dbaa23dd9" {
		t.Errorf("fingerprint %s", got)
	}
}

func TestSaveRefuses(t *testing.T) {
	for _, path := range []string{"", ".", "..", "../a", "a/../b", "a/../../b", "/a", "a/", "a//b", "./a", "a\xff"} {
		g := example(2, 3)
		g.Entries[1].Path = path
		if err := g.Save(filepath.Join(t.TempDir(), "a.idx")); err == nil || !strings.Contains(err.Error(), "picture 1") {
			t.Errorf("path %q: %v", path, err)
		}
	}
	for what, spoil := range map[string]func(*Gallery){
		"one vector too few": func(g *Gallery) { g.Vectors = tensor.New(1, 3) },
		"rank 1":             func(g *Gallery) { g.Vectors = tensor.New(2) },
		"no dimensions":      func(g *Gallery) { g.Vectors = tensor.New(2, 0) },
		"path twice":         func(g *Gallery) { g.Entries[1] = g.Entries[0] },
		"negative size":      func(g *Gallery) { g.Entries[0].Width = -1 },
		"label not UTF-8":    func(g *Gallery) { g.Entries[0].Label = "\xff" },
		"root not UTF-8":     func(g *Gallery) { g.Root = "\xff" },
	} {
		g := example(2, 3)
		spoil(g)
		path := filepath.Join(t.TempDir(), "a.idx")
		if err := g.Save(path); err == nil {
			t.Errorf("%s: no error", what)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: a file was written", what)
		}
	}
}

// forge writes an index whose checksum is right and whose content need not be.
func forge(t *testing.T, vectors map[string]*tensor.Tensor, change map[string]string) string {
	t.Helper()
	metadata := map[string]string{
		"format": format, "version": version, "root": "r", "recipe": `{"model":"m"}`,
		"entries": `[{"path":"a","width":1,"height":1},{"path":"b","width":1,"height":1}]`,
	}
	for key, value := range change {
		metadata[key] = value
	}
	if vectors[vectorsName] != nil {
		metadata["checksum"] = checksum(metadata, vectors)
	}
	path := filepath.Join(t.TempDir(), "forged.idx")
	if err := weights.Save(path, vectors, metadata); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefuses(t *testing.T) {
	two := map[string]*tensor.Tensor{vectorsName: tensor.New(2, 3)}
	if _, err := Open(forge(t, two, nil)); err != nil {
		t.Fatalf("the unchanged forgery is refused: %v", err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("these are no pictures at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{text, "no format known"},
		{filepath.Join(filepath.Dir(text), "absent"), "no such file"},
		{forge(t, two, map[string]string{"format": ""}), "is it a model?"},
		{forge(t, two, map[string]string{"version": "2"}), `version "2"`},
		{forge(t, map[string]*tensor.Tensor{"v": tensor.New(2, 3)}, nil), `arrays ["v"]`},
		{forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(2, 3), "v": tensor.New(1)}, nil), "want one array"},
		{forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(6)}, nil), "shape [6]"},
		{forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(2, 0)}, nil), "shape [2 0]"},
		{forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(1, 3)}, nil), "more than the 1 vectors"},
		{forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(3, 3)}, nil), "2 pictures and vectors of shape [3 3]"},
		{forge(t, two, map[string]string{"recipe": ""}), "recipe"},
		{forge(t, two, map[string]string{"recipe": `{"model":"m"}{}`}), "more text"},
		{forge(t, two, map[string]string{"recipe": `{"model":"m"}]`}), "more text"},
		{forge(t, two, map[string]string{"recipe": `{"modell":"m"}`}), "modell"},
		{forge(t, two, map[string]string{"entries": ""}), "entries"},
		{forge(t, two, map[string]string{"entries": "{}"}), "not a list"},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},{"path":"b"}`}), "entries"},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},{"path":"b"}]]`}), "more text"},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},{"path":"../b"}]`}), `"../b" does not lead into`},
		{forge(t, two, map[string]string{"entries": `[{"path":"/a"},{"path":"b"}]`}), `"/a" does not lead into`},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},null]`}), "picture 1"},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},{"path":"a"}]`}), "twice"},
		{forge(t, two, map[string]string{"entries": `[{"path":"a"},{"path":1}]`}), "number 1"},
	} {
		if _, err := Open(c.path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("error %v, want one with %q and the file's name", err, c.want)
		}
	}
}

// Every cut and every flipped bit that is tried is seen.
func TestDamageIsSeen(t *testing.T) {
	content, err := os.ReadFile(save(t, example(3, 2)))
	if err != nil {
		t.Fatal(err)
	}
	try := func(damaged []byte, format string, args ...any) {
		t.Helper()
		f, err := weights.Read(bytes.NewReader(damaged), int64(len(damaged)))
		if err == nil {
			_, err = read(f)
		}
		if err == nil {
			t.Errorf(format+": no error", args...)
		}
	}
	for i := range content {
		try(content[:i], "cut to %d of %d bytes", i, len(content))
		damaged := slices.Clone(content)
		damaged[i] ^= 1 << (i % 8)
		try(damaged, "bit %d of byte %d flipped", i%8, i)
		damaged[i] = content[i] ^ 0x20 // the other case of a letter
		try(damaged, "bit 5 of byte %d flipped", i)
	}
}

// A list of empty entries must not grow beyond the vectors' number.
func TestMemory(t *testing.T) {
	path := forge(t, map[string]*tensor.Tensor{vectorsName: tensor.New(2, 3)},
		map[string]string{"entries": "[" + strings.Repeat("{},", 1<<20) + "{}]"})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Open(path)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > 12*uint64(info.Size()) {
		t.Errorf("took %d bytes for a file of %d, error %v", took, info.Size(), err)
	}
}
