//go:build !wasm

package gallery

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
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/picture"
)

const crashFolder = "LOOKALIKE_TEST_CRASH_FOLDER"

// TestMain is also the process that TestKill kills: it brings an index up to date
// and says after each transaction how many pictures are safe.
func TestMain(m *testing.M) {
	dir := os.Getenv(crashFolder)
	if dir == "" {
		os.Exit(m.Run())
	}
	set, err := picture.Folder(os.DirFS(filepath.Join(dir, "photos")), picture.Options{})
	if err == nil {
		pendingTime = 0 // for many transactions
		d := new(pixels).describer()
		_, _, err = Update(context.Background(), filepath.Join(dir, "photos.idx"), set, "photos", d, Watch{Saved: func(n int) { fmt.Println(n) }})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An index that is being written to is killed at random moments. Afterwards it
// has every picture that was said to be safe, each with its own vector, and the
// next run goes on.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
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
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	safe := 0 // as many pictures as a process has said
	// run ends by itself or is killed, and returns how often it said what is safe.
	run := func(limit time.Duration) (saved int, killed bool) {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		cmd := exec.CommandContext(ctx, self)
		cmd.Env = append(os.Environ(), crashFolder+"="+dir, "GORACE=atexit_sleep_ms=0") // the race detector waits a second at the end
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
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
		g, err := Open(index)
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
	t.Logf("%d runs, %d killed within %v, %d transactions", runs, kill, whole, saving)
}
