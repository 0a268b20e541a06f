package putaway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lookalike/internal/atomicfile"
)

// The calls to the system that change something. before comes before each, with the
// path that it is about, so that a test can let it fail, or kill the process there.
var before = func(call, path string) error { return nil }

func doing(call, path string, f func() error) error {
	if err := before(call, path); err != nil {
		return err
	}
	return f()
}

func rename(from, to string) error {
	return doing("rename", from, func() error { return os.Rename(from, to) })
}

func link(from, to string) error {
	return doing("link", from, func() error { return os.Link(from, to) })
}

func remove(path string) error {
	return doing("remove", path, func() error { return os.Remove(path) })
}

// removeIfThere is remove of what need not be there.
func removeIfThere(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return remove(path)
}

// syncDir is a variable so that a test can let it fail.
var syncDir = atomicfile.SyncDir

func syncFolderOf(path string) error {
	dir := filepath.Dir(path)
	return doing("sync folder", dir, func() error { return syncDir(dir) })
}

// makeFolder makes a folder, and those above it, where there are none, and makes them
// last: a copy is only as safe as the names of the folders that it lies in.
func makeFolder(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(dir); err == nil || parent == dir {
		return nil
	}
	if err := makeFolder(parent); err != nil {
		return err
	}
	if err := doing("make folder", dir, func() error { return os.Mkdir(dir, 0o755) }); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolderOf(dir)
}

// errLeft is joined to an error after which something lies on the disk that undo is
// to remove.
var errLeft = errors.New("what is left of it goes with undo")

// renameNew renames a file to a name that nothing has, or returns fs.ErrExist. Where
// the system cannot do both at once, an empty file holds the name for a moment; hold
// is called before it is made.
func renameNew(from, to string, hold func() error) error {
	err := doing("rename at once", from, func() error { return atomicfile.RenameAtOnce(from, to) })
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := hold(); err != nil {
		return err
	}
	var held *os.File
	err = doing("hold", to, func() (err error) {
		held, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	held.Close() // nothing was written
	if err := rename(from, to); err != nil {
		if e := remove(to); e != nil {
			err = fmt.Errorf("%w; %w: %w", err, errLeft, e)
		}
		return err
	}
	return nil
}
