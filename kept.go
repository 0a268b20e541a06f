package lookalike

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/weights/published"
)

// Kept is the file in which the index of sources by a model is kept where nobody gives it a
// name: in the folder indexes of cache, which is as [Cache] has it. The same sources, in any
// order, have the same file, which need not exist.
func Kept(cache string, sources []string, model string) (string, error) {
	if len(sources) == 0 {
		return "", fmt.Errorf("%w: no folder, archive or file is given", ErrNoPictures)
	}
	folder, err := published.Store(cache).Folder()
	if err != nil {
		return "", err
	}
	var absolute []string
	for _, source := range sources {
		path, err := filepath.Abs(source)
		if err != nil {
			return "", err
		}
		absolute = append(absolute, path)
	}
	slices.Sort(absolute)
	of := append(slices.Compact(absolute), "model", model)
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	name := []string{filepath.Base(absolute[0]), strings.TrimSuffix(filepath.Base(model), filepath.Ext(model)), hex.EncodeToString(sum[:4])}
	for i, part := range name {
		part = strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(part)
		name[i] = strings.ToValidUTF8(part[:min(len(part), 80)], "_")
	}
	return filepath.Join(folder, "indexes", strings.Join(name, "-")+".idx"), nil
}

// MadeBy opens the model that an index was made by, and returns it with the options by
// which [Update] adds vectors that are like those of the index. If the model has changed
// meanwhile, Update says so. The caller closes the model.
func MadeBy(path string, options ...OpenOption) (Model, []UpdateOption, error) {
	var o openOptions
	apply(&o, options)
	head, err := gallery.ReadHead(path)
	if err != nil {
		return nil, nil, err
	}
	model, err := describe.Again(head.Recipe, describe.Place{Index: path, Model: o.model, Cache: o.cache})
	if err != nil {
		return nil, nil, err
	}
	return model, []UpdateOption{Components(head.Components), Reading(head.Recipe.Options())}, nil
}
