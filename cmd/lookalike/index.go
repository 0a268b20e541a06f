package main

import (
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
	"lookalike/describe"
	"lookalike/gallery"
	"lookalike/gallery/indexing"
	"lookalike/internal/words"
	"lookalike/picture"
)

// indexOptions are the flags of index.
type indexOptions struct {
	out      string
	kept     bool // out is where the program keeps it
	fresh    bool
	how      describe.Spec
	pca      int // principal components, 0 for none
	pictures picture.Options
}

func indexCommand(a *app) *cobra.Command {
	var o indexOptions
	cmd := &cobra.Command{
		Use:   "index SOURCE...",
		Short: "Describe all pictures of folders or archives by vectors",
		Long: `Describes every picture below a folder by a vector and writes the vectors to an
index, which search reads. The photographs are neither changed nor copied; the
index knows where they and the model are. Without -o the index is kept in the
user's cache folder, where 'lookalike search SOURCE' finds it.

A source may also be a zip, tar or tar.gz archive, which is read in place, or a
single picture. With several sources, the paths in the index are relative to the
deepest folder that contains all of them; an archive counts as a folder, as in
holiday.zip/beach/1.jpg.

Models (--model):
  vgg16, vgg19   networks trained on ImageNet; find pictures of similar things.
                 --layer chooses the features: by default the output of fc2,
                 4096 numbers, if the weights have dense layers, otherwise
                 block5_pool with each of its 512 channels averaged
  perceptual     no network: brightness and colour, cell by cell; finds copies
                 of a photograph
  FILE           a model of 'lookalike train': an autoencoder finds pictures of
                 similar colour and layout, an embedding finds pictures of the
                 same class

Without --model, an existing index keeps its model; a new one gets vgg16 if its
weights have been fetched, otherwise perceptual.

--pca keeps the principal components of the vectors: the index is smaller, the
search faster, and often better. They are fitted in the first run and kept in the
index; pictures that are added later use the same ones. --fresh fits them again.

--fresh builds a new index in PHOTOS.idx.new, which replaces the old one when it is
complete. Until then the old one can be searched. A run that was stopped goes on
when the same command is given again.

An existing index is brought up to date: new pictures are added, missing ones
removed, changed ones (by size or time, then content) described again, and renamed
files recognised by their content. Pictures in a folder that cannot be read are
kept. A run that would make different vectors, by another model or layer, is
refused. Pictures are saved about once a second, so the command can be stopped at
any time and goes on when it is given again. After Ctrl-C it finishes the pictures
that the network is working on, and says how long that takes. Others can search
meanwhile; only one run at a time can write to an index.

Other files are left out: one line counts them by kind, and names the pictures that are
damaged. --verbose names all, and --skipped FILE writes the list to a file.`,
		Example: `  lookalike index photos
  lookalike index photos -o photos.idx --model model.safetensors
  lookalike index photos -o photos.idx --model vgg16
  lookalike index photos holiday.zip old/album.tar.gz -o all.idx --model vgg16
  lookalike index photos -o p.idx --model vgg16 --weights vgg16.h5 --pca 100`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cli.Arguments("SOURCE")(nil, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return describeSources(cmd, a, args, o) },
	}
	cmd.Flags().StringVarP(&o.out, "output", "o", "", "write the index to `FILE` (default: one in the user's cache folder, which 'lookalike search SOURCE' finds)")
	cmd.Flags().BoolVar(&o.fresh, "fresh", false, "make the index anew, in place of one that exists")
	indexModelFlags(cmd, &o.how, &o.pca)
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

// describeSources brings the index of pictures in folders, files and archives up to
// date.
func describeSources(cmd *cobra.Command, a *app, paths []string, o indexOptions) error {
	start := time.Now()
	changes, err := bring(cmd, a, paths, &o)
	if err != nil {
		return err
	}
	g, err := gallery.Inspect(o.out)
	if err != nil {
		return err
	}
	a.Print("%s: %s, %s, %.1f s%s", o.out, words.Count(changes.Pictures, "picture"), vectors(g), time.Since(start).Seconds(), changed(changes.Changes))
	if n := changes.Added + changes.Changed; n > 0 && changes.Describing > 0 {
		rate := words.PerSecond(float64(n)/changes.Describing.Seconds()) + " pictures a second"
		if g.Recipe.Model != describe.Perceptual {
			rate += fmt.Sprintf(", the network at work %.0f%% of the time", 100*changes.Modelling.Seconds()/changes.Describing.Seconds())
		}
		fmt.Fprintln(a.Out, rate)
	}
	if changes.Added == changes.Pictures { // it is new
		of := o.out
		if o.kept {
			of = paths[0]
		}
		a.Next("search", of, indexPrefix+"0")
	}
	return nil
}

// bring brings the index o.out up to date, or the one that is kept of these sources, whose
// name it then notes in o.
func bring(cmd *cobra.Command, a *app, paths []string, o *indexOptions) (lookalike.Changes, error) {
	var none lookalike.Changes
	imply(cmd, &o.how)
	if err := checkModel(cmd, o.how); err != nil {
		return none, err
	}
	o.how.Cache = a.cache
	if err := o.place(paths); err != nil {
		return none, err
	}
	model, options, err := o.open(cmd, a)
	if err != nil {
		return none, err
	}
	defer model.Close()
	file := model.Recipe().WeightsFile
	if err := cli.CheckOutput(o.out, file); err != nil {
		return none, err
	}
	for _, path := range paths {
		if isIndex(path) {
			return none, cli.Usagef("%s is an index, not pictures; to bring it up to date, give the folder: lookalike index FOLDER -o %s", path, cli.Quoted(path))
		}
	}
	source, set, err := lookalike.Pictures(paths, o.pictures, o.out, gallery.Unfinished(o.out), file)
	if err != nil {
		return none, err
	}
	defer source.Close()
	if err := replaceable(&a.Terminal, *o); err != nil {
		return none, err
	}
	if o.fresh {
		options = append(options, lookalike.Anew())
	}
	changes, err := updateIndex(cmd.Context(), &a.Terminal, o.out, set, source.Root, model, options...)
	if err != nil && cmd.Context().Err() != nil && changes.Pictures > 0 {
		return changes, cli.StoppedError(o.stopped(changes.Pictures))
	}
	return changes, err
}

// place gives the index a name if none was given: the one under which it is kept.
func (o *indexOptions) place(paths []string) error {
	if o.out != "" {
		return nil
	}
	name := o.how.Name
	if name == "" {
		name = describe.Best(o.how.Cache).Name
		if file, err := lookalike.Kept(o.how.Cache, paths, "vgg16"); err == nil && isIndex(file) {
			name = "vgg16" // whose weights may be elsewhere
		}
	}
	var err error
	if o.out, err = lookalike.Kept(o.how.Cache, paths, name); err != nil {
		return err
	}
	o.kept = true
	return os.MkdirAll(filepath.Dir(o.out), 0o777)
}

// open opens the model that is asked for. If none is, it is that of the index, or the best
// on this machine for a new one; then what is not given otherwise is as in the index.
func (o *indexOptions) open(cmd *cobra.Command, a *app) (lookalike.Model, []lookalike.UpdateOption, error) {
	options := []lookalike.UpdateOption{lookalike.Components(o.pca)}
	if o.how.Name == "" {
		head, err := gallery.ReadHead(o.out)
		switch {
		case err == nil:
			if !cmd.Flags().Changed("ignore-orientation") {
				o.pictures = head.Recipe.Options()
			}
			model, made, err := lookalike.MadeBy(o.out, lookalike.Cache(a.cache))
			if flag := cmd.Flags().Lookup("pca"); flag != nil && flag.Changed {
				made = append(made, options...)
			}
			return model, made, err
		case !errors.Is(err, fs.ErrNotExist):
			return nil, nil, err
		}
		o.how = describe.Best(a.cache)
		o.suggest(a)
	}
	model, err := openModel(o.how)
	return model, options, err
}

// suggest says what a better model than the best one here needs.
func (o *indexOptions) suggest(a *app) {
	if o.how.Name != describe.Perceptual {
		return
	}
	_, err := describe.Spec{Name: "vgg16", Cache: a.cache}.File()
	if missing, ok := errors.AsType[*describe.WeightsError](err); ok {
		f := missing.Smallest()
		a.Warn("note: without the weights of a network, copies of a photograph are found, but not other pictures of the same things; 'lookalike weights fetch %s' gets some (%s)", f.Name, words.Megabytes(f.Size))
	}
}

// stopped says what there is after a signal, and how to go on.
func (o *indexOptions) stopped(pictures int) string {
	holds := words.Count(pictures, "picture")
	next := gallery.Unfinished(o.out)
	if _, err := os.Stat(next); o.fresh && err == nil {
		return fmt.Sprintf("stopped; %s is as it was, and %s holds %s; to go on, give the same command again", o.out, next, holds)
	}
	return fmt.Sprintf("stopped; %s holds %s; to go on, give the same command again", o.out, holds)
}

// replaceable refuses to write where something is that is no index, or an index that
// cannot be brought up to date and is not to be made anew.
func replaceable(t *cli.Terminal, o indexOptions) error {
	g, err := gallery.Inspect(o.out)
	_, unread := errors.AsType[*fs.PathError](err)
	damaged, old := errors.Is(err, gallery.ErrDamaged), errors.Is(err, gallery.ErrOld)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case o.fresh && (err == nil || damaged || old):
		return nil
	case damaged, old, unread: // which tells nothing of what is there
		return err
	case err != nil:
		return fmt.Errorf("%s exists and cannot be read as an index, so it is not replaced (%w); remove it or choose another name", o.out, err)
	}
	doubt(t, o.out, g)
	return nil
}

// changed says in words what was done to an index that was there before.
func changed(c indexing.Changes) string {
	if c.Added == c.Pictures {
		return ""
	}
	var did []string
	for _, d := range []struct {
		n    int
		what string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Moved, "renamed or copied"}, {c.Dropped, "dropped"}, {c.Kept, "kept that could not be looked at"}} {
		if d.n > 0 {
			did = append(did, fmt.Sprintf("%d %s", d.n, d.what))
		}
	}
	if did == nil {
		return " (nothing has changed)"
	}
	return " (" + strings.Join(did, ", ") + ")"
}
