package main

import (
	"context"
	"path/filepath"

	"lookalike"
	"lookalike/picture/album"
)

// index brings an index up to date with pictures below a root, and shows how far it is.
func (a *app) index(ctx context.Context, out string, set *album.Set, root string, model lookalike.Model, options ...lookalike.UpdateOption) (lookalike.Changes, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return lookalike.Changes{}, err
	}
	p := a.Progress("Indexing", "images", set.Len())
	defer p.End()
	defer context.AfterFunc(ctx, func() { p.Reword("Saving what is described; Ctrl-C again ends at once", "Saving") })()
	options = append(options, lookalike.Program("lookalike "+version()), lookalike.Progress(func(s lookalike.Stage) { p.Set(s.Decoded) }))
	changes, err := lookalike.UpdateSet(ctx, out, set, root, model, options...)
	p.End()
	var skips []album.Skip
	for _, s := range changes.Skipped {
		skips = append(skips, album.Skip{Path: s.Path, Reason: s.Err})
	}
	a.report(skips, set.Len())
	return changes, err
}
