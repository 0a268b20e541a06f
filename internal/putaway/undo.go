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
	if err := makeFolder(filepath.Dir(l.From)); err != nil {
		return err
	}
	_, err := move(l.To, l.From, sum, there)
	return err
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
