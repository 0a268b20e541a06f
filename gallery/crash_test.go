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
	"runtime"
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
	safe, ended, saving := 0, 0, 0
	for kill := 0; kill < kills+ended && kill < 5*kills; kill++ {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), crashFolder+"="+dir)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(rng.IntN(40_000))*time.Microsecond, func() { cmd.Process.Kill() })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscan(lines.Text(), &safe); err != nil {
				t.Fatal(err)
			}
			saving++
		}
		err = cmd.Wait()
		timer.Stop()
		if err == nil {
			ended++
		} else if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() && runtime.GOOS != "windows" {
			t.Fatalf("run %d: %v\n%s", kill, err, &errs)
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
			if err := os.Remove(index); err != nil {
				t.Fatal(err)
			}
			safe = 0
		}
	}
	if saving == 0 || ended == 5*kills {
		t.Errorf("of %d runs %d ended by themselves, with %d transactions in all: nothing was tested", kills, ended, saving)
	}
	t.Logf("%d runs, %d ended before they were killed, %d transactions", kills, ended, saving)
}
