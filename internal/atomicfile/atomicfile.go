// Package atomicfile writes files whole: whoever opens the path sees the old
// content or the new, never a part, even if the program or the machine stops
// in between. One process at a time writes a file, and what a process leaves
// behind that is killed, the next one that writes in the folder removes.
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
// A file that is replaced passes its permissions on, and its owner where the
// process may give files away; those of a new one are 0644 less the umask.
// If another process is writing the file, or a second goroutine, the error is
// ErrBusy; a reservation of this process is used. Errors name path; one that
// write returned can be found in it with errors.Is and errors.As.
func Write(path string, write func(w io.Writer) error) error {
	return withOutput(path, func(o *Output) error { return o.write(write, nil, o.Replace) })
}

// Create is Write for a file that must not exist: if there is something of that
// name, also if it appears while write is at work, it stays as it is, and the
// error is fs.ErrExist.
func Create(path string, write func(w io.Writer) error) error {
	return CreateChecked(path, write, nil)
}

// CreateChecked is Create that lets check, unless it is nil, look at the file before
// it takes its name: it is whole and on the disk under the name that check is given.
func CreateChecked(path string, write func(w io.Writer) error, check func(temporary string) error) error {
	return withOutput(path, func(o *Output) error {
		if _, err := os.Lstat(path); err == nil {
			return fs.ErrExist // before any work
		}
		return o.write(write, check, o.Publish)
	})
}

// withOutput calls f with this process's reservation of path, or one for this call.
func withOutput(path string, f func(o *Output) error) error {
	o, held := reserved(path)
	if !held {
		var err error
		if o, err = reserve(path, false); err != nil {
			return err
		}
		defer o.Close()
	}
	if err := f(o); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// write puts the temporary file on the disk, lets check look at it unless that is nil,
// and lets place give it its name.
func (o *Output) write(write func(w io.Writer) error, check func(temporary string) error, place func() error) error {
	if check == nil {
		check = func(string) error { return nil }
	}
	if !o.writing.TryLock() {
		return ErrBusy
	}
	defer o.writing.Unlock()
	if o.closed {
		return fs.ErrClosed
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(o.path); err == nil {
		if !info.Mode().IsRegular() {
			return errors.New("exists and is no regular file")
		}
		mode = info.Mode().Perm() // from the start: what is secret is so at any moment
	}
	temporary, placed := o.Temporary(), false
	if err := removeIfThere(temporary); err != nil {
		return plain(err, temporary)
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return plain(err, temporary)
	}
	defer func() { // also when write panics
		if !placed {
			f.Close() // an error here adds nothing: the file is dropped
			os.Remove(temporary)
		}
	}()
	buffer := bufio.NewWriterSize(f, 1<<16)
	for _, step := range []func() error{
		func() error { return write(buffer) }, buffer.Flush, f.Sync, f.Close,
		func() error { return check(temporary) }, place,
	} {
		if err := step(); err != nil {
			return plain(err, temporary)
		}
	}
	placed = true
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Rename gives the file at temporary, whose bytes are on the disk already, the
// name path in the same folder, in place of what is there, and makes that last. What
// is there passes its permissions on and, if that is allowed, its owner.
func Rename(temporary, path string) error {
	if info, err := os.Stat(path); err == nil {
		if err := keepOwner(temporary, info); err != nil {
			return err
		}
	}
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
