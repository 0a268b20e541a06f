package dedup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
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
	temporary := nameless(filepath.Dir(to))
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

// nameless returns a name in a folder that nothing has, and that searches for
// pictures pass over.
func nameless(dir string) string {
	return filepath.Join(dir, fmt.Sprintf(".lookalike-%016x.tmp", rand.Uint64()))
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
	aside := nameless(filepath.Dir(from))
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

// Undone is a step that has been taken back, or could not be.
type Undone struct {
	Path string // that is as it was before the step
	From string // where its file was until now; "" if it was a link
	Err  error
}

// Undo takes back what a journal's run did, the last step first, and tells each.
// Files that have changed since, and those whose place has been taken, are left
// where they are. What has been taken back is noted in the journal, so that it may
// be undone again to go on. An error is returned if the journal cannot be read.
func Undo(ctx context.Context, journal string, dryRun bool, tell func(Undone)) error {
	f, err := os.OpenFile(journal, os.O_RDWR, 0)
	if dryRun {
		f, err = os.Open(journal)
	}
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	defer f.Close()
	steps, err := read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", journal, err)
	}
	j := &Journal{Path: journal, f: f}
	if !dryRun {
		if err := endLine(f); err != nil {
			return err
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		l := steps[i]
		u := Undone{Path: l.From}
		if l.Op == opMove {
			u.From = l.To
			u.Err = unmove(l, dryRun)
		} else {
			u.Err = unlink(l, dryRun)
		}
		if u.Err == nil && !dryRun {
			if err := j.write(line{Op: opUndone, ID: l.ID}); err != nil {
				return err
			}
		}
		tell(u)
	}
	return nil
}

// endLine goes to the end of a journal, less a line that was not written to its
// end.
func endLine(f *os.File) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	b := make([]byte, 1)
	for at := end; at > 0; at-- {
		if _, err := f.ReadAt(b, at-1); err != nil {
			return err
		}
		if b[0] == '\n' {
			if at < end {
				err = f.Truncate(at)
			}
			_, e := f.Seek(at, io.SeekStart)
			return errors.Join(err, e)
		}
	}
	return errors.New("an empty journal")
}

func unmove(l line, dryRun bool) error {
	sum, _ := l.sum() // checked when it was read
	_, here, hereErr := contents(l.From)
	there, thereSum, thereErr := contents(l.To)
	switch {
	case hereErr == nil && here != sum:
		return fmt.Errorf("%s is another file now; what was moved stays at %s", l.From, l.To)
	case hereErr == nil && errors.Is(thereErr, fs.ErrNotExist):
		return nil // it was not moved
	case hereErr == nil && thereErr == nil && (thereSum == sum || there.Size() == 0):
		// The run was cut off: after a copy was made, or when the name was held.
		if dryRun {
			return nil
		}
		return os.Remove(l.To)
	case hereErr == nil:
		return nil
	case !errors.Is(hereErr, fs.ErrNotExist):
		return hereErr
	case thereErr != nil:
		return thereErr
	case thereSum != sum:
		return fmt.Errorf("%s has changed since it was moved; it stays there", l.To)
	case dryRun:
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(l.From), 0o755); err != nil {
		return err
	}
	return move(l.To, l.From, sum)
}

func unlink(l line, dryRun bool) error {
	sum, _ := l.sum()
	info, here, err := contents(l.From)
	old, oldSum, oldErr := contents(l.Aside)
	if dryRun {
		if err == nil && here != sum {
			err = fmt.Errorf("%s has changed since it became a link; it stays as it is", l.From)
		}
		return err
	}
	if fresh := l.Aside + added; l.Aside != "" {
		if _, freshSum, err := contents(fresh); err == nil && freshSum == sum {
			os.Remove(fresh) // the run was cut off
		}
	}
	switch {
	case oldErr == nil && oldSum == sum: // so it was here
		if err == nil && os.SameFile(info, old) {
			return os.Remove(l.Aside)
		}
		return atomicfile.Rename(l.Aside, l.From)
	case err != nil:
		return err
	case here != sum:
		return fmt.Errorf("%s has changed since it became a link; it stays as it is", l.From)
	}
	return copyFile(l.From, l.From, sum, l.Mode, l.Time)
}
