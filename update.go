package lookalike

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/picture/album"
)

// Changes counts what [Update] did.
type Changes struct {
	indexing.Changes
	Skipped []*SkipError // files that could not be read as pictures

	// Describing is how long pictures were described, Modelling how much of that the model
	// was at work: the more, the less it waited for files.
	Describing, Modelling time.Duration
}

// Stage is how far [Update] is, in files and pictures.
type Stage struct {
	Files     int // there are
	Decoded   int // files that have been dealt with: read, or known from before, or left out
	Waiting   int // pictures of these that have been read, and are not described yet
	Described int // pictures by the model
	Saved     int // pictures that the index holds, come what may
}

// UpdateOption says how [Update] works.
type UpdateOption func(*updateOptions)

type updateOptions struct {
	components int
	anew       bool
	pictures   picture.Options
	progress   func(Stage)
	program    string
	leave      []string
}

// Components keeps that many principal components of the vectors: a smaller index, a
// faster search, and often a better one. Each update of an index must be given the same
// number, or it is ErrRecipe.
func Components(n int) UpdateOption { return func(o *updateOptions) { o.components = n } }

// Anew makes a new index in place of one that exists, which may be damaged or made by
// another model. That one stays, and is what others read, until the new one is complete.
// If the update ends before that, the next one with Anew goes on with what it has begun.
func Anew() UpdateOption { return func(o *updateOptions) { o.anew = true } }

// Reading says how pictures are read.
func Reading(p picture.Options) UpdateOption { return func(o *updateOptions) { o.pictures = p } }

// Progress tells how far Update is, from any goroutine, one call at a time.
func Progress(f func(Stage)) UpdateOption { return func(o *updateOptions) { o.progress = f } }

// Program is the name and version of the program that makes the index, for the reader.
func Program(name string) UpdateOption { return func(o *updateOptions) { o.program = name } }

// Leaving leaves files out that are not to be pictures of the index. The index itself and
// the weights of the model always are.
func Leaving(files ...string) UpdateOption { return func(o *updateOptions) { o.leave = files } }

// Update brings an index up to date with the pictures in folders, archives (zip, tar,
// tar.gz) and files, or makes it: what is new is added, what is there no more is taken
// out, what has changed is described again, and renamed files are recognised. It may be
// ended by ctx at any moment, and called again to go on: pictures are saved as they are
// described, about once in a second. While it runs, others search the index; a second
// Update of it gets ErrBusy.
//
// Files that cannot be read as pictures are left out and returned. An index whose vectors
// were made in another way is ErrRecipe. If there is an error, the changes are those that
// were saved.
func Update(ctx context.Context, path string, sources []string, model Model, options ...UpdateOption) (Changes, error) {
	o := newUpdateOptions(options)
	if err := updatable(path, model); err != nil {
		return Changes{}, err
	}
	own := append([]string{path, gallery.Unfinished(path)}, o.leave...)
	if file := model.Recipe().WeightsFile; file != "" {
		own = append(own, file)
	}
	source, set, err := Pictures(sources, o.pictures, own...)
	if err != nil {
		return Changes{}, err
	}
	defer source.Close()
	return UpdateSet(ctx, path, set, source.Root, model, options...)
}

var errNoModel = errors.New("lookalike: the model is nil")

// updatable returns an error unless there is a model, and a name for the index.
func updatable(path string, model Model) error {
	switch {
	case model == nil:
		return errNoModel
	case path == "":
		return errors.New("lookalike: the name of the index is empty")
	}
	return nil
}

func newUpdateOptions(options []UpdateOption) updateOptions {
	o := updateOptions{program: "lookalike"}
	apply(&o, options)
	return o
}

// UpdateSet is [Update] with pictures that have been listed: they lie below the folder
// root, and must ascend by path, as [album.Folder] and [Pictures] list them.
func UpdateSet(ctx context.Context, path string, photos *album.Set, root string, model Model, options ...UpdateOption) (Changes, error) {
	o := newUpdateOptions(options)
	err := updatable(path, model)
	switch {
	case err != nil:
		return Changes{}, err
	case photos == nil:
		return Changes{}, errors.New("lookalike.UpdateSet: the set of pictures is nil")
	}
	d := describe.For(model, o.components)
	d.Recipe.Program = o.program
	if d.Recipe, err = describe.Identify(d.Recipe, earlier(path)); err != nil {
		return Changes{}, fmt.Errorf("lookalike.Update: %w", err)
	}
	bring := indexing.Update
	if o.anew {
		bring = indexing.Remake
	}
	var c Changes
	watch := o.watch(photos.Len())
	watch.Worked = func(all, network time.Duration) { c.Describing, c.Modelling = all, network }
	changes, skips, err := bring(ctx, path, photos, root, d, watch)
	c.Changes, c.Skipped = changes, skipped(skips)
	return c, err
}

// watch tells of all stages together.
func (o *updateOptions) watch(files int) indexing.Watch {
	if o.progress == nil {
		return indexing.Watch{}
	}
	stages := make(chan Stage, 1) // one at a time
	stages <- Stage{Files: files}
	tell := func(note func(*Stage)) {
		s := <-stages
		defer func() { stages <- s }() // even if progress panics: others wait for it
		note(&s)
		o.progress(s)
	}
	return indexing.Watch{
		Done:      func(n int) { tell(func(s *Stage) { s.Decoded = n }) },
		Read:      func(n int) { tell(func(s *Stage) { s.Decoded++; s.Waiting = n - s.Described }) },
		Described: func(n int) { tell(func(s *Stage) { s.Waiting += s.Described - n; s.Described = n }) },
		Saved:     func(n int) { tell(func(s *Stage) { s.Saved = n }) },
	}
}

// earlier is how an index was made, nothing if it cannot be read.
func earlier(path string) Recipe {
	g, err := gallery.Inspect(path)
	if err != nil {
		return Recipe{}
	}
	return g.Recipe
}

// Pictures opens folders, archives and files as one and lists their files, but for those
// of the program itself. The caller closes the source. Nothing to list is ErrNoPictures.
func Pictures(paths []string, o picture.Options, own ...string) (*album.Source, *album.Set, error) {
	if len(paths) == 0 {
		return nil, nil, fmt.Errorf("%w: no folder, archive or file is given", ErrNoPictures)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return nil, nil, fmt.Errorf("there is no folder, picture or archive %s to read pictures from: %w", path, words.Cause(err))
		}
	}
	s, err := album.OpenAll(paths)
	if err != nil {
		return nil, nil, err
	}
	root, err := filepath.Abs(s.Root)
	var set *album.Set
	if err == nil {
		s.Root = root
		set, err = s.Pictures(o)
	}
	if err != nil {
		s.Close()
		return nil, nil, fmt.Errorf("%s: %w", strings.Join(paths, ", "), err)
	}
	if set = set.Without(s.Root, own...); set.Len() == 0 {
		s.Close()
		if s.Kind == "several" {
			return nil, nil, fmt.Errorf("%w: %s hold no files; give folders that pictures lie in, at any depth", ErrNoPictures, strings.Join(paths, ", "))
		}
		return nil, nil, fmt.Errorf("%w: the %s %s holds no files; give one that pictures lie in, at any depth", ErrNoPictures, s.Kind, paths[0])
	}
	return s, set, nil
}

// Watch calls [Update] again and again, with a pause in between, until ctx is done, and
// tells of each call that changed something, left out other files than the last one, or
// failed. It returns the cause of ctx's end, or [ErrClosed] if the model is closed. An
// index that another program writes to just then is left to the next time. An [Index] that
// is open has what is new after [Index.Reload], which told may call.
func Watch(ctx context.Context, pause time.Duration, path string, sources []string, model Model, told func(Changes, error), options ...UpdateOption) error {
	switch {
	case pause <= 0:
		return fmt.Errorf("lookalike.Watch: there must be a pause between two updates; %v is none", pause)
	case model == nil:
		return errNoModel
	case told == nil:
		return errors.New("lookalike.Watch: the function that is told is nil")
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	var skipped []string
	for {
		changes, err := Update(ctx, path, sources, model, options...)
		news := changes.Added+changes.Changed+changes.Moved+changes.Dropped > 0
		if err == nil {
			before := skipped
			skipped = nil
			for _, s := range changes.Skipped {
				skipped = append(skipped, s.Path)
			}
			news = news || !slices.Equal(skipped, before)
		}
		failed := err != nil && ctx.Err() == nil && !errors.Is(err, ErrBusy)
		if news || failed { // news may come with the end, too
			told(changes, err)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fs.ErrClosed): // the model
			return err
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}
