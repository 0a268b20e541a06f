//go:build !wasm

package gallery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"lookalike/internal/atomicfile"
	"lookalike/picture/album"
)

func remake(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	var none Changes
	if err := d.reach(photos); err != nil {
		return none, nil, err
	}
	out, err := atomicfile.Reserve(path)
	if err != nil {
		return none, nil, fmt.Errorf("gallery: %w", err)
	}
	defer out.Close()
	unlock, err := holdOld(path, out)
	if err != nil {
		return none, nil, err
	}
	defer unlock()

	name := Unfinished(path)
	next, err := atomicfile.Reserve(name)
	if err != nil {
		return none, nil, fmt.Errorf("gallery: %w", err)
	}
	defer next.Close()
	s := state{Root: root, Recipe: d.Recipe, Width: d.Width, Components: d.Components, Unfinished: true}
	there, err := resume(name, s)
	if err != nil {
		return none, nil, err
	}
	mode := fs.FileMode(0o644)
	old, err := os.Stat(out.Path())
	switch {
	case err == nil:
		f, err := os.OpenFile(out.Path(), os.O_RDWR, 0)
		if err != nil { // one that may not be written to is not replaced either
			return none, nil, fmt.Errorf("gallery: cannot write to the index: %w", err)
		}
		f.Close()
		mode = old.Mode().Perm() // from the start: what is secret is so at any moment
	case !there: // nothing is to be kept while the new index grows
		s.Unfinished = false
		return bring(ctx, path, out, mode, s, photos, d, watch, fitBytes)
	}
	changes, skips, err := bring(ctx, name, next, mode, s, photos, d, watch, fitBytes)
	if err != nil {
		return changes, skips, err
	}
	unlock() // Windows replaces no file that is open
	if err := replace(out, old, next.Path()); err != nil {
		return changes, skips, fmt.Errorf("gallery: the new index stays in %s: write %s: %w", name, path, err)
	}
	return changes, skips, amendReserved(path, out, func(s *state) error {
		s.Unfinished = false
		return nil
	})
}

// holdOld makes sure that what is at path is an index, or nothing, and that no older
// program, which knows no reservations, writes to it until unlock is called.
func holdOld(path string, out *atomicfile.Output) (unlock func(), err error) {
	unlock = func() {}
	_, _, err = open(path, false)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrDamaged), errors.Is(err, ErrOld):
		return unlock, nil
	case err != nil:
		return nil, err
	}
	w, _, err := openWriter(path, out)
	if err != nil {
		return nil, err
	}
	return func() { w.db.Close() }, nil
}

// resume tells whether the index that an earlier Remake has begun is there. It is
// removed if it was to become another one than s. What Remake has not begun stays
// and is an error.
func resume(name string, s state) (there bool, err error) {
	_, have, err := open(name, false)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil && unread(err):
		return false, err
	case err != nil || !have.Unfinished:
		return false, fmt.Errorf("gallery: the new index is to grow in %s, but what is there was not begun by such a run; remove it or give it another name", name)
	case have.Root == s.Root && have.Components == s.Components && have.Recipe.takes(s.Recipe):
		return true, nil
	}
	return false, os.Remove(name)
}

// replace gives the finished index its name. If the old one has been replaced by
// another program, that stays.
func replace(out *atomicfile.Output, old fs.FileInfo, by string) error {
	now, err := os.Stat(out.Path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return out.PublishFile(by)
	case err != nil:
		return err
	case old == nil || !os.SameFile(old, now):
		return errors.New("another program has written it meanwhile")
	}
	return out.ReplaceBy(by)
}
