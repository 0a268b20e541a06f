//go:build !wasm

package indexing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.etcd.io/bbolt"

	"lookalike/gallery"
	"lookalike/gallery/internal/gallerytest"
	"lookalike/knn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// pixels is what most pictures are described by here.
type pixels struct{ gallerytest.Pixels }

func (b *pixels) describer() Describer {
	return Describer{Recipe: b.Recipe(), Width: b.Width(), Prepare: b.Prepare, Describe: b.Describe}
}

var (
	example   = gallerytest.Example
	save      = gallerytest.Save
	plain     = gallerytest.Plain
	colours   = gallerytest.Colours
	folder    = gallerytest.Folder
	onlyIndex = gallerytest.OnlyIndex
)

// build makes an index anew.
func build(t *testing.T, photos *album.Set, root string, d Describer) (*gallery.Gallery, []album.Skip, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "photos.idx")
	_, skips, err := Update(t.Context(), path, photos, root, d, Watch{})
	if err != nil {
		if exists(path) {
			t.Error("an index was left")
		}
		return nil, skips, err
	}
	g, err := gallery.Open(path)
	return g, skips, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Every picture has its own vector and size, in the order of the paths, though
// some files are no pictures and batches end where they do.
func TestBuild(t *testing.T) {
	files := fstest.MapFS{}
	var paths []string
	for i := range 75 {
		path := fmt.Sprintf("%c/%02d.png", 'a'+i/40, i)
		paths = append(paths, path)
		files[path] = plain(t, 1+i%7, 2+i%5, color.RGBA{R: uint8(i), G: 7, B: uint8(255 - i)})
	}
	files["a/notes.txt"] = &fstest.MapFile{Data: []byte("not a picture")}
	files["b/50.png"] = &fstest.MapFile{Data: files["b/50.png"].Data[:40]}

	var b pixels
	var told []int
	path := filepath.Join(t.TempDir(), "photos.idx")
	changes, skips, err := Update(t.Context(), path, folder(t, files), "/photos", b.describer(), Watch{Done: func(n int) { told = append(told, n) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Changes{Pictures: 74, Added: 74}); changes != want {
		t.Errorf("changes %+v, want %+v", changes, want)
	}
	g, err := gallery.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{8, 32, 32, 2}; !slices.Equal(b.Batches, want) {
		t.Errorf("batches of %v, want %v", b.Batches, want)
	}
	for i, n := range told {
		if n != i {
			t.Fatalf("told of %v", told)
		}
	}
	if len(told) != len(files)+1 {
		t.Errorf("told of %d files, there are %d", len(told), len(files))
	}
	if len(skips) != 2 || skips[0].Path != "a/notes.txt" || skips[1].Path != "b/50.png" || strings.Contains(skips[1].Reason.Error(), "50.png") {
		t.Errorf("skipped %v", skips)
	}
	if g.Root != "/photos" || g.Recipe.Model != "pixel" || len(g.Entries) != 74 {
		t.Fatalf("root %q, recipe %v, %d entries", g.Root, g.Recipe, len(g.Entries))
	}
	row := 0
	for i, path := range paths {
		if i == 50 {
			continue
		}
		want := gallery.Entry{Path: path, Label: path[:1], Width: 1 + i%7, Height: 2 + i%5}
		if got := g.Entries[row]; got != want {
			t.Errorf("entry %d is %v, want %v", row, got, want)
		}
		if got, want := g.Vectors.Row(row), []float32{float32(i), 7, float32(255 - i)}; !slices.Equal(got, want) {
			t.Errorf("vector %d is %v, want %v", row, got, want)
		}
		row++
	}
}

// Sizes are those of the picture set upright, also where Prepare has nothing to
// do.
func TestBuildUpright(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 24, 16)), nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01" + // big endian, one entry:
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // orientation 6
		"\x00\x00\x00\x00"
	turned := slices.Concat(b.Bytes()[:2], []byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, []byte(exif), b.Bytes()[2:])
	d := new(pixels).describer()
	d.Prepare = func(m *picture.Image) *picture.Image { return m }
	g, skips, err := build(t, folder(t, fstest.MapFS{"turned.jpg": {Data: turned}}), "", d)
	if err != nil || len(skips) > 0 {
		t.Fatal(err, skips)
	}
	if want := (gallery.Entry{Path: "turned.jpg", Width: 16, Height: 24}); g.Entries[0] != want {
		t.Errorf("entry %v, want %v", g.Entries[0], want)
	}
}

func TestBuildErrors(t *testing.T) {
	good := fstest.MapFS{"a.png": plain(t, 2, 2, color.RGBA{}), "b.png": plain(t, 2, 2, color.RGBA{})}

	t.Run("nothing usable", func(t *testing.T) {
		bad := fstest.MapFS{"a.png": {Data: []byte("x")}, "b.png": {}}
		_, skips, err := build(t, folder(t, bad), "photos", new(pixels).describer())
		if err == nil || !strings.Contains(err.Error(), "photos") || len(skips) != 2 {
			t.Errorf("error %v, skipped %v", err, skips)
		}
	})
	t.Run("no files", func(t *testing.T) {
		if _, _, err := build(t, folder(t, fstest.MapFS{}), "photos", new(pixels).describer()); err == nil {
			t.Error("no error")
		}
	})
	t.Run("stopped", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := Update(ctx, t.TempDir()+"/a.idx", folder(t, good), "photos", new(pixels).describer(), Watch{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("not a number", func(t *testing.T) {
		d := new(pixels).describer()
		d.Describe = func(_ context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
			v := tensor.New(len(batch), 3)
			v.Row(1)[2] = float32(math.NaN())
			return v, nil
		}
		_, _, err := build(t, folder(t, good), "photos", d)
		if err == nil || !strings.Contains(err.Error(), "b.png") || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("error %v", err)
		}
	})
}

// Vectors are brought to principal components, fitted to all of them or, where
// they are too many, to a sample.
func TestBuildComponents(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 60 {
		files[fmt.Sprintf("%02d.png", i)] = plain(t, 2, 2, color.RGBA{R: uint8(i), G: uint8(2 * i), B: uint8(i * i)})
	}
	d := new(pixels).describer()
	plain, _, err := build(t, folder(t, files), "", d)
	if err != nil {
		t.Fatal(err)
	}
	d.Components = 2
	for _, fitBytes := range []int{1 << 20, 20 * 3 * 4} {
		var b pixels
		d.Describe = b.describer().Describe
		var told int
		path := filepath.Join(t.TempDir(), "photos.idx")
		_, skips, err := update(t.Context(), path, folder(t, files), "", d, Watch{Done: func(n int) { told = n }}, fitBytes)
		if err != nil || len(skips) > 0 || told != 60 {
			t.Fatal(err, skips, told)
		}
		g, err := gallery.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		described := 0
		for _, n := range b.Batches {
			described += n
		}
		if described != 60 {
			t.Errorf("%d pictures described", described)
		}
		if !slices.Equal(g.Vectors.Shape(), []int{60, 2}) || g.PCA == nil || len(g.Recipe.PCA) != 64 {
			t.Fatalf("vectors %v, recipe %+v", g.Vectors, g.Recipe)
		}
		// Colours lie in a plane, so two components tell all.
		for i, v := range g.PCA.Inverse(g.Vectors).Data() {
			if want := plain.Vectors.Data()[i]; !(math.Abs(float64(v-want)) <= 1e-3) {
				t.Fatalf("value %d is %v, want %v", i, v, want)
			}
		}
	}
	for _, k := range []int{-1, 4, 61} {
		d.Components = k
		if _, _, err := build(t, folder(t, files), "", d); err == nil || !strings.Contains(err.Error(), "values each have 1 to 3") {
			t.Errorf("%d components: error %v", k, err)
		}
	}
}

// An error of the network ends the work.
func TestBuildStopsWithTheNetwork(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 200 {
		files[fmt.Sprintf("%03d.png", i)] = plain(t, 2, 2, color.RGBA{})
	}
	broken := errors.New("the network is broken")
	d := new(pixels).describer()
	d.Describe = func(context.Context, []*picture.Image) (*tensor.Tensor, error) { return nil, broken }
	if _, _, err := build(t, folder(t, files), "", d); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// Ended by the context, a run still finishes the batch that the network is at work
// on, and saves it.
func TestUpdateStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	d := new(pixels).describer()
	pixel := d.Describe
	d.Describe = func(ctx context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
		stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return pixel(ctx, batch)
	}
	path := filepath.Join(t.TempDir(), "photos.idx")
	changes, _, err := Update(ctx, path, folder(t, colours(t, 200)), "", d, Watch{})
	if !errors.Is(err, context.Canceled) || changes.Added != firstBatch {
		t.Errorf("%+v, error %v", changes, err)
	}
	if g, err := gallery.Open(path); err != nil || len(g.Entries) != firstBatch {
		t.Errorf("in the index are %d pictures, error %v", len(g.Entries), err)
	}
}

// After any history an index is what a new one of the same folder would be, and
// nothing is described that need not be.
func TestUpdate(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := colours(t, 300)
	for round := range 20 {
		var b pixels
		changes, _, err := Update(t.Context(), path, folder(t, files), "photos", b.describer(), Watch{})
		if err != nil {
			t.Fatal(err)
		}
		described := 0
		for _, n := range b.Batches {
			described += n
		}
		if described != changes.Added+changes.Changed || round > 0 && described > 60 {
			t.Errorf("round %d: %d described, %+v", round, described, changes)
		}
		got, err := gallery.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := build(t, folder(t, files), "photos", new(pixels).describer())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: another index than a new one (%v)", round, err)
		}
		none := new(pixels)
		if again, _, err := Update(t.Context(), path, folder(t, files), "photos", none.describer(), Watch{}); err != nil || again != (Changes{Pictures: len(files)}) || len(none.Batches) > 0 {
			t.Fatalf("nothing new: %+v, %v", again, err)
		}
		paths := slices.Sorted(maps.Keys(files))
		for range 20 {
			p, q := paths[rng.IntN(len(paths))], paths[rng.IntN(len(paths))]
			f := files[p]
			switch {
			case f == nil || files[q] == nil:
			case rng.IntN(5) == 0: // new
				files[fmt.Sprintf("%s-%d.png", p, round)] = plain(t, 2, 2, color.RGBA{B: uint8(rng.IntN(256))})
			case rng.IntN(4) == 0: // gone
				delete(files, p)
			case rng.IntN(3) == 0: // other content of the same size, or not
				files[p] = plain(t, 1+rng.IntN(9), 1, color.RGBA{R: uint8(rng.IntN(256)), B: 9})
				files[p].ModTime = time.Unix(rng.Int64N(1e9), 0)
			case rng.IntN(2) == 0: // moved
				files["moved/"+strings.ReplaceAll(p, "/", "-")] = f
				delete(files, p)
			default: // places changed
				files[p], files[q] = files[q], files[p]
			}
		}
	}
}

// locked are files of which some folders cannot be listed, or their files not
// looked at.
type locked struct {
	fstest.MapFS
	list, look string
}

func (l *locked) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == l.list {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.MapFS.ReadDir(name)
}

func (l *locked) Stat(name string) (fs.FileInfo, error) {
	if l.look != "" && strings.HasPrefix(name, l.look+"/") {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	return l.MapFS.Stat(name)
}

// What lies in folders that cannot be read may still be there.
// A picture under another name is not counted as one that has gone, however often it
// is there now.
func TestUpdateCountsRenamed(t *testing.T) {
	a, b, c := plain(t, 2, 2, color.RGBA{R: 1}), plain(t, 2, 2, color.RGBA{R: 2}), plain(t, 2, 2, color.RGBA{R: 3})
	path := filepath.Join(t.TempDir(), "photos.idx")
	for i, step := range []struct {
		files fstest.MapFS
		want  Changes
	}{
		{fstest.MapFS{"a.png": a, "b.png": b, "c.png": c}, Changes{Pictures: 3, Added: 3}},
		{fstest.MapFS{"x.png": a, "b.png": b, "c.png": c}, Changes{Pictures: 3, Moved: 1}},
		{fstest.MapFS{"y.png": a, "z.png": a, "b.png": b}, Changes{Pictures: 3, Moved: 2, Dropped: 1}},
		{fstest.MapFS{"y.png": a, "z.png": a, "b.png": b, "copy.png": b}, Changes{Pictures: 4, Moved: 1}},
		{fstest.MapFS{"b.png": b}, Changes{Pictures: 1, Dropped: 3}},
	} {
		changes, _, err := Update(t.Context(), path, folder(t, step.files), "photos", new(pixels).describer(), Watch{})
		if err != nil || changes != step.want {
			t.Errorf("step %d: %+v, %v; want %+v", i, changes, err, step.want)
		}
	}
}

func TestUpdateKeepsWhatIsLocked(t *testing.T) {
	files := &locked{MapFS: fstest.MapFS{}}
	for i, name := range []string{"a-b/0.png", "a/0.png", "a/deep/1.png", "ab/0.png", "b/0.png", "b/1.png"} {
		files.MapFS[name] = plain(t, 2, 2, color.RGBA{R: uint8(i)})
	}
	path := filepath.Join(t.TempDir(), "photos.idx")
	d := new(pixels).describer()
	update := func() (Changes, []string) {
		t.Helper()
		set, err := album.Folder(files, picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		changes, skips, err := Update(t.Context(), path, set, "/photos", d, Watch{})
		if err != nil {
			t.Fatal(err)
		}
		var skipped []string
		for _, s := range skips {
			skipped = append(skipped, s.Path)
		}
		return changes, skipped
	}
	update()
	files.list, files.look = "a", "b"
	delete(files.MapFS, "ab/0.png")
	delete(files.MapFS, "b/1.png")
	changes, skipped := update()
	if want := (Changes{Pictures: 4, Kept: 3, Dropped: 2}); changes != want {
		t.Errorf("changes %+v, want %+v", changes, want)
	}
	if want := []string{"b/0.png", "a"}; !slices.Equal(skipped, want) {
		t.Errorf("skipped %q, want %q", skipped, want)
	}
	files.list, files.look = "", ""
	delete(files.MapFS, "a/0.png")
	if changes, _ := update(); changes != (Changes{Pictures: 3, Dropped: 1}) {
		t.Errorf("when all can be read again: %+v", changes)
	}
}

// misnamed is a file system that has copies of its files under names that are not UTF-8,
// which other ones than those of the system may.
type misnamed struct{ fstest.MapFS }

func (m misnamed) Open(name string) (fs.File, error) {
	return m.MapFS.Open(strings.TrimPrefix(name, "\xff"))
}

func (m misnamed) Stat(name string) (fs.FileInfo, error) {
	return m.MapFS.Stat(strings.TrimPrefix(name, "\xff"))
}

func (m misnamed) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := m.MapFS.ReadDir(name)
	for _, e := range slices.Clone(entries) {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		entries = append(entries, fs.FileInfoToDirEntry(renamed{info}))
	}
	return entries, err
}

type renamed struct{ fs.FileInfo }

func (r renamed) Name() string { return "\xff" + r.FileInfo.Name() }

// A file of a name that an index cannot hold is left out, also if the index knows its
// contents under another name.
func TestUpdateLeavesOutMisnamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	files := colours(t, 3)
	for name, f := range files {
		delete(files, name)
		files[filepath.Base(name)] = f
	}
	for round, set := range []fs.FS{files, misnamed{files}} {
		photos, err := album.Folder(set, picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, skips, err := Update(t.Context(), path, photos, "photos", new(pixels).describer(), Watch{})
		if err != nil || len(skips) != 3*round {
			t.Errorf("round %d: %v, %v", round, skips, err)
		}
		if g, err := gallery.Open(path); err != nil || len(g.Entries) != 3 {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

// Another recipe, another folder and a second writer are refused.
func TestUpdateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "photos.idx")
	photos := folder(t, colours(t, 10))
	run := func(photos *album.Set, root string, change func(*Describer)) error {
		d := new(pixels).describer()
		change(&d)
		_, _, err := Update(t.Context(), path, photos, root, d, Watch{})
		return err
	}
	as := func(*Describer) {}
	if err := run(photos, "photos", as); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	busy := func(by string) {
		t.Helper()
		if err := run(photos, "photos", as); !errors.Is(err, gallery.ErrBusy) || !strings.Contains(err.Error(), "another run") {
			t.Errorf("beside %s: %v", by, err)
		}
		if g, err := gallery.Open(path); err != nil || len(g.Entries) != 10 {
			t.Errorf("a reader beside %s: %v", by, err)
		}
	}
	d := new(pixels).describer().of(photos)
	w, err := gallery.Write(path, d.head("photos"))
	if err != nil {
		t.Fatal(err)
	}
	busy("a second writer")
	w.Abandon()
	db, err := bbolt.Open(path, 0o644, nil) // bbolt's lock alone, which is all that older programs have
	if err != nil {
		t.Fatal(err)
	}
	busy("an older program")
	db.Close()
	if err := run(photos, "photos", func(d *Describer) { d.Recipe.Layer = "fc2" }); err == nil || !strings.Contains(err.Error(), "in the index, fc2 in this run") {
		t.Errorf("another layer: %v", err)
	}
	if err := run(photos, "photos", func(d *Describer) { d.Components = 2 }); err == nil || !strings.Contains(err.Error(), "principal components") {
		t.Errorf("components: %v", err)
	}
	other := folder(t, fstest.MapFS{"z.png": plain(t, 9, 9, color.RGBA{B: 77})})
	if err := run(other, "elsewhere", as); err == nil || !strings.Contains(err.Error(), "elsewhere has none") {
		t.Errorf("another folder: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("a refusal has changed the index (%v)", err)
	}
	if err := run(photos, "moved", as); err != nil {
		t.Errorf("the folder has moved: %v", err)
	}
}

// Readers see whole transactions while an index is written to, and search in them.
func TestReadersBesideAWriter(t *testing.T) {
	defer func(old time.Duration) { pendingTime = old }(pendingTime)
	pendingTime = 0
	path := filepath.Join(t.TempDir(), "photos.idx")
	photos := folder(t, colours(t, 600))
	ctx, end := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for last := 0; ctx.Err() == nil; {
				g, err := gallery.Open(path)
				if errors.Is(err, os.ErrNotExist) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				n := len(g.Entries)
				if n < last {
					t.Errorf("%d pictures after %d", n, last)
				}
				last = n
				index, err := knn.New(g.Vectors, knn.Euclidean)
				if err != nil {
					t.Error(err)
					return
				}
				for row := 0; row < n; row += 50 {
					if found, err := index.Search(t.Context(), [][]float32{g.Vectors.Row(row)}, 1); err != nil || found[0][0].Distance != 0 {
						t.Errorf("row %d of %d: %v, %v", row, n, found, err)
					}
				}
			}
		})
	}
	_, _, err := Update(t.Context(), path, photos, "photos", new(pixels).describer(), Watch{})
	end()
	wait.Wait()
	if err != nil {
		t.Error(err)
	}
}
