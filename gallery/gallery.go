// Package gallery keeps the index of a collection of pictures on disk: which
// pictures, their vectors, and how the vectors were made.
//
// An index is a safetensors file. Its array "vectors" has a row for each picture;
// where these were brought to principal components, "pca/…" are the arrays of
// the fit. All else is text in its metadata: format, version, root, recipe and
// entries (both JSON), and a checksum over these and the arrays.
package gallery

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"lookalike/knn/pca"
	"lookalike/tensor"
	"lookalike/weights"
)

const (
	format      = "lookalike gallery"
	version     = "1"
	vectorsName = "vectors"
)

// Gallery is a collection of pictures, each with a vector.
type Gallery struct {
	Root    string // folder of the pictures
	Recipe  Recipe
	Entries []Entry
	Vectors *tensor.Tensor // [len(Entries), d], d >= 1
	PCA     *pca.PCA       // what brought them to d principal components; nil: nothing
}

// Entry is one picture.
type Entry struct {
	Path   string `json:"path"`            // relative to the root, with slashes
	Label  string `json:"label,omitempty"` // its class, if known
	Width  int    `json:"width"`           // in pixels, upright
	Height int    `json:"height"`
}

// Open reads an index whole and checks it.
func Open(path string) (*Gallery, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	defer f.Close()
	g, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("gallery: %s: %w", path, err)
	}
	return g, nil
}

func read(f *weights.File) (*Gallery, error) {
	metadata := f.Metadata()
	if metadata["format"] != format {
		return nil, errors.New("not an index of pictures; is it a model?")
	}
	if v := metadata["version"]; v != version {
		return nil, fmt.Errorf("index of version %q, this program reads version %s: make the index again", v, version)
	}
	shape, _ := f.Shape(vectorsName)
	names := f.Names()
	withPCA := slices.Equal(names, append(slices.Clone(pcaNames), vectorsName))
	if !withPCA && !slices.Equal(names, []string{vectorsName}) || len(shape) != 2 || shape[1] < 1 {
		return nil, fmt.Errorf("damaged index: arrays %q, vectors of shape %v; want one array of shape [n, d], or that and those of principal components", names, shape)
	}
	arrays := map[string]*tensor.Tensor{}
	for _, name := range names {
		var err error
		if arrays[name], err = f.Tensor(name); err != nil {
			return nil, err
		}
	}
	if have, want := checksum(metadata, arrays), metadata["checksum"]; have != want {
		return nil, fmt.Errorf("damaged index: its checksum is %s, %q is on record", have, want)
	}
	g := &Gallery{Root: metadata["root"], Vectors: arrays[vectorsName]}
	var err error
	if withPCA {
		if g.PCA, err = components(arrays); err != nil {
			return nil, fmt.Errorf("damaged index: principal components: %w", err)
		}
	}
	if err := decode(metadata["recipe"], &g.Recipe); err != nil {
		return nil, fmt.Errorf("damaged index: recipe: %w", err)
	}
	if g.Entries, err = readEntries(metadata["entries"], shape[0]); err != nil {
		return nil, fmt.Errorf("damaged index: entries: %w", err)
	}
	if err := g.validate(); err != nil {
		return nil, fmt.Errorf("damaged index: %w", err)
	}
	return g, nil
}

// checksum returns the CRC-32C of all that an index says.
func checksum(metadata map[string]string, arrays map[string]*tensor.Tensor) string {
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	for _, key := range []string{"format", "version", "root", "recipe", "entries"} {
		fmt.Fprintf(h, "%s %q\n", key, metadata[key])
	}
	writeArray(h, arrays[vectorsName])
	for _, name := range pcaNames {
		if a := arrays[name]; a != nil {
			writeArray(h, a)
		}
	}
	return fmt.Sprintf("%08x", h.Sum32())
}

// writeArray writes an array's shape and bytes to a hash.
func writeArray(h hash.Hash, a *tensor.Tensor) {
	fmt.Fprintln(h, a.Shape())
	var buf []byte
	for chunk := range slices.Chunk(a.Data(), 16<<10) {
		buf, _ = binary.Append(buf[:0], binary.LittleEndian, chunk) // cannot fail for float32
		h.Write(buf)
	}
}

// decode reads text as one JSON value with no keys but v's own.
func decode(text string, v any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	return atEnd(dec)
}

func atEnd(dec *json.Decoder) error {
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more text after the end")
	}
	return nil
}

// readEntries reads a JSON array of exactly n entries. It takes them one by
// one: memory is bounded by the number of vectors, whatever the text.
func readEntries(text string, n int) ([]Entry, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if t, err := dec.Token(); err != nil || t != json.Delim('[') {
		return nil, errors.New("not a list")
	}
	var entries []Entry
	for dec.More() {
		if len(entries) == n {
			return nil, fmt.Errorf("more than the %d vectors", n)
		}
		var e Entry
		if err := dec.Decode(&e); err != nil {
			return nil, fmt.Errorf("number %d: %w", len(entries), err)
		}
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil { // the closing bracket
		return nil, err
	}
	return entries, atEnd(dec)
}

// validate checks what every gallery, read or to be written, must fulfil.
func (g *Gallery) validate() error {
	if shape := g.Vectors.Shape(); len(shape) != 2 || shape[0] != len(g.Entries) || shape[1] < 1 {
		return fmt.Errorf("%d pictures and vectors of shape %v, want [%[1]d, d]", len(g.Entries), shape)
	}
	if g.PCA != nil && g.PCA.Components.Dim(0) != g.Vectors.Dim(1) {
		return fmt.Errorf("vectors of shape %v and %d principal components", g.Vectors.Shape(), g.PCA.Components.Dim(0))
	}
	if fingerprint := g.fingerprint(); g.Recipe.PCA != fingerprint {
		return fmt.Errorf("the recipe speaks of the principal components %q, the index has %q", g.Recipe.PCA, fingerprint)
	}
	seen := make(map[string]bool, len(g.Entries))
	for i, e := range g.Entries {
		// ValidPath refuses "..", absolute paths and what is no UTF-8; IsLocal
		// what only this system understands as absolute, such as a drive letter.
		if e.Path == "." || !fs.ValidPath(e.Path) || !filepath.IsLocal(filepath.FromSlash(e.Path)) {
			return fmt.Errorf("picture %d: path %q does not lead into the root folder", i, e.Path)
		}
		if seen[e.Path] {
			return fmt.Errorf("picture %d: path %q comes twice", i, e.Path)
		}
		seen[e.Path] = true
		if !utf8.ValidString(e.Label) {
			return fmt.Errorf("picture %d, %q: label %q is not UTF-8", i, e.Path, e.Label)
		}
		if e.Width < 0 || e.Height < 0 {
			return fmt.Errorf("picture %d, %q: size %d x %d", i, e.Path, e.Width, e.Height)
		}
	}
	return nil
}

// Save writes the index. The file appears whole or not at all, and the same
// gallery gives the same bytes.
func (g *Gallery) Save(path string) error {
	if err := g.validate(); err != nil {
		return fmt.Errorf("gallery: write %s: %w", path, err)
	}
	metadata := map[string]string{"format": format, "version": version, "root": g.Root}
	for key, value := range map[string]any{"recipe": g.Recipe, "entries": append([]Entry{}, g.Entries...)} {
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("gallery: write %s: %s: %w", path, key, err)
		}
		metadata[key] = string(text)
	}
	arrays := g.arrays()
	metadata["checksum"] = checksum(metadata, arrays)
	if err := weights.Save(path, arrays, metadata); err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return nil
}

// Export writes the arrays "vectors", [n, d] of float32, and "paths", n texts,
// as an .npz file for numpy.load.
func (g *Gallery) Export(path string) error {
	if err := g.validate(); err != nil {
		return fmt.Errorf("gallery: write %s: %w", path, err)
	}
	paths := make([]string, len(g.Entries))
	for i, e := range g.Entries {
		paths[i] = e.Path
	}
	err := weights.SaveNPZ(path,
		map[string]*tensor.Tensor{vectorsName: g.Vectors},
		map[string][]string{"paths": paths})
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return nil
}
