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
	"strings"

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

// hasKerasList says whether kerasList will find the attribute.
func hasKerasList(g *hdf5.Group, name string) bool {
	for _, name := range []string{name, name + "0"} {
		if _, err := g.Attr(name); err == nil {
			return true
		}
	}
	return false
}

// kerasList reads a list of texts. One that is too long for an attribute is in
// several: layer_names0, layer_names1.
func kerasList(g *hdf5.Group, name string) ([]string, error) {
	a, err := g.Attr(name)
	if err == nil {
		return a.Strings()
	}
	var list []string
	for i := 0; ; i++ {
		a, partErr := g.Attr(name + strconv.Itoa(i))
		if i > 0 && errors.Is(partErr, fs.ErrNotExist) {
			return list, nil
		}
		if partErr != nil {
			return nil, err // about the name without number
		}
		part, err := a.Strings()
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
}

// The format up to Keras 2, and of Keras 3 for names that end in .h5: a group
// for each layer of the outermost network, with the names of all weights in it.

func readLegacy(g *hdf5.Group, network *kerasLayer, config *kerasConfig) error {
	layers, err := kerasList(g, "layer_names")
	if err != nil {
		return err
	}
	const ofModel = "top_level_model_weights"
	if g.Has(ofModel) {
		layers = append(layers, ofModel)
	}
	seen, used := map[string]bool{}, map[int64]bool{}
	for _, name := range layers {
		if seen[name] {
			return fmt.Errorf("%s: layer %q comes twice", g.Path(), name)
		}
		seen[name] = true
		group, err := g.Group(name)
		if err != nil {
			return err
		}
		weights, err := kerasList(group, "weight_names")
		if err != nil {
			return err
		}
		var inner *kerasConfig
		if config != nil {
			inner = config.byName[name]
		}
		top := network
		if name != ofModel {
			top = network.child(name)
		}
		for _, weight := range weights {
			data, err := group.Dataset(weight)
			if err != nil {
				return err
			}
			if used[data.Address()] {
				return fmt.Errorf("%s: the array is there under two names", data.Path())
			}
			used[data.Address()] = true
			path, variable := legacyName(name, weight, inner)
			if len(path) > maxNesting {
				return fmt.Errorf("%s: over %d groups in one another", data.Path(), maxNesting)
			}
			layer := top
			for _, step := range path {
				layer = layer.child(step)
			}
			layer.variables = append(layer.variables, kerasVariable{variable, data})
		}
	}
	return nil
}

var (
	legacyTail   = regexp.MustCompile(`(:\d+)$`)
	legacyLong   = regexp.MustCompile(`^(kernel|bias|gamma|beta|moving_mean|moving_variance)(?:_\d+)?$`)
	legacyShort  = regexp.MustCompile(`^(?:.*_)?(W|b|gamma|beta|running_mean|running_std|kernel|bias|moving_mean|moving_variance)(?:_\d+)?$`)
	legacyKinds  = map[string]string{"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
	legacyNumber = regexp.MustCompile(`^_\d+$`)
)

// legacyName takes a weight's name apart: "encoder/conv2d/kernel:0" in the group
// "encoder", "conv2d/kernel:0" in the same, "conv1/kernel:0" in "conv1", and
// "conv1_W_1:0" of Keras 1.
func legacyName(group, weight string, config *kerasConfig) (path []string, variable string) {
	steps := strings.Split(legacyTail.ReplaceAllString(weight, ""), "/")
	path, variable = steps[:len(steps)-1], steps[len(steps)-1]
	if len(path) == 0 {
		if m := legacyShort.FindStringSubmatch(variable); m != nil {
			variable = cmp.Or(legacyKinds[m[1]], m[1])
		}
		return nil, variable
	}
	if m := legacyLong.FindStringSubmatch(variable); m != nil {
		variable = m[1]
	}
	last := path[len(path)-1]
	switch {
	case last == group, config != nil && len(config.layers) == 0,
		strings.HasPrefix(last, group) && legacyNumber.MatchString(last[len(group):]):
		return nil, variable // the layer's own; the rest says where it was first made
	case config != nil:
		// Networks of the functional kind leave their names out.
		if full := config.pathTo(last); full != nil {
			return full, variable
		}
	}
	if path[0] == group {
		path = path[1:]
	}
	return path, variable
}

// child returns the layer of a name, which it adds if it is not there.
func (l *kerasLayer) child(name string) *kerasLayer {
	c := l.byName[name]
	if c == nil {
		c = &kerasLayer{name: name, byName: map[string]*kerasLayer{}}
		c.class, c.number = splitNumber(name)
		l.layers = append(l.layers, c)
		l.byName[name] = c
	}
	return c
}

// The format of Keras 3: groups within groups, as the layers are within
// networks. A group is named after the layer's class and numbered within its
// network; the layer's name, if it is there, is an attribute of "vars".

type kerasReader struct{ visited map[int64]bool }

// maxNesting is how many networks may be in one another.
const maxNesting = 32

// notWeights are groups beside the layers that have no weights: the state of
// training, and of random numbers.
var notWeights = regexp.MustCompile(`^(optimizer|compile_metrics|metrics|loss_tracker|_loss_tracker|_metrics|_compile_metrics|_compile_loss|seed_generator(_\d+)?|_?random_generator)$`)

func (r *kerasReader) readLayer(g *hdf5.Group, layer *kerasLayer, config *kerasConfig, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("%s: over %d groups in one another", g.Path(), maxNesting)
	}
	if r.visited[g.Address()] {
		return fmt.Errorf("%s: the group is there under two names", g.Path())
	}
	r.visited[g.Address()] = true
	for _, name := range g.Names() {
		if name == "vars" || notWeights.MatchString(name) {
			continue
		}
		group, err := g.Group(name)
		if err != nil {
			return err
		}
		if !group.Has("vars") && (name == "layers" || name == "_layer_checkpoint_dependencies" || !group.Has("layers")) {
			// A list of layers: it has no name in the path.
			err = r.readLayers(group, layer, config, depth)
		} else {
			err = r.readMember(group, name, layer, config, depth)
		}
		if err != nil {
			return err
		}
	}
	if !g.Has("vars") {
		return nil
	}
	vars, err := g.Group("vars")
	if err != nil {
		return err
	}
	return readVariables(vars, layer, config)
}

// readLayers reads the members of a list.
func (r *kerasReader) readLayers(g *hdf5.Group, network *kerasLayer, config *kerasConfig, depth int) error {
	if r.visited[g.Address()] {
		return fmt.Errorf("%s: the group is there under two names", g.Path())
	}
	r.visited[g.Address()] = true
	for _, name := range g.Names() {
		if notWeights.MatchString(name) {
			continue
		}
		group, err := g.Group(name)
		if err == nil {
			err = r.readMember(group, name, network, config, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readMember reads the layer in a group and adds it to the network.
func (r *kerasReader) readMember(g *hdf5.Group, group string, network *kerasLayer, config *kerasConfig, depth int) error {
	layer := &kerasLayer{name: group}
	layer.class, layer.number = splitNumber(group)
	var own *kerasConfig
	if config != nil {
		own = config.byGroup[group]
	}
	if own != nil {
		layer.name = own.name
	}
	if g.Has("vars") {
		vars, err := g.Group("vars")
		if err != nil {
			return err
		}
		name, err := kerasText(vars, "name")
		if err != nil {
			return err
		}
		layer.name = cmp.Or(name, layer.name)
	}
	network.layers = append(network.layers, layer)
	return r.readLayer(g, layer, own, depth+1)
}

// readVariables reads a group of arrays named "0", "1" and so on, or as the
// layer wants them named.
func readVariables(g *hdf5.Group, layer *kerasLayer, config *kerasConfig) error {
	names := g.Names()
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // numbers in order
	})
	first := len(layer.variables)
	for i, name := range names {
		data, err := g.Dataset(name)
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(name); err == nil && n != i {
			return fmt.Errorf("%s: array %d is missing", g.Path(), i)
		}
		layer.variables = append(layer.variables, kerasVariable{name, data})
	}
	numbered := layer.variables[first:]
	if len(numbered) == 0 || numbered[0].name != "0" {
		return nil
	}
	kinds, err := variableNames(layer.class, numbered, config)
	if err != nil {
		return fmt.Errorf("%s: %w", g.Path(), err)
	}
	for i, kind := range kinds {
		numbered[i].name = kind
	}
	return nil
}

// variableNames gives the names of a layer's variables by its class. Those of
// other classes are told by their ranks where that is possible, and else keep
// their numbers.
func variableNames(class string, variables []kerasVariable, config *kerasConfig) ([]string, error) {
	var names []string
	switch class {
	case "batch_normalization":
		gamma, beta := len(variables) == 4, len(variables) == 4
		if config != nil {
			gamma, beta = config.scale, config.center
		} else if len(variables) == 3 {
			return nil, errors.New("3 variables: is the first gamma or beta? Only the architecture could say, so save the model as .keras")
		}
		if gamma {
			names = append(names, "gamma")
		}
		if beta {
			names = append(names, "beta")
		}
		names = append(names, "moving_mean", "moving_variance")
		if len(variables) != len(names) {
			return nil, fmt.Errorf("%d variables, want %q", len(variables), names)
		}
	case "separable_conv1d", "separable_conv2d":
		names = []string{"depthwise_kernel", "pointwise_kernel", "bias"}
	case "layer_normalization", "group_normalization":
		names = []string{"gamma", "beta"}
	case "embedding":
		names = []string{"embeddings"}
	case "p_re_lu":
		names = []string{"alpha"}
	default:
		rank := func(i int) int { return len(variables[i].data.Shape()) }
		if rank(0) >= 2 && (len(variables) == 1 || len(variables) == 2 && rank(1) == 1) {
			names = []string{"kernel", "bias"}
		}
	}
	return names[:min(len(names), len(variables))], nil
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

// kerasConfig is what matters here of a model's architecture.
type kerasConfig struct {
	name            string
	scale, center   bool
	layers          []*kerasConfig
	byName, byGroup map[string]*kerasConfig // groups are those of Keras 3's files
	paths           map[string][]string     // of pathTo
}

// parseKerasConfig returns nil for what it does not understand: all but some
// old or unusual files can do without.
func parseKerasConfig(text string) *kerasConfig {
	if text == "" {
		return nil
	}
	c, _, err := decodeKerasConfig([]byte(text), 0)
	if err != nil {
		return nil
	}
	return c
}

func decodeKerasConfig(text []byte, depth int) (c *kerasConfig, class string, err error) {
	var layer struct {
		Class  string          `json:"class_name"`
		Config json.RawMessage `json:"config"`
	}
	if depth > maxNesting {
		return nil, "", errors.New("too deep")
	}
	if err := json.Unmarshal(text, &layer); err != nil {
		return nil, "", err
	}
	config := struct {
		Name          string            `json:"name"`
		Layers        []json.RawMessage `json:"layers"`
		Scale, Center bool
	}{Scale: true, Center: true}
	if json.Unmarshal(layer.Config, &config) != nil {
		// A Sequential of Keras 1 is a list.
		if err := json.Unmarshal(layer.Config, &config.Layers); err != nil {
			return nil, "", err
		}
	}
	c = &kerasConfig{name: config.Name, scale: config.Scale, center: config.Center}
	c.byName, c.byGroup = map[string]*kerasConfig{}, map[string]*kerasConfig{}
	groups := map[string]int{}
	for _, text := range config.Layers {
		inner, class, err := decodeKerasConfig(text, depth+1)
		if err != nil {
			return nil, "", err
		}
		group := snakeCase(class)
		groups[group]++
		if n := groups[group] - 1; n > 0 {
			group = fmt.Sprintf("%s_%d", group, n)
		}
		c.layers = append(c.layers, inner)
		c.byName[inner.name] = inner
		c.byGroup[group] = inner
	}
	return c, layer.Class, nil
}

// pathTo returns the way to the layer of a name through the networks inside
// this one, nil if there is none or more than one.
func (c *kerasConfig) pathTo(name string) []string {
	if c.paths == nil {
		c.paths = map[string][]string{}
		c.addPaths(c.paths, nil)
	}
	return c.paths[name]
}

func (c *kerasConfig) addPaths(paths map[string][]string, prefix []string) {
	for _, inner := range c.layers {
		path := append(slices.Clip(prefix), inner.name)
		if _, twice := paths[inner.name]; twice {
			paths[inner.name] = nil
		} else {
			paths[inner.name] = path
		}
		inner.addPaths(paths, path)
	}
}
