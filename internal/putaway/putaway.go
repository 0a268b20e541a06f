// Package putaway moves files out of the way, or makes them links, in such a manner
// that nothing is lost and all can be undone: each step is in a journal, on the
// disk, before it is done.
package putaway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"lookalike/internal/atomicfile"
)

// Reasons why a file is left as it is.
var (
	ErrChanged = errors.New("has changed since it was indexed")
	ErrLinked  = errors.New("is the same file already, by a hard link")
)

// Examine makes sure that a path is a regular file with those contents, and that
// nobody writes to it meanwhile. Symbolic links are not followed.
func Examine(path string, sum [32]byte) (fs.FileInfo, error) {
	info, got, err := contents(path)
	if err != nil {
		return nil, err
	}
	if got != sum {
		return nil, fmt.Errorf("%s %w", path, ErrChanged)
	}
	return info, nil
}

func contents(path string) (info fs.FileInfo, sum [32]byte, err error) {
	info, err = os.Lstat(path)
	if err != nil {
		return nil, sum, err
	}
	if !info.Mode().IsRegular() {
		return nil, sum, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, sum, err
	}
	opened, err := f.Stat()
	if err != nil {
		return nil, sum, err
	}
	if !unchanged(info, opened) {
		return nil, sum, fmt.Errorf("%s %w", path, ErrChanged)
	}
	return info, [32]byte(h.Sum(nil)), nil
}

func unchanged(before, after fs.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() && before.ModTime().Equal(after.ModTime())
}

// Move moves a file whose contents have that SHA-256. If there is something at to
// already, the next free name beside it is taken: a.jpg, a (2).jpg, … It returns
// where the file is now. On another device, a copy is made and compared before
// the file is removed; owner and extended attributes do not come along.
func (j *Journal) Move(from, to string, sum [32]byte) (string, error) {
	info, err := Examine(from, sum)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", err
	}
	suffix := filepath.Ext(to)
	stem := strings.TrimSuffix(to, suffix)
	for n := 1; ; n++ {
		if n > 1 {
			to = fmt.Sprintf("%s (%d)%s", stem, n, suffix)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return "", err
			}
			continue
		}
		id, err := j.step(line{Op: opMove, From: from, To: to, SHA256: hex.EncodeToString(sum[:]), Mode: info.Mode().Perm(), Time: info.ModTime()})
		if err != nil {
			return "", err
		}
		err = move(from, to, sum)
		if e := j.end(id, err); e != nil {
			return to, errors.Join(err, e)
		}
		if !errors.Is(err, fs.ErrExist) {
			return to, err
		}
	}
}

// move is Move without a journal. A name that is taken is fs.ErrExist.
func move(from, to string, sum [32]byte) (err error) {
	// An empty file holds the name, so that nobody else's is overwritten.
	held, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := held.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			release(to)
		}
	}()
	err = os.Rename(from, to)
	switch {
	case err == nil:
		return errors.Join(atomicfile.SyncDir(filepath.Dir(to)), atomicfile.SyncDir(filepath.Dir(from)))
	case !otherDevice(err):
		return err
	}
	info, err := Examine(from, sum)
	if err != nil {
		return err
	}
	if err := copyFile(from, to, sum, info.Mode().Perm(), info.ModTime()); err != nil {
		return err
	}
	// The copy is on the disk. Only what has been copied is removed.
	now, err := os.Lstat(from)
	if err == nil && !unchanged(info, now) {
		err = fmt.Errorf("%s %w; a copy of what it was is at %s", from, ErrChanged, to)
	}
	if err != nil {
		return err
	}
	return os.Remove(from)
}

// release removes an empty file that was to hold a name.
func release(path string) {
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		os.Remove(path)
	}
}

// otherDevice tells whether files cannot be renamed, or linked, because they lie
// on two devices.
func otherDevice(err error) bool {
	const notSameDevice = syscall.Errno(17) // of Windows
	return errors.Is(err, syscall.EXDEV) || runtime.GOOS == "windows" && errors.Is(err, notSameDevice)
}

// copyFile puts a copy of a file in the place of to, with that time. It appears
// whole, with the contents that sum says, or not at all.
func copyFile(from, to string, sum [32]byte, mode fs.FileMode, modified time.Time) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	temporary := atomicfile.TempName(filepath.Dir(to))
	out, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), in)
	err = errors.Join(err, out.Chmod(mode), out.Sync(), out.Close())
	if err == nil && [32]byte(h.Sum(nil)) != sum {
		err = fmt.Errorf("%s %w", from, ErrChanged)
	}
	if err == nil {
		_, err = Examine(temporary, sum) // read back
	}
	if err == nil {
		err = os.Chtimes(temporary, time.Time{}, modified)
	}
	if err != nil {
		return err
	}
	return atomicfile.Rename(temporary, to)
}

// Link puts a hard link to keep in the place of from; both have the contents that
// sum says. Files of other permissions or owners are left as they are. The file
// that from was is removed only after it has been read once more, under another
// name that nobody knows.
func (j *Journal) Link(from, keep string, sum [32]byte) error {
	kept, err := Examine(keep, sum)
	if err != nil {
		return err
	}
	info, err := Examine(from, sum)
	switch {
	case err != nil:
		return err
	case os.SameFile(kept, info):
		return fmt.Errorf("%s %w", from, ErrLinked)
	case kept.Mode() != info.Mode() || owner(kept) != owner(info):
		return fmt.Errorf("%s has another owner or other permissions than %s", from, keep)
	}
	aside := atomicfile.TempName(filepath.Dir(from))
	id, err := j.step(line{Op: opLink, From: from, To: keep, Aside: aside, SHA256: hex.EncodeToString(sum[:]), Mode: info.Mode().Perm(), Time: info.ModTime()})
	if err != nil {
		return err
	}
	err = link(from, keep, aside, sum)
	return errors.Join(err, j.end(id, err))
}

// added ends the name of a link until it takes its place.
const added = ".new"

func link(from, keep, aside string, sum [32]byte) error {
	fresh := aside + added
	if err := os.Link(keep, fresh); err != nil {
		if otherDevice(err) {
			return fmt.Errorf("%s lies on another device than %s", from, keep)
		}
		return err
	}
	if err := os.Link(from, aside); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, from); err != nil {
		return errors.Join(err, os.Remove(fresh), os.Remove(aside))
	}
	if _, err := Examine(aside, sum); err != nil {
		return errors.Join(fmt.Errorf("%s %w", from, ErrChanged), os.Rename(aside, from))
	}
	return errors.Join(os.Remove(aside), atomicfile.SyncDir(filepath.Dir(from)))
}
