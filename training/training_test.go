package training_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"lookalike/augment"
	"lookalike/autoencoder"
	"lookalike/embedding"
	"lookalike/internal/memory"
	"lookalike/internal/misusetest"
	"lookalike/internal/sample"
	"lookalike/nn"
	"lookalike/picture"
	"lookalike/picture/album"
	"lookalike/training"
)

// drawn are pictures of ten classes, so many of each, and files that are none.
func drawn(tb testing.TB, each int, others ...string) *album.Set {
	tb.Helper()
	files := fstest.MapFS{}
	for p := range sample.Gallery(1, each, 48) {
		var b bytes.Buffer
		if err := png.Encode(&b, p.Image); err != nil {
			tb.Fatal(err)
		}
		files[path.Join(p.Class, p.Name+".png")] = &fstest.MapFile{Data: b.Bytes()}
	}
	for _, name := range others {
		files[name] = &fstest.MapFile{Data: []byte("no picture")}
	}
	set, err := album.Folder(files, picture.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// small is an autoencoder that is trained in no time.
var small = autoencoder.Config{Size: 32, Code: 8, Widths: []int{8, 8, 8, 16}}

// train trains one, and fails the test unless that succeeds.
func train(t *testing.T, photos *album.Set, file string, options ...training.Option) training.Result {
	t.Helper()
	r, err := training.Autoencoder(t.Context(), photos, file, small, append([]training.Option{training.Batch(8)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// holds fails the test unless a folder has these files and no others.
func holds(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, e := range entries {
		there = append(there, e.Name())
	}
	if !slices.Equal(there, names) {
		t.Errorf("the folder holds %q, want %q", there, names)
	}
}

// onBatch is a callback that does something after a batch.
type onBatch func(nn.BatchStats) error

func (f onBatch) BatchEnd(b nn.BatchStats) error { return f(b) }
func (onBatch) EpochEnd(nn.EpochStats) error     { return nil }

// A training that is ended in the midst of an epoch, again and again, reaches the same
// file as an unbroken one, with an older epoch as the best one, too.
func TestResume(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	options := []training.Option{training.Epochs(4), training.Batch(8), training.Seed(7), training.Validation(0.2),
		training.Patience(9), training.MinDelta(9)}
	change := training.Augment(augment.Config{Flip: true, Crop: 0.2})
	for name, run := range map[string]func(ctx context.Context, file string, options ...training.Option) (training.Result, error){
		"autoencoder": func(ctx context.Context, file string, options ...training.Option) (training.Result, error) {
			return training.Autoencoder(ctx, photos, file, small, append(options, change)...)
		},
		"embedding": func(ctx context.Context, file string, options ...training.Option) (training.Result, error) {
			config := embedding.Config{Base: embedding.Encoder, Size: 32, Dim: 8, Widths: small.Widths}
			return training.Embedding(ctx, photos, file, config, append(options, change, training.Unseen(0.2))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			whole, file := filepath.Join(dir, name+"-whole"), filepath.Join(dir, name)
			want, err := run(t.Context(), whole, options...)
			if err != nil || want.Ended != training.Complete || want.Epochs != 4 || want.Best != 1 || len(want.ValLosses) != 4 {
				t.Fatalf("%+v, %v", want, err)
			}
			for epoch := 1; epoch <= 4; epoch++ {
				ctx, cancel := context.WithCancel(t.Context())
				stop := onBatch(func(b nn.BatchStats) error {
					if b.Epoch < epoch-1 {
						t.Errorf("epoch %d is learned again", b.Epoch)
					}
					if b.Epoch == epoch && b.Batch == 2 {
						cancel()
					}
					return nil
				})
				got, err := run(ctx, file, append(options, training.Resume(), training.Callbacks(stop))...)
				cancel()
				if !errors.Is(err, context.Canceled) || got.Epochs != epoch-1 || len(got.Losses) != epoch-1 || got.Ended != training.Unfinished {
					t.Fatalf("stopped in epoch %d: %+v, %v", epoch, got, err)
				}
				if _, err := os.Stat(file); (err == nil) != (epoch > 1) {
					t.Errorf("stopped in epoch %d: %v", epoch, err)
				}
			}
			got, err := run(t.Context(), file, append(options, training.Resume())...)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v, unbroken %+v", got, err, want)
			}
			if !bytes.Equal(read(t, file), read(t, whole)) {
				t.Error("the file is another than that of an unbroken training")
			}
		})
	}
}

// With patience the file holds the model of the best epoch, and training ends when there
// is no better one; more patience goes on from the last epoch.
func TestBestModel(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	one, best, whole := filepath.Join(dir, "one"), filepath.Join(dir, "best"), filepath.Join(dir, "whole")
	train(t, photos, one, training.Epochs(1))
	watch := []training.Option{training.Epochs(9), training.MinDelta(9)} // no epoch is better than the first by so much
	r := train(t, photos, best, append(watch, training.Patience(2))...)
	if r.Ended != training.NoGain || r.Best != 1 || r.Epochs != 3 || r.Loss != r.Losses[0] || !math.IsNaN(r.ValLoss) || len(r.ValLosses) != 0 ||
		*r.EarlyStop != (nn.EarlyStopping{Monitor: nn.TrainLoss, Patience: 2, MinDelta: 9}) {
		t.Errorf("%+v", r)
	}
	if a, b := fingerprint(t, one), fingerprint(t, best); a != b {
		t.Error("the file holds another model than that of the first epoch")
	}
	if again := train(t, photos, best, append(watch, training.Resume())...); again.Ended != training.NoGain || again.Epochs != 3 || again.Pictures != 0 {
		t.Errorf("where there is nothing left to do: %+v", again)
	}
	if r := train(t, photos, best, append(watch, training.Resume(), training.Patience(4))...); r.Ended != training.NoGain || r.Epochs != 5 {
		t.Errorf("with more patience: %+v", r)
	}
	train(t, photos, whole, append(watch, training.Patience(4))...)
	if !bytes.Equal(read(t, best), read(t, whole)) {
		t.Error("more patience given later makes another file than given at once")
	}
}

func fingerprint(t *testing.T, file string) string {
	t.Helper()
	m, err := autoencoder.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return m.Fingerprint()
}

// Every second training of a file, or with the same log, is refused until the first is
// closed; nothing of it is left behind.
func TestAlone(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	file, log := filepath.Join(dir, "m.safetensors"), filepath.Join(dir, "log.csv")
	refused := func() {
		t.Helper()
		for _, other := range []struct {
			file, log string
			more      training.Option
		}{{file, "", nil}, {file, "", training.Resume()}, {file, "", training.Anew()}, {filepath.Join(dir, "other"), log, nil}, {log, "", nil}} {
			r, err := training.Autoencoder(t.Context(), photos, other.file, small, training.Log(other.log), other.more)
			if !errors.Is(err, training.ErrBusy) || r.Epochs != 0 || !strings.Contains(err.Error(), "cannot write "+dir) {
				t.Errorf("a second training: %+v, %v", r, err)
			}
		}
	}
	first := onBatch(func(nn.BatchStats) error { refused(); return nil })
	c, err := training.OpenAutoencoder(file, small, training.Batch(8), training.Log(log), training.Epochs(1))
	if err != nil {
		t.Fatal(err)
	}
	refused()
	if _, err := c.Divide(photos); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Train(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	refused()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	holds(t, dir, "log.csv", "m.safetensors")
	if r := train(t, photos, file, training.Log(log), training.Epochs(2), training.Resume()); r.Epochs != 2 {
		t.Errorf("after the first: %+v", r)
	}
	holds(t, dir, "log.csv", "m.safetensors")
}

// What is in the way of a new training stays as it is.
func TestReplaces(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	file, note := filepath.Join(dir, "m"), filepath.Join(dir, "note")
	if err := os.WriteFile(note, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	train(t, photos, file, training.Epochs(1))
	before := read(t, file)
	if _, err := training.Autoencoder(t.Context(), photos, file, small); !errors.Is(err, fs.ErrExist) || !bytes.Equal(read(t, file), before) {
		t.Errorf("a file that exists: %v", err)
	}
	for _, option := range []training.Option{nil, training.Resume(), training.Anew()} {
		if _, err := training.Autoencoder(t.Context(), photos, note, small, option); err == nil || string(read(t, note)) != "theirs" {
			t.Errorf("a file that is no model: %v", err)
		}
	}
	if r := train(t, photos, file, training.Epochs(1), training.Seed(9), training.Anew()); r.Epochs != 1 || bytes.Equal(read(t, file), before) {
		t.Errorf("anew: %+v", r)
	}

	// One that appears while training is at work.
	late := filepath.Join(dir, "late")
	r, err := training.Autoencoder(t.Context(), photos, late, small, training.Callbacks(onBatch(func(b nn.BatchStats) error {
		return os.WriteFile(late, []byte("theirs"), 0o644)
	})))
	if !errors.Is(err, fs.ErrExist) || r.Epochs != 0 || r.Best != 0 || len(r.Losses) != 0 || string(read(t, late)) != "theirs" {
		t.Errorf("a file that has appeared: %+v, %v", r, err)
	}
	holds(t, dir, "late", "m", "note")
}

// A loss beyond all bounds is an error, and the epochs before it are kept.
func TestDiverged(t *testing.T) {
	photos, dir := drawn(t, 2), t.TempDir()
	file := filepath.Join(dir, "m")
	r, err := training.Autoencoder(t.Context(), photos, file, small, training.Batch(4), training.LearningRate(1e6))
	if !errors.Is(err, nn.ErrDiverged) || r.Epochs != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	holds(t, dir)
	r, err = training.Autoencoder(t.Context(), photos, file, small, training.Batch(64), training.LearningRate(100), training.Epochs(5))
	where, ok := errors.AsType[*nn.DivergedError](err)
	if !ok || where.Epoch != r.Epochs+1 || r.Epochs < 1 || r.Ended != training.Unfinished || !strings.Contains(err.Error(), "m holds the ") {
		t.Fatalf("%+v, %v", r, err)
	}
	if m, record, err := autoencoder.Resume(file); err != nil || len(record.Losses) != r.Epochs || m == nil {
		t.Errorf("the file: %v", err)
	}
}

// A callback may end training, which is no error, and goes on as after any other end.
func TestAsked(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	whole, file := filepath.Join(dir, "whole"), filepath.Join(dir, "m")
	train(t, photos, whole, training.Epochs(3))
	enough := nn.OnEpoch(func(e nn.EpochStats) error { return nn.ErrStop })
	if r := train(t, photos, file, training.Epochs(3), training.Callbacks(enough)); r.Ended != training.Asked || r.Epochs != 1 || r.Pictures != 10 {
		t.Errorf("%+v", r)
	}
	failed := errors.New("no disk")
	r, err := training.Autoencoder(t.Context(), photos, file, autoencoder.Config{}, training.Epochs(3), training.Resume(),
		training.Callbacks(nn.OnEpoch(func(nn.EpochStats) error { return failed })))
	if err != failed || r.Epochs != 2 || r.Ended != training.Unfinished {
		t.Errorf("a callback that fails: %+v, %v", r, err)
	}
	if r := train(t, photos, file, training.Epochs(3), training.Resume()); r.Ended != training.Complete || !bytes.Equal(read(t, whole), read(t, file)) {
		t.Errorf("%+v", r)
	}
}

// What cannot be read as a picture is left out and returned, and the work before the first
// epoch is told.
func TestSkipped(t *testing.T) {
	photos, file := drawn(t, 1, "fish/notes.txt", "list.txt"), filepath.Join(t.TempDir(), "m")
	var last training.Stage
	r := train(t, photos, file, training.Epochs(1), training.Progress(func(s training.Stage) {
		if s.Checked < last.Checked {
			t.Errorf("%+v after %+v", s, last)
		}
		last = s
	}))
	if last != (training.Stage{Files: 12, Checked: 12}) || r.Pictures != 10 || len(r.Skipped) != 2 || r.Skipped[0].Path != "fish/notes.txt" || r.Skipped[0].Reason == nil {
		t.Errorf("%+v, %+v", r, last)
	}
}

// Training goes on in the way in which it began.
func TestOtherWay(t *testing.T) {
	photos, file := drawn(t, 1), filepath.Join(t.TempDir(), "m")
	train(t, photos, file, training.Epochs(1))
	before := read(t, file)
	for _, c := range []struct {
		config autoencoder.Config
		option training.Option
		want   training.ResumeError
	}{
		{autoencoder.Config{Size: 64}, nil, training.ResumeError{Option: "size", Given: 64, Was: 32}},
		{autoencoder.Config{Code: 9}, nil, training.ResumeError{Option: "code", Given: 9, Was: 8}},
		{autoencoder.Config{Widths: []int{8}}, nil, training.ResumeError{Option: "widths", Given: []int{8}, Was: small.Widths}},
		{small, training.Batch(9), training.ResumeError{Option: "batch", Given: 9, Was: 8}},
		{small, training.LearningRate(0.5), training.ResumeError{Option: "learning rate", Given: 0.5, Was: 0.001}},
		{small, training.Seed(0), training.ResumeError{Option: "seed", Given: uint64(0), Was: uint64(1)}},
		{small, training.NoShuffle(true), training.ResumeError{Option: "no shuffle", Given: true, Was: false}},
		{small, training.Validation(0.5), training.ResumeError{Option: "validation", Given: 0.5, Was: 0.0}},
		{small, training.Augment(augment.Config{Flip: true}), training.ResumeError{Option: "augment", Given: "flip", Was: ""}},
		{small, training.Patience(3), training.ResumeError{Option: "patience", Given: 3}},
	} {
		_, err := training.Autoencoder(t.Context(), photos, file, c.config, training.Epochs(2), training.Resume(), c.option)
		c.want.File = file
		if got, ok := errors.AsType[*training.ResumeError](err); !ok || !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%v, want %v", err, &c.want)
		} else if !strings.Contains(err.Error(), c.want.Option) || !strings.HasPrefix(err.Error(), file) {
			t.Error(err)
		}
	}
	r, err := training.Autoencoder(t.Context(), photos.Limit(9), file, small, training.Epochs(2), training.Resume())
	if !errors.Is(err, training.ErrOtherPictures) || r.Epochs != 1 {
		t.Errorf("other pictures: %+v, %v", r, err)
	}
	if _, err := training.Embedding(t.Context(), photos, file, embedding.Config{}, training.Resume()); err == nil || !strings.Contains(err.Error(), "is no embedding") {
		t.Errorf("an autoencoder as an embedding: %v", err)
	}
	if !bytes.Equal(read(t, file), before) {
		t.Error("the file has changed")
	}
	if r := train(t, photos, file, training.Epochs(1), training.Resume()); r.Ended != training.Complete || r.Epochs != 1 {
		t.Errorf("all done: %+v", r)
	}
}

// An embedding may begin with an autoencoder's encoder.
func TestFrom(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	from := filepath.Join(dir, "a")
	train(t, photos, from, training.Epochs(1))
	encoder := embedding.Config{Base: embedding.Encoder, Dim: 8}
	r, err := training.Embedding(t.Context(), photos, filepath.Join(dir, "e"), encoder, training.Epochs(1), training.From(from))
	if err != nil || r.Pictures != 10 {
		t.Errorf("%+v, %v", r, err)
	}
	encoder.Size = 64
	_, err = training.Embedding(t.Context(), photos, filepath.Join(dir, "f"), encoder, training.From(from))
	if other, ok := errors.AsType[*training.ResumeError](err); !ok || *other != (training.ResumeError{File: from, Option: "size", Given: 64, Was: 32}) {
		t.Errorf("of another size: %v", err)
	}
}

// The log has a line for each epoch, also where it was not kept at first, and of two
// trainings that of the file.
func TestLog(t *testing.T) {
	photos, dir := drawn(t, 1), t.TempDir()
	file, log := filepath.Join(dir, "m"), filepath.Join(dir, "log.csv")
	train(t, photos, file, training.Epochs(1))
	r := train(t, photos, file, training.Epochs(2), training.Log(log), training.Resume())
	lines := strings.Split(string(read(t, log)), "\n")
	if len(lines) != 4 || lines[0] != "epoch,loss,val_loss,images_per_second,seconds" ||
		lines[1] != fmt.Sprintf("1,%v,,,", r.Losses[0]) || !strings.HasPrefix(lines[2], fmt.Sprintf("2,%v,,", r.Losses[1])) {
		t.Errorf("%q", lines)
	}
	other := filepath.Join(dir, "other")
	if _, err := training.Autoencoder(t.Context(), photos, other, small, training.Log(log)); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("the log of another training: %v", err)
	}
	r = train(t, photos, file, training.Epochs(1), training.Seed(5), training.Log(log), training.Anew())
	if lines := strings.Split(string(read(t, log)), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], fmt.Sprintf("1,%v,,", r.Losses[0])) {
		t.Errorf("anew: %q", lines)
	}
	if _, err := training.Autoencoder(t.Context(), photos, file, small, training.Log(file), training.Resume()); err == nil || !strings.Contains(err.Error(), "give two names") {
		t.Errorf("the model as its log: %v", err)
	}
	if _, err := training.Autoencoder(t.Context(), photos, other, small, training.Log(file)); err == nil || !strings.Contains(err.Error(), "is not a log") {
		t.Errorf("a model as the log: %v", err)
	}
	holds(t, dir, "log.csv", "m")
}

// What does not fit in the memory that there may be is refused, with what would.
func TestMemory(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(was)
	memory.Keep(150 << 20)
	photos, file := drawn(t, 4), filepath.Join(t.TempDir(), "m")
	c, err := training.OpenAutoencoder(file, autoencoder.Config{Size: 128})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	much, ok := errors.AsType[*training.MemoryError](c.Reserve(photos))
	if !ok || much.Batch < 1 || much.Batch > 31 || !strings.Contains(much.Error(), fmt.Sprintf("or batches of %d or less", much.Batch)) {
		t.Fatalf("%v", much)
	}
	fits, err := training.OpenAutoencoder(file+"2", autoencoder.Config{Size: 128}, training.Batch(much.Batch))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // it takes the place of the reservation before
		if err := fits.Reserve(photos); err != nil {
			t.Error(err)
		}
	}
	if c.Reserve(photos.Limit(much.Batch)) == nil {
		t.Error("the memory is given twice")
	}
	fits.Close()
	if err := c.Reserve(photos.Limit(much.Batch)); err != nil {
		t.Error(err)
	}
	_, ok = errors.AsType[*training.MemoryError](training.Check())
	if _, err := training.OpenAutoencoder(file+"3", autoencoder.Config{Size: 1024}); err == nil || ok || !strings.Contains(err.Error(), "memory limit") {
		t.Errorf("a network that is too large: %v", err)
	}
}

// TestMisuse: what cannot be is an error that says where and what, before anything is
// written.
func TestMisuse(t *testing.T) {
	dir, photos := t.TempDir(), drawn(t, 1)
	file := filepath.Join(dir, "m")
	with := func(options ...training.Option) func() error {
		return func() error {
			_, err := training.Autoencoder(t.Context(), photos, file, small, options...)
			return err
		}
	}
	embed := func(config embedding.Config, options ...training.Option) func() error {
		return func() error {
			_, err := training.Embedding(t.Context(), photos, file, config, options...)
			return err
		}
	}
	steps := func(do func(c *training.Course) error) func() error {
		return func() error {
			c, err := training.OpenAutoencoder(file, small)
			if err != nil {
				return err
			}
			defer c.Close()
			return do(c)
		}
	}
	none, err := album.Folder(fstest.MapFS{}, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var missing *training.Course
	misusetest.Check(t, map[string]func() error{
		`training: the set of pictures is nil`: func() error {
			_, err := training.Autoencoder(t.Context(), nil, file, small)
			return err
		},
		`set of pictures is nil`: func() error {
			_, err := training.Embedding(t.Context(), nil, file, embedding.Config{Base: embedding.Encoder})
			return err
		},
		`there is no picture`: func() error {
			_, err := training.Autoencoder(t.Context(), none, file, small)
			return err
		},
		`training: the name of the model`: func() error {
			_, err := training.Autoencoder(t.Context(), photos, "", small)
			return err
		},
		`cannot write|nowhere`: func() error {
			_, err := training.Autoencoder(t.Context(), photos, filepath.Join(dir, "nowhere", "m"), small)
			return err
		},
		`training: epochs 0: give 1`:             with(training.Epochs(0)),
		`training: batch -1: give 1`:             with(training.Batch(-1)),
		`training: learning rate NaN: give`:      with(training.LearningRate(math.NaN())),
		`training: learning rate 0: give`:        with(training.LearningRate(0)),
		`training: learning rate +Inf: give`:     with(training.LearningRate(math.Inf(1))),
		`training: learning rate 1e-50: give`:    with(training.LearningRate(1e-50)),
		`training: validation NaN: give a share`: with(training.Validation(math.NaN())),
		`training: validation 1: give a share`:   with(training.Validation(1)),
		`training: unseen -0.5: give a share`:    with(training.Unseen(-0.5)),
		`training: augment crop=NaN: |crop`:      with(training.Augment(augment.Config{Crop: math.NaN()})),
		`training: patience -1: give 0`:          with(training.Patience(-1)),
		`training: min delta NaN: give`:          with(training.Patience(1), training.MinDelta(math.NaN())),
		`training: monitor accuracy: give val`:   with(training.Patience(1), training.Monitor("accuracy")),
		`none without validation`:                with(training.Patience(1), training.Monitor(nn.ValLoss)),
		`training: patience missing: min delta`:  with(training.MinDelta(0.1)),
		`training: callback 2 of 2 is nil`:       with(training.Callbacks(nn.OnEpoch(func(nn.EpochStats) error { return nil }), nil)),
		`give Resume or Anew`:                    with(training.Resume(), training.Anew()),
		`training: Unseen, |embedding`:           with(training.Unseen(0.2)),
		`leaves none to learn from`:              with(training.Validation(0.01)),
		`leave Augment out`:                      embed(embedding.Config{}, training.Augment(augment.Config{Flip: true})),
		`leave From out`:                         embed(embedding.Config{Base: "vgg19"}, training.From("a")),
		`leave WeightsFile out`:                  embed(embedding.Config{Base: embedding.Encoder}, training.WeightsFile("v")),
		`embedding: there is no base "x"`:        embed(embedding.Config{Base: "x"}),
		`weights`:                                embed(embedding.Config{}, training.WeightsCache(dir)),
		`training: the course is nil`:            func() error { return missing.Reserve(photos) },
		`or empty`:                               func() error { _, err := new(training.Course).Divide(photos); return err },
		`OpenAutoencoder`:                        func() error { _, err := missing.Train(t.Context()); return err },
		`and OpenEmbedding make one`:             func() error { return new(training.Course).Prepare(t.Context(), nil) },
		`training: the set`:                      steps(func(c *training.Course) error { return c.Reserve(nil) }),
		`the set of`:                             steps(func(c *training.Course) error { _, err := c.Divide(nil); return err }),
		`call Divide`:                            steps(func(c *training.Course) error { _, err := c.Train(t.Context()); return err }),
		`have not been divided`:                  steps(func(c *training.Course) error { return c.Prepare(t.Context(), nil) }),
		`has been closed: file already closed`: steps(func(c *training.Course) error {
			c.Close()
			_, err := c.Divide(photos)
			if !errors.Is(err, training.ErrClosed) {
				t.Error(err)
			}
			return err
		}),
		`have been divided and prepared already`: steps(func(c *training.Course) error {
			if _, err := c.Divide(photos); err != nil {
				return err
			}
			if err := c.Prepare(t.Context(), nil); err != nil {
				return err
			}
			_, err := c.Divide(photos)
			return err
		}),
		`has been run; open it again`: steps(func(c *training.Course) error {
			if _, err := c.Divide(photos); err != nil {
				return err
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := c.Train(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
			_, err := c.Train(t.Context())
			return err
		}),
		`<nil> 0 not finished <nil>`: func() error {
			return fmt.Errorf("%v %d %v %v", missing.Close(), missing.Result().Epochs, new(training.Course).Result().Ended, missing.Autoencoder())
		},
	})
	holds(t, dir)
}
