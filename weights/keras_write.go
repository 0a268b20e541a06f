package weights

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"lookalike/internal/hdf5"
	"lookalike/tensor"
)

// KerasLayer is a layer, or a network with layers inside, as Keras's file of
// weights has it.
type KerasLayer struct {
	Name      string           // such as "block1_conv1"; if empty, the class with its running number
	Class     string           // of Keras, such as "Conv2D" or "Sequential"
	Variables []*tensor.Tensor // in Keras's order: kernel, bias
	Layers    []KerasLayer     // of a network, in its order
}

// SaveKeras writes a network's weights for model.load_weights of Keras 3, which
// takes them into a model with layers of the same classes in the same order. The
// path must end in ".weights.h5", or Keras refuses it. The file appears whole or not at all; the same input gives the same bytes.
//
// It is an HDF5 file. A network's layers are groups in "layers", named after
// the class: "conv2d", "conv2d_1". A layer's group "vars" has the arrays "0",
// "1" and, as an attribute, the layer's name, which Keras shows but does not
// need.
func SaveKeras(path string, network KerasLayer, options ...Option) error {
	if !strings.HasSuffix(path, ".weights.h5") {
		return fmt.Errorf("weights: write %s: the name must end in .weights.h5, Keras opens no other", path)
	}
	var b hdf5.Builder
	how := settle(options)
	network.add(&b, "", snakeCase(network.Class), how.dtype())
	if err := how.write(path, b.Write); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

// add puts the layer into the group at prefix, which is empty or ends in "/".
// Its name is fallback if it has none.
func (l KerasLayer) add(b *hdf5.Builder, prefix, fallback string, t dtype) {
	name := cmp.Or(l.Name, fallback)
	b.Attribute(prefix+"vars", "name", name)
	for i, v := range l.Variables {
		b.Array(fmt.Sprintf("%svars/%d", prefix, i), 8*t.size, v.Shape(), func(w io.Writer) error {
			if err := writeValues(w, v.Data(), t); err != nil {
				return fmt.Errorf("layer %q, array %d: %w", name, i, err)
			}
			return nil
		})
	}
	var groups []string
	for _, inner := range l.Layers {
		group, base := snakeCase(inner.Class), snakeCase(inner.Class)
		for n := 1; slices.Contains(groups, group); n++ {
			group = fmt.Sprintf("%s_%d", base, n)
		}
		groups = append(groups, group)
		inner.add(b, prefix+"layers/"+group+"/", group, t)
	}
}

var (
	wordStart = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	wordEnd   = regexp.MustCompile(`([a-z])([A-Z])`)
)

// snakeCase turns "Conv2DTranspose" into "conv2d_transpose" as Keras does.
func snakeCase(class string) string {
	return strings.ToLower(wordEnd.ReplaceAllString(wordStart.ReplaceAllString(class, "${1}_$2"), "${1}_$2"))
}
