package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

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
