package weights

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lookalike/tensor"
)

// SaveNPZ writes an archive that numpy.load opens, without allow_pickle: float32
// arrays of any shape, float16 with [Half], and one-dimensional arrays of text.
// No name may be in both maps. The same input gives the same bytes; the file
// appears whole or not at all.
//
// Text becomes NumPy's fixed-width Unicode, 4 bytes a character at the width of
// the longest. NumPy cuts zeros off its end, so text must not contain any.
func SaveNPZ(path string, tensors map[string]*tensor.Tensor, texts map[string][]string, options ...Option) error {
	if err := checkTensors(tensors); err != nil {
		return fmt.Errorf("weights: write %s: %w", path, err)
	}
	for name, list := range texts {
		if tensors[name] != nil {
			return fmt.Errorf("weights: write %s: array %q is given twice", path, name)
		}
		for i, s := range list {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				return fmt.Errorf("weights: write %s: array %q: item %d, %q, is not UTF-8 or contains a zero", path, name, i, s)
			}
		}
	}
	how := settle(options)
	t, descr := how.dtype(), "<f4"
	if how.half {
		descr = "<f2"
	}
	err := how.write(path, func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, name := range slices.Sorted(maps.Keys(tensors)) {
			x := tensors[name]
			if err := writeNPY(archive, name, descr, x.Shape(), func(w io.Writer) error {
				return writeValues(w, x.Data(), t)
			}); err != nil {
				return fmt.Errorf("array %q: %w", name, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			list, width := texts[name], 1
			for _, s := range list {
				width = max(width, utf8.RuneCountInString(s))
			}
			if err := writeNPY(archive, name, fmt.Sprintf("<U%d", width), []int{len(list)}, func(w io.Writer) error {
				return writeTexts(w, list, width)
			}); err != nil {
				return err
			}
		}
		return archive.Close()
	})
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// writeNPY adds one array to the archive as NAME.npy: version 1.0 of NumPy's
// format, a Python dictionary padded so that the data start at a multiple of 64.
func writeNPY(archive *zip.Writer, name, dtype string, shape []int, data func(io.Writer) error) error {
	w, err := archive.CreateHeader(&zip.FileHeader{
		Name:     name + ".npy",
		Method:   zip.Store,
		Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC), // the earliest that zip can say
	})
	if err != nil {
		return err
	}
	tuple := ""
	for _, d := range shape {
		tuple += fmt.Sprintf("%d,", d)
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", dtype, tuple)
	const before = 10 // magic, version, length
	dict += strings.Repeat(" ", 63-(before+len(dict))%64) + "\n"
	if len(dict) > math.MaxUint16 {
		return fmt.Errorf("array %q has too many dimensions: %d", name, len(shape))
	}
	header := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(header[8:], uint16(len(dict)))
	if _, err := w.Write(append(header, dict...)); err != nil {
		return err
	}
	return data(w)
}

// writeTexts writes each text as width UTF-32 characters, filled with zeros.
func writeTexts(w io.Writer, list []string, width int) error {
	buf := make([]byte, 4*width)
	for _, s := range list {
		clear(buf)
		place := 0
		for _, r := range s {
			binary.LittleEndian.PutUint32(buf[place:], uint32(r))
			place += 4
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}
