package indexing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"lookalike/gallery"
	"lookalike/internal/parallel"
	"lookalike/picture/album"
)

// plan is what has to be done.
type plan struct {
	copies   []copied
	describe []described
	gone     []string // paths
	renamed  int      // of those gone: whose contents are there under another name
}

// described is a file that has to be described.
type described struct {
	i     int  // in the set
	known bool // the index has a picture of its path
}

// copied is a file whose vector the index has.
type copied struct {
	described
	file gallery.File
	from string // path in the index
}

// candidate is a file that is not as the index has it, but may have moved.
type candidate struct {
	described
	file gallery.File // its hash is still to be taken
	own  gallery.File // of its path in the index, if known
}

// plan compares the files with the index, both by ascending path.
func (u *updater) plan(ctx context.Context, photos *album.Set) (plan, error) {
	var p plan
	var changed []candidate
	var unreadable []string // folders, as the beginnings of their files' paths
	missing, there := 0, -1 // how many files are not there any more, and one that was
	i := 0
	compare := func(known bool, own gallery.File) {
		c := candidate{described{i, known}, gallery.File{}, own}
		info, err := photos.Stat(i)
		switch {
		case err == nil:
			there = i
		case errors.Is(err, fs.ErrNotExist):
			missing++
		}
		switch {
		case known && err != nil && !errors.Is(err, fs.ErrNotExist):
			u.changes.Kept++
			u.skips = append(u.skips, album.Skip{Path: photos.Path(i), Reason: err})
		case err != nil: // for the report
			p.describe = append(p.describe, c.described)
		case info.IsDir(): // which is listed only if it cannot be read; for the report
			unreadable = append(unreadable, photos.Path(i)+"/")
			p.describe = append(p.describe, c.described)
		case known && info.Size() == own.Size && !info.ModTime().IsZero() && info.ModTime().Equal(own.Modified):
		case u.w.Len() == 0:
			p.describe = append(p.describe, c.described)
		default:
			c.file = gallery.File{Size: info.Size(), Modified: info.ModTime()}
			changed = append(changed, c)
		}
		i++
	}
	err := u.w.Scan(ctx, func(e gallery.Entry, own gallery.File) {
		for i < photos.Len() && photos.Path(i) < e.Path {
			compare(false, gallery.File{})
		}
		switch {
		case i < photos.Len() && photos.Path(i) == e.Path:
			compare(true, own)
		case slices.ContainsFunc(unreadable, func(folder string) bool { return strings.HasPrefix(e.Path, folder) }):
			u.changes.Kept++
		default:
			p.gone = append(p.gone, e.Path)
		}
	})
	for ; err == nil && i < photos.Len(); compare(false, gallery.File{}) {
		if i%someFiles == 0 {
			err = context.Cause(ctx)
		}
		if i > 0 && photos.Path(i) <= photos.Path(i-1) {
			return p, fmt.Errorf("gallery: the files are not in order: %q after %q", photos.Path(i), photos.Path(i-1))
		}
	}
	if err == nil && missing > 0 {
		// One that was there may be gone by now, too.
		if there >= 0 {
			_, err = photos.Stat(there)
		}
		if there < 0 || errors.Is(err, fs.ErrNotExist) {
			return p, fmt.Errorf("gallery: the files in %s were listed and are not there any more, as on a disk that was taken out; the index stays as it was: %w", u.head.Root, fs.ErrNotExist)
		}
		err = nil
	}
	if err == nil && len(changed) > 0 {
		err = u.recognise(ctx, photos, changed, &p)
	}
	slices.SortFunc(p.describe, func(a, b described) int { return a.i - b.i })
	return p, err
}

// recognise finds files that are in the index already, by size and then content.
func (u *updater) recognise(ctx context.Context, photos *album.Set, changed []candidate, p *plan) error {
	sizes := map[int64]bool{} // whether the index has such a file
	for _, c := range changed {
		sizes[c.file.Size] = false
	}
	paths := map[[32]byte]string{} // of those of such a size
	if err := u.w.Scan(ctx, func(e gallery.Entry, f gallery.File) {
		if _, wanted := sizes[f.Size]; wanted {
			paths[f.SHA256], sizes[f.Size] = e.Path, true
		}
	}); err != nil {
		return err
	}
	for some := range slices.Chunk(changed, someFiles) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		from := make([]string, len(some)) // "" if the content is new
		parallel.For(len(some), func(k int) {
			c := &some[k]
			if !sizes[c.file.Size] {
				return
			}
			sum, err := gallery.Sum(func() (io.ReadCloser, error) { return photos.Open(c.i) })
			if err != nil {
				return // it will fail again, for the report
			}
			c.file.SHA256 = sum
			if from[k] = paths[sum]; c.known && c.own.SHA256 == sum {
				from[k] = photos.Path(c.i)
			}
		})
		for k, c := range some {
			switch {
			case from[k] == "":
				p.describe = append(p.describe, c.described)
			case c.known && c.file == c.own: // there was no time to tell
			default:
				p.copies = append(p.copies, copied{c.described, c.file, from[k]})
			}
		}
	}
	return nil
}
