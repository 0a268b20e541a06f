// Package weights reads and writes the files that hold the numbers of a
// network: arrays with names.
//
// Open recognises a format by the file's first bytes, never by its name. Load
// is strict: a parameter without values, or values without a parameter, is an
// error, because a network that is filled in part computes nonsense in silence.
package weights

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"lookalike/internal/closing"
	"lookalike/internal/hdf5"
	"lookalike/internal/memory"
	"lookalike/internal/regular"
	"lookalike/tensor"
)

// Source gives arrays by name.
type Source interface {
	Names() []string // sorted
	Shape(name string) (shape []int, ok bool)
	Tensor(name string) (*tensor.Tensor, error)
}

// File is an open file of named arrays; it implements [Source]. Opening reads
// the catalogue only, Tensor reads one array, View none. Many goroutines may
// read at once, and one may close: Close waits for calls in flight, and those that
// read values return [io/fs.ErrClosed] afterwards. The catalogue can be asked for ever.
type File struct {
	*opened
	format   string
	metadata map[string]string
	arrays   map[string]array
	texts    map[string]func() ([]string, error)
}

// opened is what a File shares with those that [File.Arrange] makes of it.
type opened struct {
	path   string // for messages; empty after Read
	size   int64
	close  func() error
	using  closing.Guard
	viewed viewed
}

// viewed are the arrays of which there are views, by where they begin, and their bytes,
// which the process has in memory once they are read.
type viewed struct {
	sync.Mutex
	arrays map[*float32]bool
	bytes  int64
}

func (v *viewed) add(values []float32) {
	v.Lock()
	defer v.Unlock()
	first := unsafe.SliceData(values)
	if v.arrays[first] {
		return
	}
	if v.arrays == nil {
		v.arrays = map[*float32]bool{}
	}
	bytes := 4 * int64(len(values))
	v.arrays[first] = true
	v.bytes += bytes
	memory.Outside(bytes)
}

// Open opens a file of any format that recognise knows and maps it into memory,
// from where [File.View] takes arrays. The error for another file says what it
// looks like.
func Open(path string) (*File, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	var file *File
	if err == nil {
		mapped := mapFile(f, info.Size())
		file, err = open(&input{f, info.Size(), mapped})
		if err == nil {
			file.path = path
			file.close = func() error { return errors.Join(unmap(mapped), f.Close()) }
			return file, nil
		}
		unmap(mapped)
	}
	f.Close()
	return nil, fmt.Errorf("weights: %s: %w", path, err)
}

// Read is Open for size bytes that need not lie in a file of their own. It
// keeps r, which Close leaves open.
func Read(r io.ReaderAt, size int64) (*File, error) {
	if r == nil || size < 0 {
		return nil, fmt.Errorf("weights: cannot read %d bytes from %T", size, r)
	}
	return open(&input{ReaderAt: r, size: size})
}

func open(in *input) (*File, error) {
	file, err := recognise(in)
	if err != nil {
		return nil, err
	}
	file.opened = &opened{size: in.size}
	return file, nil
}

// recognise finds out the format by the file's bytes, never by its name, and
// reads the catalogue.
func recognise(in *input) (*File, error) {
	start := make([]byte, min(20, in.size))
	if _, err := in.ReadAt(start, 0); err != nil && err != io.EOF {
		return nil, err
	}
	begins := func(magic string) bool { return strings.HasPrefix(string(start), magic) }
	switch {
	case looksLikeSafetensors(start):
		return readSafetensors(in)
	case begins(npyMagic):
		return readNPY(in)
	case begins("PK\x03\x04"), begins("PK\x05\x06"): // the second if the archive is empty
		entries, err := openZip(in)
		if err != nil {
			return nil, err
		}
		folder, torch := entries.find("data.pkl")
		_, keras := entries["config.json"]
		switch {
		case keras:
			return readKerasArchive(in, entries)
		case torch:
			return readTorch(entries, folder)
		case !slices.ContainsFunc(entries.names(), func(name string) bool { return !strings.HasSuffix(name, ".npy") }):
			return readNPZ(entries)
		}
		return nil, fmt.Errorf("this is a zip archive of something else than arrays (its first entry is %q)", entries.names()[0])
	}
	if _, ok := hdf5.Find(in, in.size); ok {
		return readKerasHDF5(in, "")
	}
	return nil, fmt.Errorf("this looks like %s; %s", guess(start), readable)
}

// readable says what can be read.
const readable = "Keras's .h5, .weights.h5 and .keras, safetensors, NumPy's .npz and .npy, and PyTorch's .pth can be read"

// guess names the format of a file that cannot be read, from its first bytes.
func guess(start []byte) string {
	for _, known := range []struct{ magic, name string }{
		{"\x80\x02", oldTorch},
		{"GGUF", "GGUF"},
		{"\x1f\x8b", "something compressed by gzip"},
		{"version https://gi", "a Git LFS pointer: the real file has not been downloaded"},
		{"<", "HTML or XML: perhaps a download went wrong"},
		{"\xff\xd8\xff", "a JPEG picture"},
		{"\x89PNG", "a PNG picture"},
	} {
		if strings.HasPrefix(string(start), known.magic) {
			return known.name
		}
	}
	if len(start) == 0 {
		return "nothing: the file is empty"
	}
	return fmt.Sprintf("no format known here (it starts with %q)", start)
}

// catalogue returns the arrays; a nil file has none.
func (f *File) catalogue() map[string]array {
	if f == nil {
		return nil
	}
	return f.arrays
}

// Names returns the names of all arrays, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.catalogue())) }

// Metadata returns a copy of the file's notes; it is empty if there are none.
func (f *File) Metadata() map[string]string {
	if f == nil {
		return map[string]string{}
	}
	m := make(map[string]string, len(f.metadata))
	maps.Copy(m, f.metadata)
	return m
}

// Format names the file's format as a person would: "safetensors", "NumPy .npz".
func (f *File) Format() string {
	if f == nil {
		return ""
	}
	return f.format
}

// Shape returns an array's shape without reading its values, and whether there
// is such an array.
func (f *File) Shape(name string) (shape []int, ok bool) {
	a, ok := f.catalogue()[name]
	return slices.Clone(a.shape), ok
}

// Type returns how an array's values are stored, in the words of safetensors:
// "F32", "F16"; "" if there is no such array.
func (f *File) Type(name string) string { return f.catalogue()[name].kind }

// slack is what a compressed array may take beyond four times the file's size.
const slack = 64 << 20

// Tensor reads an array, converted to float32. The tensor is the caller's and
// outlives the file.
//
// An array takes no more memory than its place in the file, twice that for
// float16 and four times for integers of 8 bits; a compressed one that would
// take more than four times the whole file and 64 MiB is an error.
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	a, ok := f.catalogue()[name]
	if !ok {
		return nil, f.absent(name)
	}
	n := tensor.Size(a.shape)
	if int64(n) > f.size+slack/4 {
		return nil, f.wrap(fmt.Errorf("array %q: shape %v takes %d bytes out of a file of %d: refused", name, a.shape, 4*int64(n), f.size))
	}
	t := tensor.From(make([]float32, n), a.shape...)
	return t, f.ReadTo(t, name)
}

// ReadTo reads an array into dst, which must have its shape.
func (f *File) ReadTo(dst *tensor.Tensor, name string) error {
	a, ok := f.catalogue()[name]
	if !ok {
		return f.absent(name)
	}
	if !slices.Equal(a.shape, dst.Shape()) {
		panic(fmt.Sprintf("weights.ReadTo: %q has shape %v, dst %v", name, a.shape, dst.Shape()))
	}
	if err := f.Hold(); err != nil {
		return err
	}
	defer f.Release()
	if err := a.read(dst.Data()); err != nil {
		return f.wrap(fmt.Errorf("array %q: %w", name, err))
	}
	return nil
}

// pieceValues is how many values Pieces reads at a time: 4 MB.
const pieceValues = 1 << 20

// Pieces calls use with an array's values, piece by piece, in order, each with the index
// of its first. The values are lent until use returns, and an error of it ends the
// reading. An array takes little memory then, but where the format has it compressed or
// in another order it is read whole. Checksums are looked at only where it is.
func (f *File) Pieces(name string, use func(first int, values []float32) error) error {
	a, ok := f.catalogue()[name]
	if !ok {
		return f.absent(name)
	}
	if a.part == nil {
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		return use(0, t.Data())
	}
	if err := f.Hold(); err != nil {
		return err
	}
	defer f.Release()
	n := tensor.Size(a.shape)
	piece := make([]float32, min(n, pieceValues))
	for first := 0; first < n; first += len(piece) {
		piece = piece[:min(len(piece), n-first)]
		if err := a.part(piece, first); err != nil {
			return f.wrap(fmt.Errorf("array %q: %w", name, err))
		}
		if err := use(first, piece); err != nil {
			return err
		}
	}
	return nil
}

// View is Tensor without a copy where the file is mapped and has the values as
// float32, little-endian, uncompressed and at a multiple of 4 bytes: as in
// safetensors files. Checksums of the format are not looked at then.
//
// A view is valid until Close: touching it later crashes the program, so what
// works on views stands between [File.Hold] and [File.Release], for which Close
// waits. Touching a part that is gone because another program has cut the file
// short in the meantime crashes as well (files replaced as a whole, as this program
// does, are safe). Writing to a view changes neither the file nor other processes'
// views, only this File's own.
func (f *File) View(name string) (*tensor.Tensor, error) {
	a := f.catalogue()[name]
	if a.values == nil {
		return f.Tensor(name)
	}
	if err := f.Hold(); err != nil {
		return nil, err
	}
	defer f.Release()
	f.viewed.add(a.values)
	return tensor.From(a.values, a.shape...), nil
}

// Views tells whether [File.View] gives an array where it lies, without a copy.
func (f *File) Views(name string) bool { return f.catalogue()[name].values != nil }

var errNil = errors.New("weights: the file is nil or empty; Open and Read make one")

// Hold keeps the file open, and its views valid, until Release is called as often.
// After Close it returns [io/fs.ErrClosed].
func (f *File) Hold() error {
	if f == nil || f.opened == nil {
		return errNil
	}
	if !f.using.Enter() {
		return closing.Error("weights: " + cmp.Or(f.path, "the file"))
	}
	return nil
}

// Release ends what Hold began. It panics if Hold has not.
func (f *File) Release() {
	if f == nil || f.opened == nil {
		panic("weights.Release: the file is nil or empty")
	}
	f.using.Leave()
}

func (f *File) absent(name string) error {
	if f == nil || f.opened == nil {
		return errNil
	}
	return f.wrap(fmt.Errorf("there is no array %q", name))
}

func (f *File) wrap(err error) error {
	if f.path == "" {
		return fmt.Errorf("weights: %w", err)
	}
	return fmt.Errorf("weights: %s: %w", f.path, err)
}

// Close closes the file that Open opened and ends its views, when all that have said
// Hold have said Release. It may be called again, but not between Hold and Release by
// the goroutine that is to release: it would wait for itself.
func (f *File) Close() error {
	if f == nil || f.opened == nil {
		return errNil
	}
	return f.using.Close(func() error {
		memory.Outside(-f.viewed.bytes)
		if f.close == nil {
			return nil
		}
		return f.close()
	})
}

// Load fills every parameter with the array of the same name, straight from the
// file where src is a [File]. Names and shapes must correspond exactly. They are
// compared first: if they do not, nothing is changed, and the error is that of
// [Compare]. If an array cannot be read later, those before it have been filled,
// and the network is of no use.
func Load(src Source, params map[string]*tensor.Tensor) error {
	if src == nil {
		return errors.New("weights: no source given")
	}
	if err := checkTensors(params); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	shapes := make(map[string][]int, len(params))
	for name, param := range params {
		shapes[name] = param.Shape()
	}
	if err := Compare(src, shapes); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	for _, name := range src.Names() {
		if err := readTo(params[name], src, name); err != nil {
			return fmt.Errorf("weights: loading stopped half-way: %w", err)
		}
	}
	return nil
}

// Compare compares the arrays of a file with the parameters of a network, by name
// and shape. The error lists what is missing, left over or of another shape, the
// first 20 of them.
func Compare(src Source, network map[string][]int) error {
	if src == nil {
		return errors.New("weights: no source given")
	}
	var problems []string
	complain := func(name, format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	seen := map[string]bool{}
	for _, name := range src.Names() {
		want, wanted := network[name]
		shape, ok := src.Shape(name)
		switch {
		case !wanted:
			complain(name, "in the file, not in the network")
		case seen[name]:
			complain(name, "twice in the file")
		case !ok || !slices.Equal(shape, want):
			complain(name, "shape %v in the file, %v in the network", shape, want)
		}
		seen[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(network)) {
		if !seen[name] {
			complain(name, "in the network, not in the file")
		}
	}
	const most = 20
	if n := len(problems); n > most {
		problems = append(problems[:most], fmt.Sprintf("and %d more", n-most))
	}
	if len(problems) > 0 {
		return errors.New("file and network do not correspond, nothing was loaded:\n  " + strings.Join(problems, "\n  "))
	}
	return nil
}

func readTo(dst *tensor.Tensor, src Source, name string) error {
	if file, ok := src.(interface {
		ReadTo(dst *tensor.Tensor, name string) error
	}); ok {
		return file.ReadTo(dst, name)
	}
	t, err := src.Tensor(name)
	if err == nil {
		copy(dst.Data(), t.Data())
	}
	return err
}

// Fingerprint returns the SHA-256 of a file in hexadecimal: the identity of a
// weights file, whatever its name.
func Fingerprint(path string) (string, error) {
	f, err := regular.Open(path)
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
