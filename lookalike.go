// Package lookalike finds similar pictures: it describes photographs by vectors, keeps
// the vectors in an index, and searches them exactly.
//
// An index is made, and brought up to date, by [Update] with a [Model], and searched by
// [Open] and [Index.Search]:
//
//	model, err := lookalike.VGG16(lookalike.WeightsFile(file), lookalike.Layer("block5_pool"), lookalike.Average)
//	changes, err := lookalike.Update(ctx, "photos.idx", []string{"photos"}, model)
//
//	ix, err := lookalike.Open("photos.idx")
//	defer ix.Close()
//	hits, err := ix.Search(ctx, lookalike.File("holiday.jpg"), 5)
//
// An open index also finds duplicates ([Index.Duplicates]), says how good its searches are
// ([Index.Evaluate]) and up to which distance pictures match ([Index.FindThreshold]), and
// lays its pictures out as a map ([Index.Layout]).
//
// What is beneath is public, too: package nn has networks and their training, vgg and
// autoencoder two of them, picture reads photographs, gallery is the index on disk, knn
// searches vectors, describe has the models and lets others be registered.
package lookalike

import (
	"errors"
	"fmt"
	"io/fs"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/picture/album"
)

// Errors, for [errors.Is]. Those of an index that cannot be used as it is, ErrDamaged,
// ErrOld and ErrRecipe, leave no way but another name, or the option [Anew] of [Update].
var (
	ErrDamaged  = gallery.ErrDamaged  // the index is damaged
	ErrOld      = gallery.ErrOld      // an older version made the index, in a format that is read no more
	ErrBusy     = gallery.ErrBusy     // another program, or another part of this one, writes to the index
	ErrRecipe   = gallery.ErrOther    // vectors of the index and of the model cannot be compared; where recipes differ, it is a RecipeError
	ErrNotIndex = gallery.ErrNotIndex // the file is not an index
	ErrNoModel  = describe.ErrNoModel // the model of the index is at none of the places where it is looked for; see ModelFile
	ErrClosed   = fs.ErrClosed        // the index, or the model, has been closed

	// ErrImported is of an index whose vectors another program has made: no other picture
	// can be described in the same way. It can be searched by Row, Path and Vector.
	ErrImported = describe.ErrImported

	// ErrNoPictures is that there is nothing to describe.
	ErrNoPictures = errors.New("no pictures")
)

// RecipeError has both recipes where vectors cannot be compared, for [errors.As].
type RecipeError = gallery.RecipeError

// Entry is a picture of an index: its path, label and size in pixels.
type Entry = gallery.Entry

// Recipe says how a picture became a vector.
type Recipe = gallery.Recipe

// SkipError is of a file that cannot be used as a picture and was left out. Its Err is a
// [*picture.KindError] where the file is not a picture, or in a format that is not read.
type SkipError struct {
	Path string
	Err  error // which does not repeat the path
}

func (e *SkipError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }
func (e *SkipError) Unwrap() error { return e.Err }

// skipped makes errors of what was left out.
func skipped(skips []album.Skip) []*SkipError {
	var list []*SkipError
	for _, s := range skips {
		list = append(list, &SkipError{s.Path, s.Reason})
	}
	return list
}
