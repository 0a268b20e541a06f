package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/internal/words"
	"lookalike/picture/album"
)

// isSource tells whether what is to be searched is a folder or an archive, not an index.
func isSource(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return err == nil
	}
	if !info.Mode().IsRegular() || isIndex(path) {
		return false
	}
	s, err := album.Open(path)
	if err != nil {
		return false
	}
	defer s.Close()
	return s.Kind != "file"
}

// checkOrder finds out whether a picture is given first, and what is to be searched after it.
func checkOrder(args []string) error {
	first := args[0]
	if _, err := os.Stat(first); err != nil || isSource(first) || isIndex(first) {
		return nil
	}
	for i, arg := range args[1:] {
		if info, err := os.Stat(arg); err == nil && (info.IsDir() || isIndex(arg)) {
			right := slices.Concat([]string{"search", arg}, args[:i+1], args[i+2:])
			return cli.Usagef("%s is neither a folder nor an index; what is to be searched comes first: %s", words.Printable(first), cli.Typed(right...))
		}
	}
	return nil
}

// indexOf returns the index of what is to be searched. Of a folder or an archive it is the
// one that the program keeps, made now or brought up to date.
func indexOf(cmd *cobra.Command, a *app, path string, how describe.Spec) (string, error) {
	if !isSource(path) {
		return path, nil
	}
	o := indexOptions{how: how}
	o.how.Cache = a.cache
	imply(cmd, &o.how)
	if err := o.place([]string{path}); err != nil {
		return "", err
	}
	_, err := os.Stat(o.out)
	if err == nil && !isIndex(o.out) { // it is the program's own, whatever has become of it
		a.Warn("note: the index of %s is damaged, and is made anew", words.Printable(path))
		err = cmp.Or(os.Remove(o.out), os.ErrNotExist)
	}
	if errors.Is(err, os.ErrNotExist) {
		a.Warn("note: the first search of %s describes its pictures; later ones look for changes only. The index is kept in %s", words.Printable(path), words.Printable(filepath.Dir(o.out)))
	}
	changes, err := bring(cmd, a, []string{path}, &o)
	if errors.Is(err, lookalike.ErrDamaged) || errors.Is(err, lookalike.ErrOld) || errors.Is(err, lookalike.ErrRecipe) { // it is the program's own
		a.Warn("note: the index of %s is made anew: %v", words.Printable(path), err)
		o.fresh = true
		if how.Name == "" {
			o.how = describe.Best(a.cache)
		}
		changes, err = bring(cmd, a, []string{path}, &o)
	}
	switch {
	case errors.Is(err, lookalike.ErrBusy) && isIndex(o.out):
		a.Warn("note: another run is bringing the index of %s up to date; it is searched as it is", words.Printable(path))
	case err != nil:
		return "", err
	case changes.Pictures == 0:
		return "", lookalike.ErrNoPictures
	}
	return o.out, nil
}
