// Package indexing describes pictures and keeps the index of a collection of them up to
// date: what is new is described and added, what has gone is taken out.
package indexing

import (
	"context"
	"time"

	"lookalike/gallery"
	"lookalike/internal/memory"
	"lookalike/picture/album"
)

// fitBytes bounds the vectors that principal components are fitted to, as does
// a quarter of the memory that the process may take. Of larger collections a
// sample is taken, evenly spaced in the order of the paths.
const fitBytes = 1 << 30

// Changes counts what Update did.
type Changes struct {
	Pictures int // in the index now
	Added    int // described, and new
	Changed  int // described anew, for their files have changed
	Moved    int // files under new names, with contents that the index knew
	Dropped  int // gone and not moved, or no pictures any more
	Kept     int // of files that could not be looked at, as in a folder without permission
}

// Watch is told how far Update is. Its functions may be nil.
type Watch struct {
	// How many files have been dealt with, and how many pictures have been read and
	// described; from any goroutine, each one call at a time.
	Done      func(files int)
	Read      func(pictures int)
	Described func(pictures int)

	// Saved is how many pictures the index holds, whatever happens: at the beginning if
	// it exists, and after each transaction.
	Saved func(pictures int)

	// Worked is told, at the end, how long pictures were described in all, and how
	// long of that the network, or the principal components, were at work: the
	// more, the less it waited for files.
	Worked func(all, network time.Duration)
}

// Update brings the index at path, which need not exist, up to date with the
// photographs, which lie below the folder root. Files that cannot be decoded are
// left out and returned with the reason.
//
// Files of the same size and time as in the index count as the same, others are
// compared by their SHA-256; contents that the index knows under another path
// are not described again. What the index has and photos has not is taken out, but
// not if it lies in a folder that cannot be read: it may still be there.
//
// Pictures are written as they are described, once in a second or so; a new index
// gets its name with the first of them, unless there is something of that name by
// then: [fs.ErrExist]. Update may be ended by ctx or by force at any moment, and called again to go on. Ended by
// ctx, it first finishes and writes the batch that d is at work on, of 32 pictures
// at most.
//
// For each file it holds the path, in photos, and about 50 bytes; of files that
// have gone or moved the path once more. Of pictures it holds some batches, so that
// memory does not depend on how many there are: besides what d takes, and the
// decoder for the largest pictures, less than 64 MB. While components are fitted it
// holds the vectors for that.
//
// The files of photos must ascend by path, as [album.Folder] lists them.
//
// The index must have been made in the way of d, or the error is [gallery.ErrOther]. Principal components are fitted
// to the first vectors, at most 1 GiB of them and at most a quarter of the
// process's memory limit, and kept; until then the index holds whole vectors.
func Update(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch) (Changes, []album.Skip, error) {
	if err := d.usable(); err != nil {
		return Changes{}, nil, err
	}
	return update(ctx, path, photos, root, d.of(photos), watch, memory.Share(fitBytes, 4))
}

func update(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch, fitBytes int) (Changes, []album.Skip, error) {
	h := d.head(root)
	w, err := gallery.Write(path, h)
	if err != nil {
		return Changes{}, nil, err
	}
	return bring(ctx, w, h, photos, d, watch, fitBytes)
}

// Remake is Update of an index that is made anew, in place of one at path, which may
// be damaged or of another recipe, but not of another kind. That one stays, and is
// what others read, until the new one stands: it grows in the file [gallery.Unfinished](path),
// and if Remake is ended or fails, both are left. Called again, Remake goes on with
// it, or begins it anew if it was to become another one.
func Remake(ctx context.Context, path string, photos *album.Set, root string, d Describer, watch Watch) (Changes, []album.Skip, error) {
	if err := d.usable(); err != nil {
		return Changes{}, nil, err
	}
	d = d.of(photos)
	if err := d.reach(photos); err != nil {
		return Changes{}, nil, err
	}
	h := d.head(root)
	w, err := gallery.Rewrite(path, h)
	if err != nil {
		return Changes{}, nil, err
	}
	return bring(ctx, w, h, photos, d, watch, memory.Share(fitBytes, 4))
}
