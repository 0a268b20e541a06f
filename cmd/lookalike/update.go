package main

import (
	"context"
	"path/filepath"

	"lookalike"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/picture/album"
)

// batch is how many pictures an update describes at a time, at most: see [indexing.Update].
const batch = 32

// updateIndex brings an index up to date with pictures below a root, and shows how far it is.
func updateIndex(ctx context.Context, t *cli.Terminal, out string, set *album.Set, root string, model lookalike.Model, options ...lookalike.UpdateOption) (lookalike.Changes, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return lookalike.Changes{}, err
	}
	p := t.Progress("Indexing", "images", set.Len())
	defer p.End()
	defer context.AfterFunc(ctx, func() { p.Stopping("describing and saving what the model is at work on") })()
	show := func(s lookalike.Stage) {
		p.SetAhead(s.Decoded-s.Waiting, min(s.Waiting, batch))
		if s.Described == 0 && s.Waiting == 0 {
			p.Restart() // of pictures that the index has, and of other files, follows nothing
		}
	}
	options = append(options, lookalike.Program("lookalike "+version()), lookalike.Progress(show))
	changes, err := lookalike.UpdateSet(ctx, out, set, root, model, options...)
	p.End()
	var skips []album.Skip
	for _, s := range changes.Skipped {
		skips = append(skips, album.Skip{Path: s.Path, Reason: s.Err})
	}
	report(t, skips, set.Len())
	return changes, err
}
