package modelfile

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"lookalike/internal/memory"
	"lookalike/internal/words"
	"lookalike/tensor"
	"lookalike/weights"
)

// kerasFormat ends the names of Keras's files of weights.
const kerasFormat = ".weights.h5"

// Formats are those that Convert writes, by the ends of names.
var Formats = []string{".safetensors", ".npz", kerasFormat}

// FormatOf returns the format that a file's name ends in, "" if it is none of Formats.
func FormatOf(path string) string {
	for _, format := range Formats {
		if strings.HasSuffix(path, format) {
			return format
		}
	}
	return ""
}

// ConvertOptions say how Convert writes. The zero value writes float32 and tells nothing.
type ConvertOptions struct {
	Half bool // float16: half the size, three digits

	// Writing and Comparing are told how many bytes have been written, and how many values
	// of what was written have been compared, first 0.
	Writing, Comparing func(n int64)
}

// Convert writes the network in the format that the name out ends in, one of Formats. Of a
// learned network it writes the network alone, not what training needs to go on. What is
// written is read again and compared before the file gets its name; one that is there is
// fs.ErrExist. Only a network that is known, and that Keras can have, is written
// for Keras.
func (f *File) Convert(ctx context.Context, out string, o ConvertOptions) error {
	format := FormatOf(out)
	switch {
	case format == "":
		return fmt.Errorf("cannot write %s: the name must end in one of %s", out, strings.Join(Formats, ", "))
	case format == kerasFormat && f.Network == embeddingName:
		return fmt.Errorf("cannot write %s: Keras has no network of the form of an embedding to load the weights into; choose .safetensors or .npz", out)
	case format == kerasFormat && f.Network == "":
		return fmt.Errorf("cannot write %s: Keras finds weights by the classes and the order of the layers, which %s does not tell: %w; choose .safetensors or .npz", out, f.path, f.Unknown)
	}
	if err := f.checkSize(); err != nil {
		return err
	}
	arrays, err := f.arrays()
	if err != nil {
		return err
	}
	options := []weights.Option{weights.Checked(func(path string) error {
		err := compareArrays(ctx, path, arrays, o)
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("it did not hold what was written, and was removed: %w", err)
		}
		return err
	}), weights.Watch(func(n int64) error {
		tell(o.Writing, n)
		return ctx.Err()
	})}
	if o.Half {
		options = append(options, weights.Half)
	}
	tell(o.Writing, 0)
	switch format {
	case ".safetensors":
		return weights.Save(out, arrays, f.metadata, options...)
	case ".npz":
		return weights.SaveNPZ(out, arrays, nil, options...)
	}
	return weights.SaveKeras(out, f.keras(arrays), options...)
}

func tell(f func(n int64), n int64) {
	if f != nil {
		f(n)
	}
}

// checkSize refuses compressed arrays that together would fill the memory out of a small
// file. Honest ones take at most four times the file, as float32 made of bytes.
func (f *File) checkSize() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	left := info.Size() + 16<<20 // values
	for _, name := range f.names {
		shape, _ := f.file.Shape(name)
		n := int64(tensor.Size(shape))
		if n > left {
			return fmt.Errorf("%s: the arrays take more than four times the file's %s in memory: refused", f.path, words.Bytes(info.Size()))
		}
		left -= n
	}
	return nil
}

// besideArrays is what the process has in memory while arrays are written and compared,
// besides these.
const besideArrays = 16e6

// arrays returns the network's arrays, in place where the file allows it, if the memory
// limit leaves room for them.
func (f *File) arrays() (map[string]*tensor.Tensor, error) {
	all := map[string]*tensor.Tensor{}
	mapped, read := int64(0), int64(0)
	for _, name := range f.names {
		shape, _ := f.file.Shape(name)
		bytes := 4 * int64(tensor.Size(shape))
		if !f.file.Views(name) {
			read += bytes
			continue
		}
		t, err := f.file.View(name) // which counts from now on
		if err != nil {
			return nil, err
		}
		all[name] = t
		mapped += bytes
	}
	if err := memory.Allows(f.loaded + read + besideArrays); err != nil {
		return nil, fmt.Errorf("the arrays, of which %d MB are mapped: %w", mapped/1e6, err)
	}
	for _, name := range f.names {
		if all[name] != nil {
			continue
		}
		t, err := f.file.Tensor(name)
		if err != nil {
			return nil, err
		}
		all[name] = t
	}
	return all, nil
}

// compareArrays checks that a file holds these arrays, to the bit or, if half, as
// near as float16 can be.
func compareArrays(ctx context.Context, path string, want map[string]*tensor.Tensor, o ConvertOptions) error {
	tell(o.Comparing, 0)
	compared := 0
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if names := slices.Sorted(maps.Keys(want)); !slices.Equal(f.Names(), names) {
		return fmt.Errorf("it has the arrays %q, not %q", f.Names(), names)
	}
	for name, w := range want {
		if err := ctx.Err(); err != nil {
			return err
		}
		if shape, _ := f.Shape(name); !slices.Equal(shape, w.Shape()) {
			return fmt.Errorf("array %q has the shape %v, not %v", name, shape, w.Shape())
		}
		err := f.Pieces(name, func(first int, values []float32) error {
			for i, got := range values {
				v := w.Data()[first+i]
				same := math.Float32bits(got) == math.Float32bits(v)
				if o.Half { // float16 keeps 11 binary digits, and multiples of 2^-24 near zero
					same = got == v || math.IsNaN(float64(got)) && math.IsNaN(float64(v)) ||
						math.Abs(float64(got)-float64(v)) <= max(0x1p-11*math.Abs(float64(v)), 0x1p-25)
				}
				if !same {
					return fmt.Errorf("array %q: value %d is %v, not %v", name, first+i, got, v)
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		compared += w.Len()
		tell(o.Comparing, int64(compared))
	}
	return nil
}
