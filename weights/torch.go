package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// What torch.save writes, from version 1.6 on: a zip archive, nothing of it
// compressed, of NAME/data.pkl (the dictionary), NAME/data/0 and so on (the
// storages' bytes) and, in newer files, NAME/byteorder.

const oldTorch = `a PyTorch file of the format before version 1.6, or another Python pickle; convert it with Python: ` +
	`import torch; torch.save(torch.load("OLD.pth", weights_only=True), "NEW.pth")`

// readTorch reads the archive whose entries are in folder.
func readTorch(entries archive, folder string) (*File, error) {
	file := &File{format: "PyTorch .pth", arrays: map[string]array{}}
	err := file.addTorch(entries, folder)
	if err != nil {
		return nil, fmt.Errorf("PyTorch .pth: %w", err)
	}
	return file, nil
}

func (f *File) addTorch(entries archive, folder string) error {
	order := "little"
	if _, ok := entries[folder+"byteorder"]; ok {
		text, err := entries.content(folder+"byteorder", 16)
		if err != nil {
			return err
		}
		order = string(text)
	}
	if order != "little" && order != "big" {
		return fmt.Errorf("byteorder %q, neither little nor big", order)
	}
	code, err := entries.content(folder+"data.pkl", maxPickle)
	if err != nil {
		return err
	}
	v, err := unpickle(code)
	if err != nil {
		return fmt.Errorf("data.pkl: %w", err)
	}
	d, ok := v.(*dict)
	if !ok {
		return fmt.Errorf("data.pkl holds %s, no dictionary of tensors; save model.state_dict()", describe(v))
	}
	seen := map[*dict]bool{}
	var add func(prefix string, d *dict) error
	add = func(prefix string, d *dict) error {
		if seen[d] {
			return fmt.Errorf("the dictionary %q is in the file twice", prefix)
		}
		seen[d] = true
		for _, item := range d.items {
			key, isText := item.key.(string)
			if !isText { // such as an optimizer's numbers
				key = describe(item.key)
			}
			name := prefix + key
			if len(name) > 1000 {
				return fmt.Errorf("name %.40q… of %d bytes", name, len(name))
			}
			switch v := item.value.(type) {
			case *dict: // of a training's state
				if err := add(name+".", v); err != nil {
					return err
				}
			case *torchTensor:
				if _, twice := f.arrays[name]; twice {
					return fmt.Errorf("array %q comes twice", name)
				}
				v.storage.dtype.big = order == "big"
				if f.arrays[name], err = v.array(entries, folder); err != nil {
					return fmt.Errorf("array %q: %w", name, err)
				}
			}
		}
		return nil
	}
	if err := add("", d); err != nil {
		return err
	}
	if len(f.arrays) == 0 {
		return errors.New("there are no tensors in it")
	}
	return nil
}

// content returns the bytes of a small entry.
func (a archive) content(name string, limit int64) ([]byte, error) {
	raw, err := a.inPlace(name)
	if err != nil {
		return nil, err
	}
	if raw.size > limit {
		return nil, fmt.Errorf("entry %q has %d bytes, the limit is %d", name, raw.size, limit)
	}
	return raw.bytes(0, raw.size)
}

// inPlace returns an entry that is not compressed.
func (a archive) inPlace(name string) (*input, error) {
	e, ok := a[name]
	if !ok {
		return nil, fmt.Errorf("the archive has no entry %q", name)
	}
	if !e.stored() {
		return nil, fmt.Errorf("entry %q is compressed; torch.save does not do that", name)
	}
	return e.raw, nil
}

// maxExpanded bounds how many values a tensor has, which may repeat those of a small
// storage. [File.Tensor] refuses earlier.
const maxExpanded = 1 << 40

// array finds the tensor's values in the archive.
func (t *torchTensor) array(entries archive, folder string) (array, error) {
	raw, err := entries.inPlace(folder + "data/" + t.storage.key)
	if err != nil {
		return array{}, err
	}
	size := int64(t.storage.dtype.size)
	if t.storage.count > raw.size/size {
		return array{}, fmt.Errorf("storage %q of %d values in an entry of %d bytes", t.storage.key, t.storage.count, raw.size)
	}
	if len(t.shape) != len(t.strides) {
		return array{}, fmt.Errorf("shape %v with strides %v", t.shape, t.strides)
	}
	// span is how many values of the storage the tensor reaches over, which the storage
	// bounds, count how many it has: more, if it is expanded.
	shape, strides := make([]int, len(t.shape)), make([]int, len(t.shape))
	count, span, rowMajor := int64(1), int64(1), true
	empty := slices.Contains(t.shape, 0)
	for i := len(t.shape) - 1; i >= 0; i-- {
		d, stride := t.shape[i], t.strides[i]
		if d > math.MaxInt/8 {
			return array{}, fmt.Errorf("shape %v is too large", t.shape)
		}
		if d > 1 && !empty {
			if stride > (t.storage.count-span)/(d-1) {
				return array{}, fmt.Errorf("shape %v with strides %v is more than a storage of %d values", t.shape, t.strides, t.storage.count)
			}
			if count > maxExpanded/d {
				return array{}, fmt.Errorf("shape %v has more than %d values", t.shape, int64(maxExpanded))
			}
			rowMajor = rowMajor && stride == count
			span += (d - 1) * stride
			count *= d
		}
		shape[i], strides[i] = int(d), int(stride)
	}
	if empty {
		span = 0
	}
	if t.offset < 0 || t.offset > t.storage.count-span {
		return array{}, fmt.Errorf("values %d to %d of a storage of %d", t.offset, t.offset+span, t.storage.count)
	}
	values, err := raw.section(t.offset*size, span*size)
	if err != nil {
		return array{}, err
	}
	if rowMajor {
		return values.array(shape, t.storage.dtype)
	}
	flat, err := values.array([]int{int(span)}, t.storage.dtype)
	if err != nil {
		return array{}, err
	}
	return array{shape: shape, kind: t.storage.dtype.name, read: func(dst []float32) error {
		reach := make([]float32, span)
		if err := flat.read(reach); err != nil {
			return err
		}
		for i := range dst {
			place, index := 0, i
			for d := len(shape) - 1; d >= 0; d-- {
				place += index % shape[d] * strides[d]
				index /= shape[d]
			}
			dst[i] = reach[place]
		}
		return nil
	}}, nil
}
