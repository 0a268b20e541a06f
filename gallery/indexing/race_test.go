//go:build !wasm

package indexing

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lookalike/gallery"
	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/tensor"
)

// Of two processes that write to one index at once, what one says that it has done
// is what there is, and the other one says why it has not.
func TestTwoWriters(t *testing.T) {
	rounds := sweeptest.Cases(4, 10, 200)
	const n = 40
	photos := colours(t, n)
	for _, c := range []struct {
		name  string
		old   bool // there is an index
		jobs  [2]string
		holds [2]int // pictures, after that job
	}{
		{"remake", true, [2]string{"remake", "remake"}, [2]int{n, n}},
		{"remake without an index", false, [2]string{"remake", "remake"}, [2]int{n, n}},
		{"first run", false, [2]string{"update", "update"}, [2]int{n, n}},
		{"import", false, [2]string{"2000", "3000"}, [2]int{2000, 3000}},
		{"first run and import", false, [2]string{"update", "60"}, [2]int{n, 60}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			index := filepath.Join(dir, "photos.idx")
			if err := os.CopyFS(filepath.Join(dir, "photos"), photos); err != nil {
				t.Fatal(err)
			}
			if c.old {
				if err := example(7, 5).Save(index); err != nil {
					t.Fatal(err)
				}
			}
			for round := range rounds {
				if !c.old {
					os.Remove(index)
				}
				var texts [2]strings.Builder
				var results [2]error
				var wait [2]func() error
				for i, job := range c.jobs {
					cmd := process(t.Context(), t, dir, job)
					cmd.Stderr = &texts[i]
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					wait[i] = cmd.Wait
				}
				for i := range wait {
					results[i] = wait[i]()
				}
				g, err := gallery.Open(index)
				if err != nil {
					t.Fatalf("round %d: %v\n%s%s", round, err, &texts[0], &texts[1])
				}
				done := 0
				for i, err := range results {
					text := texts[i].String()
					switch {
					case err == nil:
						done++
						if len(g.Entries) != c.holds[i] {
							t.Errorf("round %d: %s said that it was done; there are %d pictures", round, c.jobs[i], len(g.Entries))
						}
					case !strings.Contains(text, gallery.ErrBusy.Error()) && !strings.Contains(text, fs.ErrExist.Error()) && !strings.Contains(text, gallery.ErrOther.Error()):
						t.Errorf("round %d: %s: %s", round, c.jobs[i], text)
					}
				}
				if done == 0 {
					t.Errorf("round %d: none was done: %s%s", round, &texts[0], &texts[1])
				}
			}
			onlyIndex(t, dir)
		})
	}
}

// An index that another program, which knows no reservations, puts there while a
// first run is at work stays, whether that run fails or not.
func TestFirstRunAndAnother(t *testing.T) {
	broken := errors.New("broken on purpose")
	for _, bring := range []func(context.Context, string, *album.Set, string, Describer, Watch) (Changes, []album.Skip, error){Update, Remake} {
		for _, fails := range []error{nil, broken} {
			dir := t.TempDir()
			path, other := filepath.Join(dir, "photos.idx"), save(t, example(3, 2))
			d := new(pixels).describer()
			pixel := d.Describe
			d.Describe = func(ctx context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
				if err := os.Rename(other, path); err != nil && !exists(path) {
					return nil, err
				}
				if fails != nil {
					return nil, fails
				}
				return pixel(ctx, batch)
			}
			_, _, err := bring(t.Context(), path, folder(t, colours(t, 10)), "photos", d, Watch{})
			if want := fails; want == nil && !errors.Is(err, fs.ErrExist) || want != nil && !errors.Is(err, want) {
				t.Errorf("error %v", err)
			}
			if g, err := gallery.Open(path); err != nil || len(g.Entries) != 3 {
				t.Errorf("the other program's index: %v", err)
			}
			onlyIndex(t, dir)
		}
	}
}

// What cannot be done leaves an index as it was, and what was begun for the new one is
// gone on with.
func TestRemake(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "photos.idx")
	old := example(9, 4)
	if err := old.Save(path); err != nil {
		t.Fatal(err)
	}
	asBefore := func(what string, err error) {
		t.Helper()
		if g, e := gallery.Open(path); err == nil || e != nil || !slices.Equal(g.Entries, old.Entries) {
			t.Errorf("%s: error %v, then %v", what, err, e)
		}
	}
	photos := folder(t, colours(t, 200))
	remake := func(ctx context.Context, photos *album.Set, d Describer) (Changes, error) {
		changes, _, err := Remake(ctx, path, photos, "photos", d, Watch{})
		return changes, err
	}
	d := new(pixels).describer()
	d.Components = 4
	_, err := remake(t.Context(), photos, d)
	asBefore("too many components", err)
	none := folder(t, colours(t, 1))
	for path := range colours(t, 1) {
		files := colours(t, 1)
		files[path].Data = []byte("no picture")
		none = folder(t, files)
	}
	_, err = remake(t.Context(), none, new(pixels).describer())
	asBefore("no picture", err)
	onlyIndex(t, dir)

	// Stopped in the middle, it goes on.
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	d = new(pixels).describer()
	pixel := d.Describe
	d.Describe = func(ctx context.Context, batch []*picture.Image) (*tensor.Tensor, error) {
		stop()
		return pixel(ctx, batch)
	}
	changes, err := remake(ctx, photos, d)
	asBefore("stopped", err)
	if g, err := gallery.Open(gallery.Unfinished(path)); err != nil || len(g.Entries) != changes.Added || changes.Added == 0 || changes.Added == 200 {
		t.Errorf("begun: %+v, %v", changes, err)
	}
	if err := old.Save(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Save: %v", err)
	}
	more, err := remake(t.Context(), photos, new(pixels).describer())
	if err != nil || more.Added != 200-changes.Added || more.Pictures != 200 {
		t.Errorf("gone on with: %+v after %+v, %v", more, changes, err)
	}
	want, _, err := build(t, photos, "photos", new(pixels).describer())
	if g, e := gallery.Open(path); e != nil || err != nil || !slices.Equal(g.Entries, want.Entries) || !slices.Equal(g.Vectors.Data(), want.Vectors.Data()) {
		t.Errorf("at last: %v", e)
	}
	onlyIndex(t, dir)

	// What an earlier run has begun another way is begun anew; what none has begun stays.
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	d.Recipe.Layer = "other"
	if _, err := remake(ctx, photos, d); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if all, err := remake(t.Context(), photos, new(pixels).describer()); err != nil || all.Added != 200 {
		t.Errorf("another recipe: %+v, %v", all, err)
	}
	if err := old.Save(gallery.Unfinished(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := remake(t.Context(), photos, new(pixels).describer()); err == nil || !strings.Contains(err.Error(), "photos.idx.new") {
		t.Errorf("an index of that name: %v", err)
	}
	if g, err := gallery.Open(gallery.Unfinished(path)); err != nil || len(g.Entries) != 9 {
		t.Errorf("an index of that name: %v", err)
	}

	// What is no index is not replaced, and a damaged one is.
	if err := os.Remove(gallery.Unfinished(path)); err != nil {
		t.Fatal(err)
	}
	for content, replaced := range map[string]bool{"no index": false, "damaged": true} {
		if replaced {
			b, err := os.ReadFile(save(t, old))
			if err != nil {
				t.Fatal(err)
			}
			content = string(b[:9000])
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := remake(t.Context(), photos, new(pixels).describer())
		if now, _ := os.ReadFile(path); (err == nil) != replaced || (string(now) == content) == replaced {
			t.Errorf("%.8q: %v", content, err)
		}
	}
}
