package main

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/thumbnail"
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/gallery/exchange"
	"lookalike/internal/words"
	"lookalike/picture"
)

// collection is an index together with the pictures that it is of.
type collection struct {
	*gallery.Gallery
	index *lookalike.Index
	file  string // of the index
	root  string // where the pictures are now
}

func doubt(t *cli.Terminal, file string, g *gallery.Gallery) {
	if g.Doubtful {
		t.Warn("warning: %s: one of its two headers is damaged, so pictures that were saved last may be missing; 'lookalike index' brings them back", words.Printable(file))
	}
}

// unusable adds to an error what to do about an index, pictures or weights that cannot be used.
func unusable(err error) string {
	switch {
	case errors.Is(err, lookalike.ErrRecipe):
		return "; --fresh rebuilds the index, another name keeps it"
	case errors.Is(err, lookalike.ErrDamaged), errors.Is(err, lookalike.ErrOld):
		return "; make it again, with --fresh if under the same name"
	case errors.Is(err, lookalike.ErrNoModel):
		return "; say where it is with --model FILE"
	case errors.Is(err, exchange.ErrOutside):
		return "; say with --photos DIR in which one they all do"
	case errors.Is(err, describe.ErrImported):
		return ", index:PATH"
	}
	if away, ok := errors.AsType[*lookalike.PhotosError](err); ok {
		if away.Root == "" {
			return "; say so with --photos DIR"
		}
		return "; if they have moved, say where they are with --photos DIR"
	}
	if missing, ok := errors.AsType[*describe.WeightsError](err); ok {
		f := missing.Smallest()
		return fmt.Sprintf("; 'lookalike weights fetch %s' downloads them (%s); or say where they are with --weights FILE", f.Name, words.Megabytes(f.Size))
	}
	return ""
}

// openCollection reads an index, and warns if it may not be whole. photos is where its
// pictures are now, "" if they have not moved; they are looked for when one is asked for.
// The caller closes the collection.
func openCollection(a *app, file, photos string, options ...lookalike.OpenOption) (*collection, error) {
	x, err := lookalike.Open(file, append(options, lookalike.Photos(photos), lookalike.Cache(a.cache))...)
	if err != nil {
		return nil, insteadOfIndex(file, err)
	}
	g, err := x.Gallery()
	if err != nil {
		x.Close()
		return nil, err
	}
	doubt(&a.Terminal, file, g)
	c := &collection{Gallery: g, index: x, file: file, root: cmp.Or(photos, g.Root)}
	for _, root := range slices.Compact([]string{g.Root, c.root}) {
		if err := a.outputs.Spare(root, func(file string) bool { return c.RowOf(root, file) >= 0 }); err != nil {
			x.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *collection) Close() error { return c.index.Close() }

// insteadOfIndex says what there is in place of an index, and how to make one.
func insteadOfIndex(file string, err error) error {
	info, stat := os.Stat(file)
	switch {
	case errors.Is(stat, fs.ErrNotExist):
		return fmt.Errorf("there is no index %s; 'lookalike index FOLDER -o %s' makes it of the pictures in FOLDER", words.Printable(file), cli.Quoted(file))
	case stat == nil && info.IsDir():
		return fmt.Errorf("%s is a folder, not an index; 'lookalike index %s -o photos.idx' makes one of it", words.Printable(file), cli.Quoted(file))
	case errors.Is(err, lookalike.ErrNotIndex) && isPicture(file):
		return fmt.Errorf("%s is a picture, not an index; 'lookalike index FOLDER -o photos.idx' makes one", words.Printable(file))
	case errors.Is(err, lookalike.ErrNotIndex):
		return fmt.Errorf("%w; 'lookalike index FOLDER -o photos.idx' makes one", err)
	}
	return err
}

// load is what reads a picture.
func (c *collection) load(row int) thumbnail.Load {
	return func(box image.Point) (*picture.Image, error) { return c.index.Load(row, box) }
}

// path is where the file of a picture is, for a person to read.
func (c *collection) path(row int) string {
	return filepath.Join(c.root, filepath.FromSlash(c.Entries[row].Path))
}

// indexPrefix begins a query that is a picture of the index.
const indexPrefix = "index:"

// find returns the row that an ID means: its number, or the picture's path.
func (c *collection) find(id string) (int, error) {
	if row, err := strconv.Atoi(id); err == nil {
		if row < 0 || row >= len(c.Entries) {
			return 0, fmt.Errorf("%s%s: %s has %s, numbered from 0", indexPrefix, id, c.file, words.Count(len(c.Entries), "picture"))
		}
		return row, nil
	}
	want := path.Clean(filepath.ToSlash(id))
	if row := c.Row(want); row >= 0 {
		return row, nil
	}
	near := ""
	for _, e := range c.Entries {
		if path.Base(e.Path) == path.Base(want) || strings.EqualFold(e.Path, want) {
			near = fmt.Sprintf("; did you mean %s%s?", indexPrefix, e.Path)
			break
		}
	}
	return 0, fmt.Errorf("%s%s: %s has no picture of this path%s", indexPrefix, id, c.file, near)
}

// suggest is what to add to the error that there is no file: if the index has a
// picture of that path, that was perhaps meant. c may be nil.
func (c *collection) suggest(file string) string {
	if c != nil {
		if row, err := c.find(file); err == nil {
			return fmt.Sprintf("; did you mean %s%s?", indexPrefix, c.Entries[row].Path)
		}
	}
	return ""
}

// isIndex tells whether a file is an index of pictures, readable or not.
func isIndex(path string) bool {
	_, err := gallery.Inspect(path)
	return err == nil || errors.Is(err, gallery.ErrDamaged) || errors.Is(err, gallery.ErrOld)
}
