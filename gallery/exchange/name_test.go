package exchange

import (
	"errors"
	"path/filepath"
	"testing"

	"lookalike/gallery"
	"lookalike/tensor"
)

// Vectors get the paths and labels of their pictures.
func TestName(t *testing.T) {
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	made := func() *gallery.Gallery {
		return &gallery.Gallery{Entries: []gallery.Entry{{Path: "./x/1.jpg"}, {Path: "y/2.jpg", Label: "yes"}}, Vectors: tensor.New(2, 3)}
	}
	for name, c := range map[string]struct {
		root          string
		paths, labels []string
		want          [2]gallery.Entry
	}{
		"as they are": {"", nil, nil, [2]gallery.Entry{{Path: "x/1.jpg"}, {Path: "y/2.jpg", Label: "yes"}}},
		"paths":       {root, []string{in("a/1.jpg"), "b/../b/2.jpg"}, nil, [2]gallery.Entry{{Path: "a/1.jpg", Label: "a"}, {Path: "b/2.jpg", Label: "yes"}}},
		"labels":      {"", nil, []string{"", "no"}, [2]gallery.Entry{{Path: "x/1.jpg"}, {Path: "y/2.jpg", Label: "no"}}},
		"both":        {root, []string{in("a/1.jpg"), in("b/2.jpg")}, []string{"", "no"}, [2]gallery.Entry{{Path: "a/1.jpg"}, {Path: "b/2.jpg", Label: "no"}}},
	} {
		g := made()
		if err := Name(g, c.root, c.paths, c.labels); err != nil || [2]gallery.Entry(g.Entries) != c.want || g.Root != c.root {
			t.Errorf("%s: %+v in %q, %v", name, g.Entries, g.Root, err)
		}
	}
	for name, c := range map[string]struct {
		g             *gallery.Gallery
		paths, labels []string
	}{
		"nil":         {nil, nil, nil},
		"few paths":   {made(), []string{"a"}, nil},
		"many labels": {made(), nil, []string{"a", "b", "c"}},
	} {
		if err := Name(c.g, "", c.paths, c.labels); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := Name(made(), "", []string{in("a/1.jpg"), "b/2.jpg"}, nil); !errors.Is(err, ErrOutside) {
		t.Error(err)
	}
}
