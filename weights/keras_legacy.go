package weights

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"lookalike/internal/hdf5"
)

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
