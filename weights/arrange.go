package weights

import (
	"fmt"
	"maps"
	"slices"

	"lookalike/tensor"
)

// Arranged says how an array that [File.Arrange] gives comes from one of the file.
type Arranged struct {
	Name  string // of the file's array
	As    []int  // the shape in which its values are taken; nil for its own
	Order []int  // which dimension of that each dimension is, as for numpy.transpose; nil for the same
	Shape []int  // the shape of the result; nil for what Order makes
}

// Arrange returns the same open file as a network has it that calls the arrays by other
// names, or has their dimensions in another order: arrays says for each name of the
// network where it comes from. Other arrays are not in the result. format is put behind
// the name of the format, metadata beside the notes of the file. Values are read when
// they are asked for, in blocks where they change places.
//
// Closing the result closes f, and closing f the result.
func (f *File) Arrange(format string, metadata map[string]string, arrays map[string]Arranged) (*File, error) {
	if f == nil || f.opened == nil {
		return nil, errNil
	}
	arranged := &File{opened: f.opened, format: f.format + format, metadata: f.Metadata(), texts: f.texts, arrays: make(map[string]array, len(arrays))}
	maps.Copy(arranged.metadata, metadata)
	for name, from := range arrays {
		a, ok := f.arrays[from.Name]
		if !ok {
			return nil, f.absent(from.Name)
		}
		a, err := from.arrange(a)
		if err != nil {
			return nil, f.wrap(fmt.Errorf("array %q of %q: %w", name, from.Name, err))
		}
		arranged.arrays[name] = a
	}
	return arranged, nil
}

func (from Arranged) arrange(a array) (array, error) {
	a, err := reshaped(a, from.As)
	if err != nil {
		return array{}, err
	}
	if from.Order != nil {
		all := make([]int, len(a.shape))
		for d := range all {
			all[d] = d
		}
		if !slices.Equal(slices.Sorted(slices.Values(from.Order)), all) {
			return array{}, fmt.Errorf("the order %v is none of the dimensions of %v", from.Order, a.shape)
		}
		a = permuted(a, from.Order...)
	}
	return reshaped(a, from.Shape)
}

// reshaped returns the same values under another shape, or a itself if that is nil.
func reshaped(a array, shape []int) (array, error) {
	if shape == nil {
		return a, nil
	}
	if checkSize(shape, dtype{size: 1}, int64(tensor.Size(a.shape))) != nil {
		return array{}, fmt.Errorf("its values, of shape %v, cannot be taken as %v", a.shape, shape)
	}
	a.shape = slices.Clone(shape)
	return a, nil
}
