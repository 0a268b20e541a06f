package weights

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"lookalike/internal/hdf5"
)

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
