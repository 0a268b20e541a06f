package atomicfile

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// ErrBusy says that another process, or another part of this one, is writing a file.
var ErrBusy = errors.New("another run of this program is writing it; wait for its end or choose another name")

// Output is a file that one process alone writes, from Reserve to Close. The process
// holds a lock on an empty file beside it, whose name is made from the output's. The
// system gives the lock back when the process ends, however that happens, so a lock
// that can be had belongs to nobody, and what lies there under its name is a leftover.
type Output struct {
	path string       // links followed
	lock *flock.Flock // nil where the file system has no locks
	temp string       // a file beside it
	own  bool         // a reservation, which Write and Create use; else theirs for one call

	writing sync.Mutex
	closed  bool // guarded by writing
}

// What belongs to an output lies in its folder under these names, with a number
// that is made from its own name in between.
const (
	prefix          = ".lookalike-"
	lockSuffix      = ".lock"
	temporarySuffix = ".new"
)

// patience is how long Reserve tries to get a lock: somebody who looks for
// leftovers holds it for a moment.
const patience = 300 * time.Millisecond

var (
	outputs sync.Map // *Output by the path of its lock: the reservations of this process
	swept   sync.Map // folders in which this process has looked for leftovers
)

// Reserve makes sure that this process alone writes the file at path, which need not
// exist, until Close. A symbolic link is followed to its target. The first time in a
// folder it removes what killed processes have left there. The error is ErrBusy if
// the file is reserved. On file systems without locks it always succeeds.
func Reserve(path string) (*Output, error) {
	return reserve(path, true)
}

func reserve(path string, own bool) (*Output, error) {
	o, err := take(path, own)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return o, nil
}

func take(path string, own bool) (*Output, error) {
	target, err := Follow(path)
	if err != nil {
		return nil, err
	}
	o := &Output{path: target, own: own}
	if _, taken := outputs.LoadOrStore(o.beside(lockSuffix), o); taken {
		return nil, ErrBusy
	}
	if o.lock, err = lock(o.beside(lockSuffix), patience); err != nil {
		outputs.Delete(o.beside(lockSuffix))
		return nil, plain(err, o.beside(lockSuffix))
	}
	o.temp = o.beside(temporarySuffix)
	if o.lock == nil { // then another process may be at work on the same output
		o.temp = TempName(filepath.Dir(target))
	}
	if o.lock != nil {
		Sweep(filepath.Dir(target))
	}
	return o, nil
}

// reserved returns the reservation that this process has of path.
func reserved(path string) (*Output, bool) {
	target, err := Follow(path)
	if err != nil {
		return nil, false
	}
	v, _ := outputs.Load((&Output{path: target}).beside(lockSuffix))
	o, _ := v.(*Output)
	return o, o != nil && o.own
}

// maxLinks is how many symbolic links may lead from one to the next.
const maxLinks = 40

// Follow returns the absolute name of a path's target, which need not exist, behind
// symbolic links.
func Follow(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for range maxLinks {
		dir, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, filepath.Base(path))
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link, or nothing there
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return "", errors.New("too many symbolic links")
}

// beside returns the name of a file that belongs to the output.
func (o *Output) beside(suffix string) string {
	h := fnv.New64a()
	h.Write([]byte(filepath.Base(o.path)))
	return filepath.Join(filepath.Dir(o.path), fmt.Sprintf("%s%016x%s", prefix, h.Sum64(), suffix))
}

// Path returns the name of the file, with links followed.
func (o *Output) Path() string { return o.path }

// Temporary returns the name of a file in the same folder that Replace and Publish
// take, and that a later run removes if this one is killed.
func (o *Output) Temporary() string { return o.temp }

// Replace gives the file at Temporary, whose bytes are on the disk already, the
// output's name, in place of what is there, as Rename does.
func (o *Output) Replace() error { return o.ReplaceBy(o.Temporary()) }

// ReplaceBy is Replace by another file of the same folder, which no later run takes
// for a leftover.
func (o *Output) ReplaceBy(file string) error { return Rename(file, o.path) }

// Publish gives the file at Temporary the output's name. If there is something of
// that name it stays as it is, and the error is fs.ErrExist.
func (o *Output) Publish() error { return o.PublishFile(o.Temporary()) }

// PublishFile is Publish of another file of the same folder.
func (o *Output) PublishFile(file string) error {
	if err := RenameNew(file, o.path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(o.path))
}

// RenameNew renames a file to a name that nothing has, or returns fs.ErrExist. Where
// the system cannot do both at once, the file has both names for a moment, or, without
// hard links, an empty file holds the new one.
func RenameNew(from, to string) error {
	if err := RenameAtOnce(from, to); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return renameLinked(from, to)
}

// RenameAtOnce is RenameNew without a file that holds the name. Where the system, or
// the file system, cannot do that, the error is errors.ErrUnsupported.
func RenameAtOnce(from, to string) error { return renameNew(from, to) }

// renameLinked is RenameNew by a second name for the file, which takes no place-holder
// that a killed process could leave.
func renameLinked(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return err
	}
	return renameHeld(from, to) // no hard links here
}

func renameHeld(from, to string) error {
	held, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := held.Close(); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// Close gives the file free for others, after a Write that is under way. It may be
// called twice.
func (o *Output) Close() {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.closed {
		return
	}
	o.closed = true
	os.Remove(o.Temporary())
	if o.lock != nil {
		unlock(o.lock)
	}
	outputs.Delete(o.beside(lockSuffix))
}

// lock takes the lock at path within some time. It is nil where there are no locks.
func lock(path string, within time.Duration) (*flock.Flock, error) {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		l := flock.New(path, flock.SetPermissions(0o666))
		got, err := l.TryLock()
		switch {
		case err != nil && isNoLocks(err):
			os.Remove(path)
			return nil, nil
		case err != nil:
			return nil, err
		case got && current(l):
			return l, nil
		case got: // its last owner has removed it meanwhile
			l.Unlock()
		case time.Since(start) >= within:
			return nil, ErrBusy
		}
	}
}

// current tells whether the file that is locked is still the one of its name.
func current(l *flock.Flock) bool {
	held, err := l.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(l.Path())
	return err == nil && os.SameFile(held, now)
}

// unlock removes a lock. While somebody holds it, nobody else can have it, so it is
// removed before; Windows removes no open file, but none either that another has
// opened since.
func unlock(l *flock.Flock) {
	if runtime.GOOS == "windows" {
		l.Unlock()
		os.Remove(l.Path())
		return
	}
	os.Remove(l.Path())
	l.Unlock()
}

// Sweep removes what killed processes have left in a folder, if this process has not
// done so before. What cannot be removed stays: it is in nobody's way.
func Sweep(dir string) {
	if _, before := swept.LoadOrStore(dir, true); !before {
		sweep(dir)
	}
}

func sweep(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	left := map[string]bool{} // names without their suffix
	for {
		entries, err := d.ReadDir(1024)
		for _, e := range entries {
			name, isTemporary := strings.CutSuffix(e.Name(), temporarySuffix)
			if !isTemporary {
				name = strings.TrimSuffix(e.Name(), lockSuffix)
			}
			if name != e.Name() && isStem(name) && e.Type().IsRegular() {
				left[name] = true
			}
		}
		if err != nil { // io.EOF too
			break
		}
	}
	for name := range left {
		stem := filepath.Join(dir, name)
		if _, own := outputs.Load(stem + lockSuffix); own {
			continue
		}
		if l, err := lock(stem+lockSuffix, 0); err == nil && l != nil {
			os.Remove(stem + temporarySuffix)
			unlock(l)
		}
	}
}

// isStem tells whether a name is one that beside makes, less its suffix. Others that
// begin like it may hold what somebody needs.
func isStem(name string) bool {
	digits, ours := strings.CutPrefix(name, prefix)
	return ours && len(digits) == 16 && strings.Trim(digits, "0123456789abcdef") == ""
}

// keepOwner gives a file the permissions of another and, if that is allowed, its owner.
func keepOwner(path string, of fs.FileInfo) error {
	ChangeOwner(path, of)
	return os.Chmod(path, of.Mode().Perm())
}

// isNoLocks tells whether a file system, or the platform, has no locks.
func isNoLocks(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK)
}
