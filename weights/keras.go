package weights

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"lookalike/internal/hdf5"
)

// Keras has written four formats, which all become the same names here: the
// networks and the layer, as in "encoder/conv2d_1", and the variable, such as
// "kernel". Layers that were named by Keras are numbered anew, each network by
// itself, as in nn: Keras counts on over all networks of a session, so that the
// same network has other names each time it is made.

// kerasLayer is a layer of a file, or a network with layers in it.
type kerasLayer struct {
	name      string
	class     string // in snake case, as Keras names layers: "conv2d_transpose"
	number    int    // orders the layers of a class
	variables []kerasVariable
	layers    []*kerasLayer
	byName    map[string]*kerasLayer // of child
}

type kerasVariable struct {
	name string
	data *hdf5.Dataset
}

// readKerasHDF5 reads the catalogue of an HDF5 file. The config is the network's
// architecture, if it comes from elsewhere.
func readKerasHDF5(in *input, config string) (*File, error) {
	h, err := hdf5.Open(in, in.size)
	if err != nil {
		return nil, err
	}
	root := h.Root()
	file := &File{metadata: map[string]string{}, arrays: map[string]array{}}
	for _, key := range []string{"keras_version", "backend", "model_config"} {
		text, err := kerasText(root, key)
		if err != nil {
			return nil, err
		}
		if key == "model_config" {
			key, text = "architecture", cmp.Or(config, text)
		}
		if text != "" {
			file.metadata[key] = text
		}
	}
	architecture := parseKerasConfig(file.metadata["architecture"])

	network := &kerasLayer{byName: map[string]*kerasLayer{}}
	switch {
	case root.Has("model_weights"):
		file.format = "Keras model (.h5)"
		var group *hdf5.Group
		if group, err = root.Group("model_weights"); err == nil {
			err = readLegacy(group, network, architecture)
		}
	case hasKerasList(root, "layer_names"):
		file.format = "Keras weights (.h5)"
		err = readLegacy(root, network, architecture)
	case root.Has("layers") || root.Has("_layer_checkpoint_dependencies") || root.Has("vars"):
		file.format = "Keras 3 weights (.weights.h5)"
		r := kerasReader{visited: map[int64]bool{}}
		err = r.readLayer(root, network, architecture, 0)
	default:
		names := root.Names()
		err = fmt.Errorf("HDF5, but not as Keras writes it: no layers and no layer_names at the top, but %q", names[:min(len(names), 10)])
	}
	if err != nil {
		return nil, err
	}
	stored := int64(0)
	if err := file.addKeras(in, network, "", &stored); err != nil {
		return nil, err
	}
	return file, nil
}

// maxConfig is how many bytes of JSON an archive may have.
const maxConfig = 64 << 20

// readKerasArchive reads a .keras file: a zip archive of the architecture and
// the weights.
func readKerasArchive(in *input, entries archive) (*File, error) {
	weights, ok := entries["model.weights.h5"]
	if !ok {
		return nil, errors.New(".keras file: model.weights.h5 is not in it")
	}
	config, err := inflate(entries["config.json"], min(maxConfig, 4*in.size+slack))
	if err != nil {
		return nil, fmt.Errorf(".keras file: config.json: %w", err)
	}
	h5 := weights.raw
	if !weights.stored() {
		b, err := inflate(weights, 4*in.size+slack)
		if err != nil {
			return nil, fmt.Errorf(".keras file: model.weights.h5: %w", err)
		}
		h5 = &input{ReaderAt: bytes.NewReader(b), size: int64(len(b))}
	}
	file, err := readKerasHDF5(h5, string(config))
	if err != nil {
		return nil, fmt.Errorf(".keras file: model.weights.h5: %w", err)
	}
	file.format = "Keras 3 model (.keras)"
	if notes, ok := entries["metadata.json"]; ok {
		b, err := inflate(notes, 1<<20)
		var m struct {
			Version string `json:"keras_version"`
		}
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return nil, fmt.Errorf(".keras file: metadata.json: %w", err)
		}
		file.metadata["keras_version"] = m.Version
	}
	return file, nil
}

// inflate reads an entry whole, if it has no more than limit bytes. It takes
// memory as the bytes come, not as the archive promises them.
func inflate(e entry, limit int64) ([]byte, error) {
	if e.UncompressedSize64 > uint64(limit) {
		return nil, fmt.Errorf("%d bytes, compressed to %d: refused", e.UncompressedSize64, e.CompressedSize64)
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = zip.ErrFormat
	}
	return b, err
}

// addKeras enters a network's variables under their names. The bytes of all
// values together are counted: no two may share any.
func (f *File) addKeras(in *input, network *kerasLayer, prefix string, stored *int64) error {
	network.renumber()
	for _, v := range network.variables {
		name := prefix + v.name
		if _, twice := f.arrays[name]; twice {
			return fmt.Errorf("%s is the second array of the name %q", v.data.Path(), name)
		}
		if *stored += v.data.Stored(); *stored > in.size {
			return fmt.Errorf("%s: the values of several arrays overlap", v.data.Path())
		}
		a, err := kerasArray(in, v.data)
		if err != nil {
			return fmt.Errorf("%s: %w", v.data.Path(), err)
		}
		f.arrays[name] = a
	}
	for _, layer := range network.layers {
		if err := f.addKeras(in, layer, prefix+layer.name+"/", stored); err != nil {
			return err
		}
	}
	return nil
}

// kerasArray is a dataset as an array; one of float32 in one piece is read, or
// viewed, where it lies.
func kerasArray(in *input, d *hdf5.Dataset) (array, error) {
	if offset, n, ok := d.Contiguous(); ok {
		part, err := in.section(offset, n)
		if err != nil {
			return array{}, err
		}
		return part.array(d.Shape(), dtypes["F32"])
	}
	a := array{shape: d.Shape(), read: d.ReadFloat32}
	bits := strconv.Itoa(8 * d.Type().Size)
	switch t := d.Type(); t.Class {
	case hdf5.Integer:
		if a.kind = "U" + bits; t.Signed {
			a.kind = "I" + bits
		}
	case hdf5.Float:
		a.kind = "F" + bits
	case hdf5.BFloat16:
		a.kind = "BF16"
	case hdf5.Opaque:
		kind, err := kerasText(d, "dtype")
		if err != nil {
			return array{}, err
		}
		if kind != "bfloat16" || t.Size != 2 {
			return array{}, fmt.Errorf("opaque values of %d bytes", t.Size)
		}
		a.kind, a.read = "BF16", d.ReadBFloat16
	default:
		return array{}, fmt.Errorf("values of type %s, not numbers", t.String())
	}
	return a, nil
}

// kerasText is a text attribute, empty if there is none.
func kerasText(o hdf5.Object, name string) (string, error) {
	a, err := o.Attr(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	list, err := a.Strings()
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%s: attribute %q has %d texts, want 1", o.Path(), name, len(list))
	}
	return list[0], nil
}

// automatic are the names that Keras gives to layers with weights, and to
// networks, when the user gives none.
var automatic = map[string]bool{
	"conv1d": true, "conv2d": true, "conv3d": true, "conv1d_transpose": true, "conv2d_transpose": true, "conv3d_transpose": true,
	"depthwise_conv1d": true, "depthwise_conv2d": true, "separable_conv1d": true, "separable_conv2d": true, "dense": true,
	"batch_normalization": true, "layer_normalization": true, "group_normalization": true, "embedding": true, "p_re_lu": true,
	"sequential": true, "functional": true, "model": true,
}

// renumber gives the layers that Keras named their names within this network:
// "conv2d", "conv2d_1", and so on, in order.
func (l *kerasLayer) renumber() {
	named := map[string][]*kerasLayer{}
	for _, layer := range l.layers {
		if class, _ := splitNumber(layer.name); automatic[class] {
			named[class] = append(named[class], layer)
		}
	}
	for class, layers := range named {
		slices.SortStableFunc(layers, func(a, b *kerasLayer) int { return cmp.Compare(a.number, b.number) })
		for i, layer := range layers {
			layer.name = class
			if i > 0 {
				layer.name = fmt.Sprintf("%s_%d", class, i)
			}
		}
	}
}

var endsInNumber = regexp.MustCompile(`^(.+)_(\d{1,9})$`)

// splitNumber splits "conv2d_1" into "conv2d" and 1, and "conv2d" into itself
// and 0.
func splitNumber(name string) (class string, number int) {
	if m := endsInNumber.FindStringSubmatch(name); m != nil {
		number, _ = strconv.Atoi(m[2])
		return m[1], number
	}
	return name, 0
}
