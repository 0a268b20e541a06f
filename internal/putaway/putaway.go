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
// where the file is now, "" if it has stayed; a file that has moved may have an
// error too. On another device, a copy is made and compared before the file is
// removed; owner and extended attributes do not come along.
func (j *Journal) Move(from, to string, sum [32]byte) (string, error) {
	info, err := Examine(from, sum)
	if err != nil {
		return "", err
	}
	if err := makeFolder(filepath.Dir(to)); err != nil {
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
		done, err := move(from, to, sum, info)
		e := j.end(id, done, err)
		switch {
		case done:
			return to, errors.Join(err, e)
		case e != nil || !errors.Is(err, fs.ErrExist):
			return "", errors.Join(err, e)
		}
	}
}

// syncDir is a variable so that a test can let it fail.
var syncDir = atomicfile.SyncDir

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
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// move is Move without a journal. info is what is known of the file since its
// contents were read. done says that it has moved, also if there is an error. A name
// that is taken is fs.ErrExist.
func move(from, to string, sum [32]byte, info fs.FileInfo) (done bool, err error) {
	// An empty file holds the name, so that nobody else's is overwritten.
	held, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil && !done {
			release(to, sum, from, info)
		}
	}()
	if err := held.Close(); err != nil {
		return false, err
	}
	err = os.Rename(from, to)
	switch {
	case err == nil:
		return true, errors.Join(syncDir(filepath.Dir(to)), syncDir(filepath.Dir(from)))
	case !otherDevice(err):
		return false, err
	}
	if err := copyFile(from, to, sum, info.Mode().Perm(), info.ModTime()); err != nil {
		return false, err
	}
	// The copy is on the disk. Only what has been copied is removed.
	now, err := os.Lstat(from)
	if err == nil && !unchanged(info, now) {
		err = fmt.Errorf("%s %w; a copy of what it was is at %s", from, ErrChanged, to)
	}
	if err != nil {
		return false, err
	}
	if err := os.Remove(from); err != nil {
		return false, err
	}
	return true, nil
}

// release removes what stands where a file was to go, an empty file or a copy, if
// the file itself has certainly stayed where it was.
func release(to string, sum [32]byte, from string, info fs.FileInfo) {
	if now, err := os.Lstat(from); err != nil || !unchanged(info, now) {
		return
	}
	if there, got, err := contents(to); err == nil && (there.Size() == 0 || got == sum) {
		os.Remove(to)
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
	if err := os.Rename(temporary, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// Link puts a hard link to keep in the place of from; both have the contents that
// sum says. Files of other permissions or owners are left as they are. The file
// that from was is removed only after it has been read once more, under another
// name that nobody knows. done says that from is a link now, also if there is an
// error.
func (j *Journal) Link(from, keep string, sum [32]byte) (done bool, err error) {
	kept, err := Examine(keep, sum)
	if err != nil {
		return false, err
	}
	info, err := Examine(from, sum)
	switch {
	case err != nil:
		return false, err
	case os.SameFile(kept, info):
		return false, fmt.Errorf("%s %w", from, ErrLinked)
	case kept.Mode() != info.Mode() || owner(kept) != owner(info):
		return false, fmt.Errorf("%s has another owner or other permissions than %s", from, keep)
	}
	aside := atomicfile.TempName(filepath.Dir(from))
	id, err := j.step(line{Op: opLink, From: from, To: keep, Aside: aside, SHA256: hex.EncodeToString(sum[:]), Mode: info.Mode().Perm(), Time: info.ModTime()})
	if err != nil {
		return false, err
	}
	done, err = link(from, keep, aside, sum)
	return done, errors.Join(err, j.end(id, done, err))
}

// added ends the name of a link until it takes its place.
const added = ".new"

func link(from, keep, aside string, sum [32]byte) (done bool, err error) {
	fresh := aside + added
	if err := os.Link(keep, fresh); err != nil {
		if otherDevice(err) {
			return false, fmt.Errorf("%s lies on another device than %s", from, keep)
		}
		return false, err
	}
	if err := os.Link(from, aside); err != nil {
		return false, errors.Join(err, os.Remove(fresh))
	}
	if err := os.Rename(fresh, from); err != nil {
		return false, errors.Join(err, os.Remove(fresh), os.Remove(aside))
	}
	if _, err := Examine(aside, sum); err != nil {
		return false, errors.Join(fmt.Errorf("%s %w", from, ErrChanged), os.Rename(aside, from))
	}
	return true, errors.Join(os.Remove(aside), syncDir(filepath.Dir(from)))
}
