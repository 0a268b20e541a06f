package putaway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lookalike/internal/atomicfile"
)

// Undone is a step that has been taken back, or could not be.
type Undone struct {
	Path string // that is as it was before the step
	From string // where its file was until now; "" if it was a link
	Err  error
}

// Undo takes back what a journal's run did, the last step first, and tells each.
// Files that have changed since, and those whose place has been taken, are left
// where they are. What has been taken back is noted in the journal, so that it may
// be undone again to go on, also if it was killed. An error is returned if the journal
// cannot be read or written.
func Undo(ctx context.Context, journal string, dryRun bool, tell func(Undone)) error {
	f, err := os.OpenFile(journal, os.O_RDWR, 0)
	if dryRun {
		f, err = os.Open(journal)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no journal %s", journal)
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
		output, err := atomicfile.Reserve(journal) // not to be undone by two at once
		if errors.Is(err, atomicfile.ErrBusy) {
			return err
		} else if err == nil {
			defer output.Close()
		}
		if err := endLine(f); err != nil {
			return err
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if j.broken != nil {
			return j.broken
		}
		l := steps[i]
		if !dryRun { // copies that the run, or an undo of it, was killed at
			atomicfile.Sweep(filepath.Dir(l.From))
			atomicfile.Sweep(filepath.Dir(l.To))
		}
		u := Undone{Path: l.From}
		if l.Op == opMove {
			u.From = l.To
			u.Err = j.unmove(l, dryRun)
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
	if end == 0 {
		return nil
	}
	b := make([]byte, 1)
	for at := end; at > 0; at-- {
		if _, err := f.ReadAt(b, at-1); err != nil {
			return err
		}
		if b[0] == '\n' {
			if at < end {
				err = doing("truncate", f.Name(), func() error { return f.Truncate(at) })
			}
			_, e := f.Seek(at, io.SeekStart)
			return errors.Join(err, e)
		}
	}
	return errors.New("a journal without a whole line")
}

func (j *Journal) unmove(l line, dryRun bool) error {
	sum, _ := l.sum() // checked when it was read
	before, here, hereErr := contents(l.From)
	there, thereSum, thereErr := contents(l.To)
	if l.held && hereErr == nil && before.Size() == 0 && !before.ModTime().Equal(l.Time) && thereErr == nil && thereSum == sum {
		// Undo was cut off while this empty file held the name.
		if dryRun {
			return nil
		}
		if err := remove(l.From); err != nil {
			return err
		}
		hereErr = fs.ErrNotExist
	}
	switch {
	case hereErr == nil && here != sum:
		return fmt.Errorf("%s is another file now; what was moved stays at %s", l.From, l.To)
	case hereErr == nil && errors.Is(thereErr, fs.ErrNotExist):
		return nil // it was not moved, or is back
	case hereErr == nil && thereErr == nil && (thereSum == sum || there.Size() == 0):
		// The run was cut off after a copy was made or when the name was held, or undo
		// after its copy was made.
		if dryRun {
			return nil
		}
		return errors.Join(remove(l.To), syncFolderOf(l.To))
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
	if err := makeFolder(filepath.Dir(l.From)); err != nil {
		return err
	}
	_, err := move(l.To, l.From, sum, there, func() error { return j.write(line{Op: opHold, ID: l.ID}) })
	return err
}

func unlink(l line, dryRun bool) error {
	sum, _ := l.sum()
	info, here, err := contents(l.From)
	changed := err == nil && here != sum
	if l.Aside != "" {
		if !dryRun {
			if err := removeIfThere(l.Aside + added); err != nil { // the run was cut off
				return err
			}
		}
		// What lies aside is the file that From was, whatever it holds now.
		switch old, oldErr := os.Lstat(l.Aside); {
		case errors.Is(oldErr, fs.ErrNotExist):
		case oldErr != nil:
			return oldErr
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case changed && !os.SameFile(info, old) && !isSame(info, l.To):
			return fmt.Errorf("%s is another file now; what it was stays at %s", l.From, l.Aside)
		case dryRun:
			return nil
		case err == nil && os.SameFile(info, old):
			return errors.Join(remove(l.Aside), syncFolderOf(l.Aside))
		default:
			if err := rename(l.Aside, l.From); err != nil {
				return err
			}
			return syncFolderOf(l.From)
		}
	}
	switch {
	case err != nil:
		return err
	case changed:
		return fmt.Errorf("%s has changed since it became a link; it stays as it is", l.From)
	case dryRun:
		return nil
	}
	_, err = copyFile(l.From, l.From, sum, l.Mode, l.Time, func(temporary string) error { return rename(temporary, l.From) })
	return err
}

// isSame tells whether a file is the one at path.
func isSame(info fs.FileInfo, path string) bool {
	other, err := os.Lstat(path)
	return err == nil && os.SameFile(info, other)
}
