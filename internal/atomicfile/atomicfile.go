// Package atomicfile writes files whole: whoever opens the path sees the old
// content or the new, never a part, even if the program or the machine stops
// in between.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Write creates or replaces the file at path with what write puts out. The
// bytes go to a temporary file in the same folder, which takes path's place
// once they are on the disk; if anything fails, it is removed and path is left
// as it was. A symbolic link stays and its target is replaced. What exists and
// is no regular file (a folder, a device) is refused.
//
// The permissions are 0644 less the umask. Errors name path; one that write
// returned can be found in it with errors.Is and errors.As.
func Write(path string, write func(w io.Writer) error) error {
	if err := replace(path, write); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func replace(path string, write func(w io.Writer) error) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("exists and is no regular file")
	}

	dir := filepath.Dir(path)
	f, err := create(dir)
	if err != nil {
		return err
	}
	temporary, renamed := f.Name(), false
	defer func() { // also when write panics
		if !renamed {
			f.Close() // an error here adds nothing: the file is dropped
			os.Remove(temporary)
		}
	}()

	buffer := bufio.NewWriterSize(f, 1<<16)
	if err := write(buffer); err != nil {
		return plain(err, temporary)
	}
	if err := buffer.Flush(); err != nil {
		return plain(err, temporary)
	}
	if err := f.Sync(); err != nil {
		return plain(err, temporary)
	}
	if err := f.Close(); err != nil {
		return plain(err, temporary)
	}
	if err := Rename(temporary, path); err != nil {
		return plain(err, temporary)
	}
	renamed = true
	return nil
}

// Rename gives the file at temporary, whose bytes are on the disk already, the
// name path in the same folder, in place of what is there, and makes that last.
func Rename(temporary, path string) error {
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// TempName returns a name in a folder that nothing has, and that searches for pictures
// pass over.
func TempName(dir string) string {
	return filepath.Join(dir, fmt.Sprintf(".lookalike-%016x.tmp", rand.Uint64()))
}

// create opens a new file of a random name. os.CreateTemp would give it mode
// 0600, and the umask cannot be asked for without changing it.
func create(dir string) (*os.File, error) {
	for {
		name := TempName(dir)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, plain(err, name)
		}
	}
}

// SyncDir makes new names in a folder last. Windows does not sync folders, and some
// network file systems answer that they cannot.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}

// plain takes the temporary file's name, which tells the reader nothing, out of
// an error. Errors about other files, such as one that write reads, stay whole.
func plain(err error, temporary string) error {
	switch e := err.(type) {
	case *fs.PathError:
		if e.Path == temporary {
			return e.Err
		}
	case *os.LinkError:
		if e.Old == temporary {
			return e.Err
		}
	}
	return err
}
