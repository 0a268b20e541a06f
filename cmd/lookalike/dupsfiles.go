package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/cmd/lookalike/internal/putaway"
	"lookalike/internal/atomicfile"
	"lookalike/internal/realpath"
	"lookalike/internal/words"
)

// checkFiles makes sure that files may be moved or linked at all.
func (o *dupsOptions) checkFiles(c *collection) error {
	if info, err := os.Stat(c.root); err != nil {
		return &lookalike.PhotosError{Index: c.file, Root: c.root, Err: words.Cause(err)}
	} else if !info.IsDir() {
		return fmt.Errorf("%s is an archive; files in an archive cannot be moved or linked", c.root)
	}
	if o.moveTo == "" {
		return nil
	}
	to, err := filepath.Abs(o.moveTo)
	if err != nil {
		return err
	}
	root, err := filepath.Abs(c.root)
	if err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && !info.IsDir() {
		return fmt.Errorf("--move-to %s: it is a file; give a folder", o.moveTo)
	}
	if rel, err := filepath.Rel(realpath.Follow(root), realpath.Follow(to)); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("--move-to %s: it lies in %s, where the pictures would be found again; give a folder elsewhere", o.moveTo, c.root)
	}
	return nil
}

// plan says what is to become of each duplicate.
func (d *dupsFound) plan(c *collection, o dupsOptions) {
	switch {
	case o.moveTo != "":
		d.Action = "move"
	case o.hardlink:
		d.Action = "hardlink"
	}
	to, err := filepath.Abs(o.moveTo)
	if err != nil {
		to = o.moveTo
	}
	for i := range d.Groups {
		for k := range d.Groups[i].Others {
			other := &d.Groups[i].Others[k]
			switch {
			case d.Action == "move":
				other.Target, other.State = filepath.Join(to, filepath.FromSlash(other.Path)), "planned"
			case d.Action == "hardlink" && other.SameAs != "":
				other.Target, other.State = filepath.Join(c.root, filepath.FromSlash(other.SameAs)), "planned"
			case d.Action == "hardlink":
				other.Reason = "no other file has the same bytes"
			}
		}
	}
}

// apply does what is planned, if it is to be done. What is not fit for it is left,
// with the reason. What fails, such as on a full disk, is an error in the end; without
// a journal nothing more is tried.
func (a *app) apply(ctx context.Context, c *collection, groups []lookalike.Group, d *dupsFound, o dupsOptions) error {
	total, _, _ := d.states()
	if !o.apply || total == 0 {
		return nil
	}
	journal, err := o.newJournal()
	if err != nil {
		return err
	}
	d.Applied, d.Journal = true, journal.Path
	job := map[string]string{"move": "Moving", "hardlink": "Linking"}[d.Action]
	p := a.Progress(job, "files", total)
	defer p.End()
	tried, failed := 0, []error(nil)
	for i := range d.Groups {
		var best error // of the file that stays
		if d.Action == "move" && ctx.Err() == nil {
			_, best = putaway.Examine(c.absolute(groups[i].Best.Row), c.Files[groups[i].Best.Row].SHA256)
		}
		for k := range d.Groups[i].Others {
			other := &d.Groups[i].Others[k]
			if other.State != "planned" || ctx.Err() != nil || journal.Err() != nil {
				continue
			}
			if best != nil {
				other.State, other.Reason = "left", "the best copy: "+words.Cause(best).Error()
				a.warnLeft(other)
				if !putaway.IsLeft(best) {
					failed = append(failed, best)
				}
			} else if err := a.putAway(journal, c, groups[i].Others[k], other, d.Action); err != nil {
				failed = append(failed, err)
			}
			tried++
			p.Set(tried)
		}
	}
	p.End()
	if err := journal.Close(); err != nil {
		failed = append(failed, err)
	}
	if _, err := os.Stat(journal.Path); err != nil {
		d.Journal = "" // nothing was done
	}
	if ctx.Err() != nil {
		return cli.StoppedError(fmt.Sprintf("stopped after %d of %s; to go on, give the same command again; to take them back: %s", tried, words.Count(total, "file"), cli.Typed("dups", "--undo", journal.Path)))
	}
	switch err := journal.Err(); {
	case err != nil:
		return fmt.Errorf("stopped after %d of %s: %w; when that is mended, give the same command again", tried, words.Count(total, "file"), err)
	case len(failed) > 0:
		return fmt.Errorf("%s with errors, the first: %w; when that is mended, give the same command again", words.Count(len(failed), "file"), failed[0])
	}
	return nil
}

// putAway moves or links one duplicate and notes what has become of it. The error is
// one of the system, not that the file is not fit.
func (a *app) putAway(journal *putaway.Journal, c *collection, found lookalike.Duplicate, other *dupsOther, action string) error {
	from, sum := c.absolute(found.Row), c.Files[found.Row].SHA256
	var done bool
	var err error
	if action == "move" {
		var to string
		if to, err = journal.Move(from, other.Target, sum); to != "" {
			done, other.Target = true, to
		}
	} else {
		done, err = journal.Link(from, c.absolute(found.SameAs), sum)
	}
	switch {
	case err == nil:
		other.State = "done"
	case done:
		other.State = "done"
		a.Warn("warning: %s is put away, but: %v", words.Printable(other.Path), err)
	default:
		other.State, other.Reason = "left", strings.TrimPrefix(words.Cause(err).Error(), from+" ")
		if !errors.Is(err, putaway.ErrLinked) {
			a.warnLeft(other)
		}
	}
	if putaway.IsLeft(err) {
		return nil
	}
	return err
}

// warnLeft tells of a duplicate that was left, and counts it for --strict.
func (a *app) warnLeft(other *dupsOther) {
	a.Warn("left %s: %s", words.Printable(other.Path), other.Reason)
	a.Skipped++
}

// newJournal begins the journal that --journal names, or one of a name of its own.
func (o *dupsOptions) newJournal() (*putaway.Journal, error) {
	if o.journal != "" {
		return putaway.Create(o.journal, "lookalike "+version())
	}
	stem := "lookalike-dups-" + time.Now().Format("20060102-150405")
	if o.moveTo != "" {
		if err := os.MkdirAll(o.moveTo, 0o755); err != nil {
			return nil, fmt.Errorf("--move-to %s: cannot make the folder: %w", o.moveTo, words.Cause(err))
		}
		stem = filepath.Join(o.moveTo, stem)
	}
	for name, n := stem+".jsonl", 2; ; n++ {
		j, err := putaway.Create(name, "lookalike "+version())
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, atomicfile.ErrBusy) {
			return j, err
		}
		name = fmt.Sprintf("%s-%d.jsonl", stem, n)
	}
}

// absolute is where the file of a picture is, for the journal.
func (c *collection) absolute(row int) string {
	path := c.path(row)
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// undoDups takes back what a run of dups did.
func (a *app) undoDups(cmd *cobra.Command, o dupsOptions) error {
	for _, name := range []string{"move-to", "hardlink", "within", "exact", "sheet", "html", "json", "model", "photos", "journal"} {
		if cmd.Flags().Changed(name) {
			return cli.Usagef("--%s has no meaning beside --undo", name)
		}
	}
	if o.apply && o.dryRun {
		return cli.Usagef("give only one of --apply and --dry-run")
	}
	back, left := 0, 0
	err := putaway.Undo(cmd.Context(), o.undo, o.dryRun, func(u putaway.Undone) {
		if u.Err != nil {
			left++
			a.Warn("left %s: %v", words.Printable(u.Path), u.Err)
			return
		}
		back++
		fmt.Fprintf(a.Out, "%s\n", words.Printable(u.Path))
	})
	if err != nil && cmd.Context().Err() != nil {
		return cli.StoppedError(fmt.Sprintf("stopped after %s; to go on, give the same command again", words.Count(back, "file")))
	}
	if err != nil {
		return err
	}
	verb := "is as it was"
	if back != 1 {
		verb = "are as they were"
	}
	if o.dryRun {
		verb = "would be as before"
	}
	if back+left == 0 {
		fmt.Fprintf(a.Out, "nothing to take back: every step of %s has been taken back already, or was never done\n", o.undo)
		return nil
	}
	fmt.Fprintf(a.Out, "%s %s\n", words.Count(back, "file"), verb)
	if left > 0 {
		return fmt.Errorf("%s could not be taken back; when what is in the way is gone, give the same command again", words.Count(left, "file"))
	}
	return nil
}
