//go:build !wasm

package gallery

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lookalike/internal/sweeptest"
)

const crashIndex = "LOOKALIKE_TEST_CRASH_INDEX"

// TestMain is also the process that TestKillCompact kills: it writes an index anew again
// and again, and says each time that it has.
func TestMain(m *testing.M) {
	index := os.Getenv(crashIndex)
	if index == "" {
		os.Exit(m.Run())
	}
	for {
		if err := compacted(index); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(0)
	}
}

// compacted writes an index anew.
func compacted(path string) error {
	out, err := reserve(path)
	if err != nil {
		return err
	}
	defer release(out)
	w, _, err := openExisting(path, out)
	if err != nil {
		return err
	}
	defer w.db.Close()
	return w.compact()
}

// An index is killed while it is written anew to be smaller: it stays as it was, and
// the next run removes what is left.
func TestKillCompact(t *testing.T) {
	kills := sweeptest.Cases(10, 25, 300)
	rng := rand.New(rand.NewPCG(8, 9))
	dir := t.TempDir()
	index, want := filepath.Join(dir, "photos.idx"), example(3000, 16)
	if err := want.Save(index); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range kills {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), crashIndex+"="+index, "GORACE=atexit_sleep_ms=0") // the race detector waits a second at the end
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1)) // it has been written anew once
		time.Sleep(time.Duration(rng.Int64N(int64(30 * time.Millisecond))))
		cmd.Process.Kill()
		cmd.Wait()
		if g, err := Open(index); err != nil || !slices.Equal(g.Entries, want.Entries) || !slices.Equal(g.Vectors.Data(), want.Vectors.Data()) {
			t.Fatalf("after a kill: %v", err)
		}
	}
	if err := compacted(index); err != nil {
		t.Fatal(err)
	}
	OnlyIndex(t, dir)
}
