//go:build !wasm

package indexing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image/color"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/gallery"
	"lookalike/internal/sweeptest"
	"lookalike/picture"
	"lookalike/picture/album"
)

const (
	crashFolder = "LOOKALIKE_TEST_CRASH_FOLDER"
	crashJob    = "LOOKALIKE_TEST_CRASH_JOB" // update (default), remake or the number of pictures to save
)

// TestMain is also the process that tests kill or let race: it brings the index
// photos.idx in a folder up to date, or does another job with it, and says after each
// transaction how many pictures are safe.
func TestMain(m *testing.M) {
	dir := os.Getenv(crashFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := crashing(filepath.Join(dir, "photos.idx"), filepath.Join(dir, "photos"), os.Getenv(crashJob)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func crashing(index, photos, job string) error {
	bring := Update
	switch job {
	case "remake":
		bring = Remake
	case "", "update":
	default:
		n, err := strconv.Atoi(job)
		if err != nil {
			return err
		}
		return example(n, 7).Save(index)
	}
	set, err := album.Folder(os.DirFS(photos), picture.Options{})
	if err != nil {
		return err
	}
	pendingTime = 0 // for many transactions
	_, _, err = bring(context.Background(), index, set, "photos", new(pixels).describer(), Watch{Saved: func(n int) { fmt.Println(n) }})
	return err
}

// process is the test program at work on the index in a folder.
func process(ctx context.Context, t *testing.T, dir, job string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), crashFolder+"="+dir, crashJob+"="+job, "GORACE=atexit_sleep_ms=0") // the race detector waits a second at the end
	return cmd
}

// An index that is being written to is killed at random moments. Afterwards it
// has every picture that was said to be safe, each with its own vector, and the
// next run goes on.
func TestKill(t *testing.T) {
	kills := sweeptest.Cases(20, 60, 600)
	rng := rand.New(rand.NewPCG(5, 6))
	dir := t.TempDir()
	photos, index := filepath.Join(dir, "photos"), filepath.Join(dir, "photos.idx")
	files := fstest.MapFS{}
	for i := range 400 {
		files[fmt.Sprintf("%d/%03d.png", i%7, i)] = plain(t, 1+i%5, 1+i%3, color.RGBA{R: uint8(i), G: uint8(i / 256), B: 3})
	}
	if err := os.CopyFS(photos, files); err != nil {
		t.Fatal(err)
	}
	safe := 0 // as many pictures as a process has said
	// run ends by itself or is killed, and returns how often it said what is safe.
	run := func(limit time.Duration) (saved int, killed bool) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		cmd := process(ctx, t, dir, "update")
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil && ctx.Err() != nil {
			return 0, false // it was to be killed before it began
		} else if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); saved++ {
			if _, err := fmt.Sscan(lines.Text(), &safe); err != nil {
				t.Fatal(err)
			}
		}
		err = cmd.Wait()
		if err != nil && ctx.Err() == nil {
			t.Fatalf("%v\n%s", err, &errs)
		}
		return saved, err != nil
	}
	again := func() {
		if err := os.Remove(index); err != nil {
			t.Fatal(err)
		}
		safe = 0
	}
	begin := time.Now()
	if saved, killed := run(time.Hour); killed || saved < 2 || safe != len(files) {
		t.Fatalf("a run to the end saved %d times, at last %d of %d pictures", saved, safe, len(files))
	}
	whole := time.Since(begin)
	again()
	kill, saving, runs := 0, 0, 0
	for ; kill < kills && runs < 5*kills; runs++ {
		saved, killed := run(time.Duration(rng.Int64N(int64(whole))))
		saving += saved
		if killed {
			kill++
		}
		g, err := gallery.Open(index)
		if errors.Is(err, os.ErrNotExist) && safe == 0 {
			continue
		}
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		if len(g.Entries) < safe {
			t.Fatalf("after kill %d: %d pictures, %d were safe", kill, len(g.Entries), safe)
		}
		for i, e := range g.Entries {
			var folder, number int
			if _, err := fmt.Sscanf(e.Path, "%d/%d.png", &folder, &number); err != nil {
				t.Fatal(err)
			}
			if v := g.Vectors.Row(i); v[0] != float32(uint8(number)) || v[1] != float32(number/256) || e.Width != 1+number%5 {
				t.Fatalf("after kill %d: %v has the vector %v", kill, e, v)
			}
		}
		if len(g.Entries) == len(files) { // from the start again
			again()
		}
	}
	if kill < kills || saving == 0 {
		t.Errorf("of %d runs %d were killed, of %d that were to be, with %d transactions in all", runs, kill, kills, saving)
	}
	run(time.Hour)
	onlyIndex(t, dir)
	t.Logf("%d runs, %d killed within %v, %d transactions", runs, kill, whole, saving)
}

// While an index is made anew it is killed at random moments: what is at its name is
// the old one as it was or the new one whole, what was described is not lost, and the
// last run leaves nothing else.
func TestKillRemake(t *testing.T) {
	kills := sweeptest.Cases(15, 25, 300)
	rng := rand.New(rand.NewPCG(7, 9))
	dir := t.TempDir()
	index, n := filepath.Join(dir, "photos.idx"), 150
	if err := os.CopyFS(filepath.Join(dir, "photos"), colours(t, n)); err != nil {
		t.Fatal(err)
	}
	old := example(9, 4)
	oldFile := save(t, old)
	content, err := os.ReadFile(oldFile)
	if err != nil {
		t.Fatal(err)
	}
	again := func() {
		if err := os.WriteFile(index, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(limit time.Duration) (killed bool) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		text, err := process(ctx, t, dir, "remake").CombinedOutput()
		if err != nil && ctx.Err() == nil {
			t.Fatalf("%v\n%s", err, text)
		}
		safe := 0
		for line := range strings.Lines(string(text)) {
			fmt.Sscan(line, &safe) // the last may be cut short, and be a smaller number
		}
		g, err := gallery.Open(index)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Entries) == n {
			return ctx.Err() != nil
		}
		if !slices.Equal(g.Entries, old.Entries) {
			t.Fatalf("there are %d pictures, neither the old ones nor the new", len(g.Entries))
		}
		if next, err := gallery.Open(gallery.Unfinished(index)); safe > 0 && (err != nil || len(next.Entries) < safe) {
			t.Fatalf("the new index, of which %d pictures were safe: %v", safe, err)
		}
		return true
	}
	begin := time.Now()
	again()
	if run(time.Hour) {
		t.Fatal("a run to the end was killed")
	}
	whole := time.Since(begin)
	again()
	for kill, runs := 0, 0; kill < kills && runs < 5*kills; runs++ {
		if run(time.Duration(rng.Int64N(int64(whole)))) {
			kill++
		}
		if g, err := gallery.Open(index); err == nil && len(g.Entries) == n {
			again()
		}
	}
	run(time.Hour)
	if g, err := gallery.Open(index); err != nil || len(g.Entries) != n {
		t.Errorf("at last: %v", err)
	}
	onlyIndex(t, dir)

	// It does not call itself unfinished, or another run would take it for what it has begun.
	if err := os.Rename(index, gallery.Unfinished(index)); err != nil {
		t.Fatal(err)
	}
	if text, err := process(t.Context(), t, dir, "remake").CombinedOutput(); err == nil || !strings.Contains(string(text), "was not begun by such a run") {
		t.Errorf("the finished index was gone on with: %v, %s", err, text)
	}
}
