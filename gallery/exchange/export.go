// Package exchange writes what an index holds for other programs, and makes a gallery
// of the vectors that another program has written.
package exchange

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lookalike/gallery"
	"lookalike/internal/atomicfile"
	"lookalike/tensor"
	"lookalike/weights"
)

// Formats are the ends of the names that Export and Import know.
var Formats = []string{".npz", ".npy", ".safetensors", ".csv", ".jsonl"}

const vectorsName = "vectors"

// Export writes a gallery's vectors, and which pictures they belong to, in the
// format that the name's end says:
//
//	.npz          "vectors", [n, d] of float32, and "paths" and "labels", n texts
//	.npy          vectors alone
//	.safetensors  "vectors", with "recipe" and "entries" as JSON in the metadata
//	.csv          a line of names, then for each picture path, label, width, height,
//	              size, modified, sha256 and the values v0, v1, …
//	.jsonl        the same as an object a line, the values as "vector"
//
// What is not known of a file is left empty. The file appears whole or not at all.
func Export(g *gallery.Gallery, path string) error {
	err := g.Complete()
	if err != nil {
		return fmt.Errorf("gallery: %s cannot be written: %w", path, err)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz":
		err = exportNPZ(g, path)
	case ".npy":
		err = atomicfile.Write(path, func(w io.Writer) error { return writeNPY(g, w) })
	case ".safetensors":
		err = exportSafetensors(g, path)
	case ".csv":
		err = atomicfile.Write(path, func(w io.Writer) error { return writeCSV(g, w) })
	case ".jsonl":
		err = atomicfile.Write(path, func(w io.Writer) error { return writeJSON(g, w) })
	default:
		err = fmt.Errorf("%s: the name must end in one of %s", path, strings.Join(Formats, ", "))
	}
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	return nil
}

func exportNPZ(g *gallery.Gallery, path string) error {
	paths, labels := make([]string, len(g.Entries)), make([]string, len(g.Entries))
	for i, e := range g.Entries {
		paths[i], labels[i] = e.Path, e.Label
	}
	return weights.SaveNPZ(path, map[string]*tensor.Tensor{vectorsName: g.Vectors},
		map[string][]string{"paths": paths, "labels": labels})
}

// writeNPY writes NumPy's format, version 1.0: the data begin at a multiple of 64.
func writeNPY(g *gallery.Gallery, w io.Writer) error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", g.Vectors.Dim(0), g.Vectors.Dim(1))
	const before = 10 // magic, version, length
	header += strings.Repeat(" ", 63-(before+len(header))%64) + "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	if _, err := w.Write(append(b, header...)); err != nil {
		return err
	}
	for chunk := range slices.Chunk(g.Vectors.Data(), 16<<10) {
		b, _ = binary.Append(b[:0], binary.LittleEndian, chunk) // cannot fail for float32
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func exportSafetensors(g *gallery.Gallery, path string) error {
	metadata := map[string]string{}
	for key, value := range map[string]any{"recipe": g.Recipe, "entries": g.Entries} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		metadata[key] = string(text)
	}
	return weights.Save(path, map[string]*tensor.Tensor{vectorsName: g.Vectors}, metadata)
}

// exported is a picture as CSV and JSON Lines have it.
type exported struct {
	gallery.Entry
	Size     int64     `json:"size"`
	Modified string    `json:"modified,omitempty"` // RFC 3339
	SHA256   string    `json:"sha256,omitempty"`
	Vector   []float32 `json:"vector"`
}

func exportedOf(g *gallery.Gallery, i int) exported {
	e := exported{Entry: g.Entries[i], Vector: g.Vectors.Row(i)}
	if i < len(g.Files) {
		f := g.Files[i]
		e.Size = f.Size
		if f.SHA256 != [32]byte{} {
			e.SHA256 = hex.EncodeToString(f.SHA256[:])
		}
		if !f.Modified.IsZero() {
			e.Modified = f.Modified.Format(time.RFC3339Nano)
		}
	}
	return e
}

// pictureColumns are those of a CSV file that come before the values v0, v1, …
var pictureColumns = []string{"path", "label", "width", "height", "size", "modified", "sha256"}

// Values are written some at a time: a vector may be as large as all else.
const someValues = 4096

func writeCSV(g *gallery.Gallery, w io.Writer) error {
	out := bufio.NewWriter(w)
	begin := func(fields []string) error { // a line
		var line bytes.Buffer
		c := csv.NewWriter(&line)
		if err := errors.Join(c.Write(fields), flushed(c)); err != nil {
			return err
		}
		_, err := out.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
		return err
	}
	if err := begin(pictureColumns); err != nil {
		return err
	}
	var b []byte
	for j := range g.Vectors.Dim(1) {
		b = strconv.AppendInt(append(b[:0], ",v"...), int64(j), 10)
		out.Write(b) // its error comes again
	}
	for i := range g.Entries {
		out.WriteByte('\n')
		e := exportedOf(g, i)
		if err := begin([]string{e.Path, e.Label, strconv.Itoa(e.Width), strconv.Itoa(e.Height), strconv.FormatInt(e.Size, 10), e.Modified, e.SHA256}); err != nil {
			return err
		}
		for _, v := range e.Vector {
			b = strconv.AppendFloat(append(b[:0], ','), float64(v), 'g', -1, 32)
			if _, err := out.Write(b); err != nil {
				return err
			}
		}
	}
	out.WriteByte('\n')
	return out.Flush()
}

func flushed(w *csv.Writer) error {
	w.Flush()
	return w.Error()
}

func writeJSON(g *gallery.Gallery, w io.Writer) error {
	out := bufio.NewWriter(w)
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	for i := range g.Entries {
		e := exportedOf(g, i)
		vector := e.Vector
		e.Vector = nil // the last field
		line.Reset()
		if err := enc.Encode(e); err != nil {
			return err
		}
		out.Write(bytes.TrimSuffix(line.Bytes(), []byte("null}\n"))) // its error comes again
		before := byte('[')
		for some := range slices.Chunk(vector, someValues) {
			text, err := json.Marshal(some)
			if err != nil {
				return err
			}
			text[0] = before
			before = ','
			if _, err := out.Write(text[:len(text)-1]); err != nil {
				return err
			}
		}
		out.WriteString("]}\n")
	}
	return out.Flush()
}
