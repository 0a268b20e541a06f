package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lookalike"
	"lookalike/autoencoder"
	"lookalike/cmd/lookalike/internal/cli"
	"lookalike/describe"
	"lookalike/internal/atomicfile"
	"lookalike/internal/sample"
	"lookalike/internal/sheet"
	"lookalike/internal/words"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/training"
)

// What the demo does: enough to be worth looking at after a minute.
const (
	demoPerClass = 20   // pictures drawn of each class
	demoDrawn    = 160  // their side in pixels
	demoLearn    = 200  // pictures learned from, of a real folder
	demoIndex    = 2000 // pictures indexed, of a real folder
	demoSize     = 64   // side of what the network sees
	demoBatch    = 4    // small: of few pictures it makes many steps
	demoQueries  = 6    // rows of the contact sheet
	demoNear     = 5    // neighbours of each
)

// demoMark begins the text that tells a folder that the demo may write to.
const demoMark = "Made by lookalike demo."

type demoOptions struct {
	photos   string
	out      string
	epochs   int
	seed     uint64
	pictures picture.Options
}

func demoCommand(a *app) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole job in about a minute",
		Long: fmt.Sprintf(`Draws a gallery of %d pictures of %d kinds of scenes and shows which ones are found
alike: by VGG16, if its weights have been fetched ('lookalike weights fetch
vgg16-notop'), else by the model perceptual, as 'lookalike search' does. Then it
trains an autoencoder on them, describes each by a short code, and shows what that
finds alike: colour and layout. At the end it says what to do with photographs of
your own. With --photos it does all this with them at once: it learns from %d and
searches among %d, evenly spaced over the folder.

The folder that --out names must be new, empty, or of an earlier demo, which is
overwritten. Nothing else is touched.`, len(sample.Classes())*demoPerClass, len(sample.Classes()), demoLearn, demoIndex),
		Example: `  lookalike demo
  lookalike demo --photos ~/Pictures --out my-demo`,
		Args: cli.Arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := demo(cmd.Context(), a, o)
			if err != nil && cmd.Context().Err() != nil {
				return cli.StoppedError(fmt.Sprintf("stopped; %s is not complete", o.out))
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.photos, "photos", "", "use the pictures in `DIR` in place of drawn ones")
	f.StringVar(&o.out, "out", "lookalike-demo", "write the results to `DIR`")
	f.IntVar(&o.epochs, "epochs", 30, "learn from every picture `N` times")
	f.Uint64Var(&o.seed, "seed", 1, "draw pictures, first weights and order from `N`")
	orientationFlag(cmd, &o.pictures.IgnoreOrientation)
	return cmd
}

func demo(ctx context.Context, a *app, o demoOptions) error {
	if o.epochs < 1 {
		return cli.Usagef("--epochs %d: give 1 or more", o.epochs)
	}
	dir, files, err := demoPictures(ctx, a, o)
	if err != nil {
		return err
	}
	photos, err := check(ctx, &a.Terminal, dir, files, demoIndex)
	if err != nil {
		return err
	}
	how := describe.Best(a.cache)
	best, err := how.Open()
	if err != nil {
		return err
	}
	defer best.Close()
	content, err := demoSearch(ctx, a, o, "photos.idx", best, photos, dir)
	if err != nil {
		return err
	}
	if err := demoSheet(&a.Terminal, o.file("similar.png"), photos, content.neighbors); err != nil {
		return err
	}

	learned := photos.Limit(demoLearn)
	m, took, err := demoTraining(ctx, &a.Terminal, o, learned)
	if err != nil {
		return err
	}
	codes, err := describe.Codes(m, o.file("model.safetensors"))
	if err != nil {
		return err
	}
	layout, err := demoSearch(ctx, a, o, "codes.idx", codes, photos, dir)
	if err != nil {
		return err
	}
	if err := demoSheet(&a.Terminal, o.file("similar-codes.png"), photos, layout.neighbors); err != nil {
		return err
	}
	shown, err := prepared(m, photos)
	if err != nil {
		return err
	}
	if err := reconstructions(ctx, o.file("reconstructions.png"), m, shown); err != nil {
		return err
	}

	few := ""
	if files.Len() > demoIndex {
		few = fmt.Sprintf(", evenly spaced over the %d files in %s", files.Len(), dir)
	}
	with := describe.Words(best.Recipe()) + ", which recognises things"
	if !how.IsNetwork() {
		with = "the perceptual description, which recognises copies of a picture, not things"
	}
	fmt.Fprintf(a.Out, "Indexed %s%s, with %s.%s\n", words.Count(len(content.entries), "picture"), few, with, content.ofItsClass())
	fmt.Fprintf(a.Out, "Learned from %s for %s in %s: an autoencoder, which recognises colour and layout.%s\n\n",
		words.Count(learned.Len(), "picture"), words.Count(o.epochs, "epoch"), words.Duration(took.Seconds()), layout.ofItsClass())
	for _, f := range demoFiles {
		fmt.Fprintf(a.Out, "  %-*s  %s\n", len(o.file("reconstructions.png")), o.file(f.name), f.what)
	}
	o.next(a.Out, photos, how)
	return nil
}

// next tells what to do with photographs of one's own.
func (o *demoOptions) next(w io.Writer, photos *album.Set, how describe.Spec) {
	own, picture := "photos", "picture.jpg"
	if o.photos != "" {
		own, picture = o.photos, filepath.Join(o.photos, filepath.FromSlash(photos.Path(photos.Len()/3)))
	}
	fmt.Fprintf(w, "\nNow with photographs of your own:\n")
	commands := [][]string{{"search", own, picture}, {"dups", own}, {"train", own, "-o", "model.safetensors"}}
	if !how.IsNetwork() {
		fmt.Fprintf(w, "  %s   (59 MB, once: then things are found)\n", cli.Typed("weights", "fetch", "vgg16-notop"))
	}
	for _, command := range commands {
		fmt.Fprintf(w, "  %s\n", cli.Typed(command...))
	}
}

// file is where a result is written.
func (o *demoOptions) file(name string) string { return filepath.Join(o.out, name) }

// demoPictures makes the folder of the results and returns the folder of pictures
// with its files: those that are given, or drawn ones.
func demoPictures(ctx context.Context, a *app, o demoOptions) (dir string, files *album.Set, err error) {
	if o.photos != "" { // a mistake there comes before anything is written
		if files, err = folder(o.photos, o.pictures); err != nil {
			return "", nil, err
		}
		return o.photos, files, demoFolder(&a.outputs, o.out)
	}
	if err := demoFolder(&a.outputs, o.out); err != nil {
		return "", nil, err
	}
	dir = o.file("photos")
	if err := drawGallery(ctx, &a.Terminal, dir, o.seed); err != nil {
		return "", nil, err
	}
	files, err = folder(dir, o.pictures)
	return dir, files, err
}

// demoTraining trains an autoencoder and tells how long that took.
func demoTraining(ctx context.Context, t *cli.Terminal, o demoOptions, photos *album.Set) (*autoencoder.Model, time.Duration, error) {
	c, err := training.OpenAutoencoder(o.file("model.safetensors"), autoencoder.Config{Size: demoSize},
		training.Epochs(o.epochs), training.Batch(demoBatch), training.Seed(o.seed), training.Anew())
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	if _, err := c.Divide(photos); err != nil {
		return nil, 0, err
	}
	start := time.Now()
	shown := showTraining(t, photos.Len(), 0, o.epochs)
	defer shown.End()
	_, err = c.Train(ctx, drawCurve(c, o.file("loss.png"), "Mean squared error of the reconstructions"), shown)
	return c.Autoencoder(), time.Since(start), err
}

// demoFound is what is found near each picture of an index.
type demoFound struct {
	entries   []lookalike.Entry
	neighbors [][]lookalike.Hit
}

// demoSearch indexes the pictures of a folder anew and finds the nearest of each.
func demoSearch(ctx context.Context, a *app, o demoOptions, name string, model lookalike.Model, photos *album.Set, dir string) (f demoFound, err error) {
	index := o.file(name)
	if _, err := updateIndex(ctx, &a.Terminal, index, photos, dir, model, lookalike.Anew()); err != nil {
		return f, err
	}
	x, err := lookalike.Open(index)
	if err != nil {
		return f, err
	}
	defer x.Close()
	queries := make([]lookalike.Query, x.Len())
	for row := range queries {
		queries[row] = lookalike.Row(row)
	}
	f.entries = x.Entries()
	f.neighbors, err = x.SearchAll(ctx, queries, demoNear, lookalike.ExceptSelf())
	return f, err
}

// ofItsClass says how good that is, in a sentence, if it can be told.
func (f demoFound) ofItsClass() string {
	hits, chance, ok := sameLabel(f.entries, f.neighbors)
	if !ok {
		return ""
	}
	return fmt.Sprintf("\n  Of each picture's %d nearest neighbours %.1f%% are of its class (by chance %.1f%%).", demoNear, 100*hits, 100*chance)
}

// demoFiles are the results, for the report and for the folder's own text.
var demoFiles = []struct{ name, what string }{
	{"similar.png", "pictures and their nearest neighbours"},
	{"photos.idx", "the index that found them"},
	{"similar-codes.png", "the same by the autoencoder"},
	{"reconstructions.png", "pictures and their reconstructions"},
	{"loss.png", "the loss, epoch by epoch"},
	{"model.safetensors", "the autoencoder"},
	{"codes.idx", "the index of its codes"},
}

// demoFolder makes the folder for the results, or makes sure that an existing
// one may be used, for this run alone.
func demoFolder(outputs *cli.Outputs, dir string) error {
	mark := filepath.Join(dir, "README.txt")
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".lookalike-") }) // of a run that was killed
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("cannot make the folder for the results: %w", err)
		}
	case err != nil:
		return fmt.Errorf("cannot write the results to %s: %w", dir, errors.Unwrap(err))
	case len(entries) > 0:
		if text, err := os.ReadFile(mark); err != nil || !bytes.HasPrefix(text, []byte(demoMark)) {
			return fmt.Errorf("the folder %s holds other files than a demo's; choose another one with --out", dir)
		}
	}
	if err := outputs.Reserve(mark); err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintln(&text, demoMark+" The next demo overwrites these files.")
	fmt.Fprintln(&text)
	for _, f := range demoFiles {
		fmt.Fprintf(&text, "%-19s  %s\n", f.name, f.what)
	}
	return atomicfile.Write(mark, func(w io.Writer) error {
		_, err := io.WriteString(w, text.String())
		return err
	})
}

// drawGallery writes the drawn pictures as DIR/CLASS/NAME.png.
func drawGallery(ctx context.Context, t *cli.Terminal, dir string, seed uint64) error {
	n := 0
	p := t.Progress("Drawing pictures", "images", len(sample.Classes())*demoPerClass)
	defer p.End()
	for drawn := range sample.Gallery(seed, demoPerClass, demoDrawn) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(dir, drawn.Class), 0o755); err != nil {
			return err
		}
		if err := sheet.Write(filepath.Join(dir, drawn.Class, drawn.Name+".png"), drawn.Image); err != nil {
			return err
		}
		n++
		p.Set(n)
	}
	return nil
}

// sameLabel returns which part of all neighbours have their picture's label, and
// which part would if neighbours were drawn by lot. It is not ok if there are no
// two labels to tell apart.
func sameLabel(entries []lookalike.Entry, neighbors [][]lookalike.Hit) (hits, chance float64, ok bool) {
	sizes := map[string]int{}
	for _, e := range entries {
		sizes[e.Label]++
	}
	same, all, pairs := 0, 0, 0
	for i, list := range neighbors {
		for _, n := range list {
			if n.Label == entries[i].Label {
				same++
			}
		}
		all += len(list)
		pairs += sizes[entries[i].Label] - 1
	}
	if len(sizes) < 2 || all == 0 {
		return 0, 0, false
	}
	n := len(entries)
	return float64(same) / float64(all), float64(pairs) / float64(n) / float64(n-1), true
}

// demoSheet shows some pictures, evenly spaced, with their neighbours.
func demoSheet(t *cli.Terminal, path string, photos *album.Set, neighbors [][]lookalike.Hit) error {
	var cells []sheet.Cell
	var names []string
	cell := func(row int, title string) error {
		p, err := photos.Load(row)
		if err == nil {
			cells = append(cells, sheet.Cell{Image: p.On(255).RGBA(), Title: title, Name: words.Printable(photos.Path(row))})
			names = append(names, photos.Path(row))
		}
		return err
	}
	for _, row := range training.Evenly(demoQueries, photos.Len()) {
		if err := cell(row, "Original image"); err != nil {
			return err
		}
		for i, n := range neighbors[row] {
			if err := cell(n.Row, fmt.Sprintf("%d: Dist=%.3f", i+1, n.Distance)); err != nil {
				return err
			}
		}
	}
	t.Undrawn(sheet.Undrawn(names...))
	return sheet.Write(path, sheet.Contact(cells, sheet.Options{Columns: 1 + min(demoNear, photos.Len()-1)}))
}
