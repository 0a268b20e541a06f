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

	errIrregular = errors.New("is not a regular file")
	errOwner     = errors.New("has another owner or other permissions")
	errElsewhere = errors.New("lies on another device")
)

// IsLeft tells whether an error says that a file is not fit to be put away, or is not
// there. Any other is a failure: of the disk, of permissions, of the journal.
func IsLeft(err error) bool {
	for _, reason := range []error{ErrChanged, ErrLinked, errIrregular, errOwner, errElsewhere, fs.ErrNotExist} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

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
		return nil, sum, fmt.Errorf("%s %w", path, errIrregular)
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
// removed; the owner comes along if that is allowed, extended attributes do not.
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
		nothing := func() error { return nil } // the step tells that to is held
		done, err := move(from, to, sum, info, nothing)
		e := j.end(id, done, err)
		switch {
		case done:
			return to, errors.Join(err, e)
		case e != nil || !errors.Is(err, fs.ErrExist):
			return "", errors.Join(err, e)
		}
	}
}

// move is Move without a journal. info is what is known of the file since its
// contents were read; hold is for renameNew. done says that it has moved, also if
// there is an error. A name that is taken is fs.ErrExist.
func move(from, to string, sum [32]byte, info fs.FileInfo, hold func() error) (done bool, err error) {
	err = renameNew(from, to, hold)
	switch {
	case err == nil:
		return true, errors.Join(syncFolderOf(to), syncFolderOf(from))
	case !otherDevice(err) || errors.Is(err, errLeft):
		return false, err
	}
	placed, err := copyFile(from, to, sum, info.Mode().Perm(), info.ModTime(), func(temporary string) error {
		return renameNew(temporary, to, hold)
	})
	if !placed {
		return false, err
	}
	// The copy has its name. Only what has been copied is removed.
	now, e := os.Lstat(from)
	if e == nil && !unchanged(info, now) {
		return false, fmt.Errorf("%s %w; a copy of what it was is at %s", from, ErrChanged, to)
	}
	if err = errors.Join(err, e); err == nil {
		err = remove(from)
	}
	if err == nil {
		return true, syncFolderOf(from)
	}
	if now, e := os.Lstat(from); e == nil && unchanged(info, now) { // it has certainly stayed
		if e := remove(to); e != nil {
			err = fmt.Errorf("%w; %w: %w", err, errLeft, e)
		}
	} else { // the copy may be all that there is
		err = fmt.Errorf("%w; a copy is at %s, %w", err, to, errLeft)
	}
	return false, err
}

// otherDevice tells whether files cannot be renamed, or linked, because they lie
// on two devices.
func otherDevice(err error) bool {
	const notSameDevice = syscall.Errno(17) // of Windows
	return errors.Is(err, syscall.EXDEV) || runtime.GOOS == "windows" && errors.Is(err, notSameDevice)
}

// copyFile makes a copy of a file, with its owner if that is allowed, those permissions
// and that time, beside to;
// place gives it that name. It appears whole, with the contents that sum says, or not
// at all. placed says that it has appeared, also if there is an error.
func copyFile(from, to string, sum [32]byte, mode fs.FileMode, modified time.Time, place func(temporary string) error) (placed bool, err error) {
	output, err := atomicfile.Reserve(to) // what a killed process leaves goes with the next
	if err != nil {
		return false, err
	}
	defer output.Close()
	temporary := output.Temporary()
	if err := writeCopy(from, temporary, sum, mode, modified); err != nil {
		return false, err
	}
	if err := place(temporary); err != nil {
		return false, err
	}
	return true, syncFolderOf(to)
}

// writeCopy makes a copy of a file, in place of what is there, on the disk and read back.
func writeCopy(from, to string, sum [32]byte, mode fs.FileMode, modified time.Time) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if err := removeIfThere(to); err != nil {
		return err
	}
	var out *os.File
	err = doing("create", to, func() (err error) {
		out, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	h := sha256.New()
	err = doing("write", to, func() error {
		_, err := io.Copy(io.MultiWriter(out, h), in)
		return err
	})
	if err == nil {
		err = doing("set owner and permissions", to, func() error {
			atomicfile.ChangeOwner(to, info)
			return out.Chmod(mode) // after that, while nobody else could read it
		})
	}
	if err == nil {
		err = doing("sync", to, out.Sync)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if [32]byte(h.Sum(nil)) != sum {
		return fmt.Errorf("%s %w", from, ErrChanged)
	}
	if _, err := Examine(to, sum); err != nil { // read back
		return err
	}
	return doing("set the time", to, func() error { return os.Chtimes(to, time.Time{}, modified) })
}

// Link puts a hard link to keep in the place of from; both have the contents that
// sum says. Files of other permissions or owners are left as they are. The file
// that from was is removed only after it has been read once more, under another
// name that nobody knows, and the link too. done says that from is a link now, also if there is an
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
		return false, fmt.Errorf("%s %w than %s", from, errOwner, keep)
	}
	aside := atomicfile.TempName(filepath.Dir(from))
	id, err := j.step(line{Op: opLink, From: from, To: keep, Aside: aside, SHA256: hex.EncodeToString(sum[:]), Mode: info.Mode().Perm(), Time: info.ModTime()})
	if err != nil {
		return false, err
	}
	done, err = exchange(from, keep, aside, sum)
	return done, errors.Join(err, j.end(id, done, err))
}

// added ends the name of a link until it takes its place.
const added = ".new"

// exchange is Link without a journal.
func exchange(from, keep, aside string, sum [32]byte) (done bool, err error) {
	fresh := aside + added
	if err := link(keep, fresh); err != nil {
		if otherDevice(err) {
			return false, fmt.Errorf("%s %w than %s", from, errElsewhere, keep)
		}
		return false, err
	}
	giveUp := func(err error, made ...string) error {
		for _, path := range made {
			if e := remove(path); e != nil {
				err = fmt.Errorf("%w; %w: %w", err, errLeft, e)
			}
		}
		return err
	}
	if err := link(from, aside); err != nil {
		return false, giveUp(err, fresh)
	}
	if err := rename(fresh, from); err != nil {
		return false, giveUp(err, fresh, aside)
	}
	// Either file may have changed since it was read, and then aside is all that there is.
	_, err = Examine(aside, sum)
	if err == nil {
		if _, err = Examine(from, sum); err != nil {
			err = fmt.Errorf("%s %w", keep, ErrChanged)
		}
	}
	if err != nil {
		if e := rename(aside, from); e != nil {
			err = fmt.Errorf("%w; %w: %w", err, errLeft, e)
		}
		return false, err
	}
	return true, errors.Join(remove(aside), syncFolderOf(from))
}
