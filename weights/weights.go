// Package weights reads and writes the files that hold the numbers of a
// network: arrays with names.
//
// Open recognises a format by the file's first bytes, never by its name. Load
// is strict: a parameter without values, or values without a parameter, is an
// error, because a network that is filled in part computes nonsense in silence.
package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"lookalike/tensor"
)

// Source gives arrays by name.
type Source interface {
	Names() []string // sorted
	Tensor(name string) (*tensor.Tensor, error)
}

// File is an open file of named arrays; it implements [Source]. Opening reads
// the catalogue only, Tensor reads one array. Many goroutines may read at once.
type File struct {
	path     string // for messages; empty after Read
	closer   io.Closer
	metadata map[string]string
	arrays   map[string]array
}

// array is one entry of a file's catalogue. Its shape has been checked: its
// product fits an int and the values are within the file.
type array struct {
	shape []int
	read  func(dst []float32) error // fills dst, whose length is the shape's product
}

// Open opens a file and recognises its format: safetensors for now. The error
// for any other file says what it looks like.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file but %v", info.Mode().Type())
	}
	var file *File
	if err == nil {
		file, err = Read(f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	file.path, file.closer = path, f
	return file, nil
}

// Read is Open for size bytes that need not lie in a file of their own. It
// keeps r, which Close leaves open.
func Read(r io.ReaderAt, size int64) (*File, error) {
	start := make([]byte, min(16, size))
	if _, err := r.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if !looksLikeSafetensors(start) {
		return nil, fmt.Errorf("this looks like %s; only safetensors files can be read", guess(start))
	}
	return readSafetensors(r, size)
}

// guess names the format of a file that cannot be read, from its first bytes.
func guess(start []byte) string {
	for _, known := range []struct{ magic, name string }{
		{"\x89HDF\r\n\x1a\n", "HDF5 (.h5, .keras weights)"},
		{"PK\x03\x04", "a zip archive (.npz, .keras, PyTorch's .pt and .pth)"},
		{"\x93NUMPY", "a single NumPy array (.npy)"},
		{"\x80\x02", "a Python pickle (an old PyTorch file)"},
		{"GGUF", "GGUF"},
		{"\x1f\x8b", "something compressed by gzip"},
		{"version https://gi", "a Git LFS pointer: the real file has not been downloaded"},
		{"<", "HTML or XML: perhaps a download went wrong"},
		{"\xff\xd8\xff", "a JPEG picture"},
		{"\x89PNG", "a PNG picture"},
	} {
		if n := min(len(known.magic), 16); strings.HasPrefix(string(start), known.magic[:n]) {
			return known.name
		}
	}
	if len(start) == 0 {
		return "nothing: the file is empty"
	}
	return fmt.Sprintf("no format known here (it starts with %q)", start)
}

// Names returns the names of all arrays, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.arrays)) }

// Metadata returns a copy of the file's notes; it is empty if there are none.
func (f *File) Metadata() map[string]string {
	m := make(map[string]string, len(f.metadata))
	maps.Copy(m, f.metadata)
	return m
}

// Shape returns an array's shape without reading its values, and whether there
// is such an array.
func (f *File) Shape(name string) (shape []int, ok bool) {
	a, ok := f.arrays[name]
	return slices.Clone(a.shape), ok
}

// Tensor reads an array, converted to float32.
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	a, ok := f.arrays[name]
	if !ok {
		return nil, f.wrap(fmt.Errorf("there is no array %q", name))
	}
	data := make([]float32, tensor.Size(a.shape))
	if err := a.read(data); err != nil {
		return nil, f.wrap(fmt.Errorf("array %q: %w", name, err))
	}
	return tensor.From(data, a.shape...), nil
}

func (f *File) wrap(err error) error {
	if f.path == "" {
		return fmt.Errorf("weights: %w", err)
	}
	return fmt.Errorf("weights: %s: %w", f.path, err)
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Load fills every parameter with the array of the same name. Names and shapes
// must correspond exactly. The error lists all that is missing, left over,
// unreadable or of another shape; then no parameter has been changed. All
// arrays are read before the first is copied, which takes their size in memory.
func Load(src Source, params map[string]*tensor.Tensor) error {
	var problems []string
	complain := func(name, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("  %s: %s", name, fmt.Sprintf(format, args...)))
	}
	values := make(map[string]*tensor.Tensor, len(params))
	seen := map[string]bool{}
	for _, name := range src.Names() {
		param, wanted := params[name]
		if !wanted {
			complain(name, "in the file, not in the network")
			continue
		}
		if seen[name] {
			complain(name, "twice in the file")
			continue
		}
		seen[name] = true
		value, err := src.Tensor(name)
		if err != nil {
			complain(name, "%v", err)
			continue
		}
		if !slices.Equal(value.Shape(), param.Shape()) {
			complain(name, "shape %v in the file, %v in the network", value.Shape(), param.Shape())
		}
		values[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !seen[name] {
			complain(name, "in the network, not in the file")
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("weights: file and network do not correspond, nothing was loaded:\n%s", strings.Join(problems, "\n"))
	}
	for name, param := range params {
		copy(param.Data(), values[name].Data())
	}
	return nil
}

// Fingerprint returns the SHA-256 of a file in hexadecimal: the identity of a
// weights file, whatever its name.
func Fingerprint(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("weights: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("weights: %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
