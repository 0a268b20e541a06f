package main

import (
	"context"
	"path/filepath"
	"time"

	"lookalike/gallery"
	"lookalike/picture"
)

// worked is how long pictures were described, and how much of that the network
// was at work.
type worked struct{ all, network time.Duration }

// index brings an index up to date, by gallery.Update, or makes it anew, by
// gallery.Remake, with pictures below a root and shows how far it is.
func (a *app) index(ctx context.Context, bring func(context.Context, string, *picture.Set, string, gallery.Describer, gallery.Watch) (gallery.Changes, []picture.Skip, error), out string, set *picture.Set, root string, d gallery.Describer) (gallery.Changes, worked, error) {
	var w worked
	root, err := filepath.Abs(root)
	if err != nil {
		return gallery.Changes{}, w, err
	}
	d.Recipe.Program = "lookalike " + version()
	p := a.Progress("Indexing", "images", set.Len())
	defer p.End()
	defer context.AfterFunc(ctx, func() { p.Reword("Saving what is described; Ctrl-C again ends at once", "Saving") })()
	changes, skips, err := bring(ctx, out, set, root, d, gallery.Watch{
		Done:   func(n int) { p.Set(n) },
		Worked: func(all, network time.Duration) { w = worked{all, network} },
	})
	p.End()
	a.report(skips, set.Len())
	return changes, w, err
}
