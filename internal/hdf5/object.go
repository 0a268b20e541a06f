package hdf5

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
)

func (m *missing) Is(target error) bool { return target == fs.ErrNotExist }

// Object is a *Group or a *Dataset.
type Object interface {
	Path() string
	// Address tells objects apart: one that has two names has one address.
	Address() int64
	AttrNames() []string // sorted
	// Attr returns an attribute; the error is fs.ErrNotExist if there is none.
	Attr(name string) (*Attribute, error)
}

// named is what groups and datasets have in common.
type named struct {
	f    *File
	o    *object
	path string
}

func (n *named) Path() string   { return n.path }
func (n *named) Address() int64 { return n.o.at }

func (n *named) AttrNames() []string { return slices.Sorted(maps.Keys(n.o.attrs)) }

func (n *named) Attr(name string) (*Attribute, error) {
	a, ok := n.o.attrs[name]
	if !ok {
		return nil, n.wrap(&missing{"attribute", name})
	}
	return a, nil
}

func (n *named) wrap(err error) error { return fmt.Errorf("hdf5: %q: %w", n.path, err) }

// Group holds other objects by name.
type Group struct{ named }

// Names returns the names in the group, sorted.
func (g *Group) Names() []string { return slices.Sorted(maps.Keys(g.o.links)) }

// Has says whether a name is in the group. What it leads to may still be
// unreadable.
func (g *Group) Has(name string) bool {
	_, ok := g.o.links[name]
	return ok
}

// Object returns what is at a path from this group on, or from the root if it
// begins with a slash. Soft links are followed. The error is fs.ErrNotExist if
// there is nothing.
func (g *Group) Object(name string) (Object, error) {
	full := path.Join(g.path, name)
	if path.IsAbs(name) {
		full = path.Clean(name)
	}
	hops := 0
	o, err := g.f.resolve(g.o, name, &hops)
	if err != nil {
		return nil, fmt.Errorf("hdf5: %q: %w", full, err)
	}
	n := named{g.f, o, full}
	switch {
	case o.isGroup:
		return &Group{n}, nil
	case o.layout != nil:
		return &Dataset{n}, nil
	}
	return nil, n.wrap(fmt.Errorf("byte %d: neither a group nor a dataset", g.f.base+o.at))
}

// Group is Object for what must be a group.
func (g *Group) Group(name string) (*Group, error) {
	o, err := g.Object(name)
	if err != nil {
		return nil, err
	}
	group, ok := o.(*Group)
	if !ok {
		return nil, fmt.Errorf("hdf5: %q: a dataset, not a group", o.Path())
	}
	return group, nil
}

// Dataset is Object for what must be a dataset.
func (g *Group) Dataset(name string) (*Dataset, error) {
	o, err := g.Object(name)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*Dataset)
	if !ok {
		return nil, fmt.Errorf("hdf5: %q: a group, not a dataset", o.Path())
	}
	return d, nil
}
