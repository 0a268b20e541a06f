//go:build unix

package indexing

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"lookalike/gallery"
)

// What the process that TestMain runs is to be limited to.
const (
	crashFileSize = "LOOKALIKE_TEST_CRASH_FILE_SIZE" // bytes
	crashUser     = "LOOKALIKE_TEST_CRASH_USER"      // number
)

func init() {
	if os.Getenv(crashFolder) == "" {
		return
	}
	if size, err := strconv.ParseUint(os.Getenv(crashFileSize), 10, 63); err == nil {
		limit := syscall.Rlimit{Cur: size, Max: size}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			panic(err)
		}
	}
	if user, err := strconv.Atoi(os.Getenv(crashUser)); err == nil {
		if err := cmp.Or(syscall.Setgid(user), syscall.Setuid(user)); err != nil {
			panic(err)
		}
	}
}

// updateLimited brings the index in a folder up to date in a process of its own,
// and returns how many pictures it said were safe, and what it wrote to standard
// error.
func updateLimited(t *testing.T, dir string, env ...string) (safe int, errs string, err error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(append(os.Environ(), crashFolder+"="+dir), env...)
	var out, text strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &text
	err = cmd.Run()
	for line := range strings.Lines(out.String()) {
		if _, e := fmt.Sscan(line, &safe); e != nil {
			t.Fatal(e)
		}
	}
	return safe, text.String(), err
}

// A real process runs out of room at many places, as on a full disk: that is an
// error which names the index, and the index keeps what was safe and goes on.
func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "photos"), colours(t, 900)); err != nil {
		t.Fatal(err)
	}
	index, held := filepath.Join(dir, "photos.idx"), 0
	for size := 8 << 10; ; size += 20 << 10 {
		safe, errs, err := updateLimited(t, dir, crashFileSize+"="+strconv.Itoa(size))
		held = max(held, safe)
		g, opened := gallery.Open(index)
		if err == nil {
			if opened != nil || len(g.Entries) != 900 {
				t.Errorf("the end: %v", opened)
			}
			if size < 50<<10 {
				t.Errorf("%d bytes were enough: nothing was tested", size)
			}
			return
		}
		if !strings.Contains(errs, "photos.idx") || strings.Contains(errs, ".lookalike-") || strings.Contains(errs, "goroutine ") {
			t.Fatalf("at %d bytes: %v, %s", size, err, errs)
		}
		if held == 0 && os.IsNotExist(errorOf(os.Stat(index))) {
			continue
		}
		if opened != nil || len(g.Entries) < held {
			t.Fatalf("at %d bytes: %v; %d pictures were safe", size, opened, held)
		}
	}
}

func errorOf(_ os.FileInfo, err error) error { return err }

// In a folder that may not be written to there is an error, and the index that is
// there can be read.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	files := colours(t, 10)
	if err := os.CopyFS(filepath.Join(dir, "photos"), files); err != nil {
		t.Fatal(err)
	}
	var env []string
	if os.Getuid() == 0 { // who may write everywhere
		env = []string{crashUser + "=65534"}
	}
	// The process must get into the folder, whoever it is.
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	defer os.Chmod(filepath.Dir(dir), 0o755)
	defer os.Chmod(dir, 0o755)
	if _, errs, err := updateLimited(t, dir, env...); err == nil || !strings.Contains(errs, "photos.idx") {
		t.Errorf("a new index: %v, %s", err, errs)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, errs, err := updateLimited(t, dir); err != nil {
		t.Fatal(errs)
	}
	index := filepath.Join(dir, "photos.idx")
	if err := os.Remove(filepath.Join(dir, "photos", "a", "000.png")); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o555, index: 0o444} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, errs, err := updateLimited(t, dir, env...); err == nil || !strings.Contains(errs, "cannot write to the index") {
		t.Errorf("an index that is there: %v, %s", err, errs)
	}
	if g, err := gallery.Open(index); err != nil || len(g.Entries) != 10 {
		t.Errorf("afterwards: %v", err)
	}

	// One that may be written to needs no reservation.
	if err := os.Chmod(index, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, errs, err := updateLimited(t, dir, env...); err != nil {
		t.Errorf("an index that may be written to: %v, %s", err, errs)
	}
	if g, err := gallery.Open(index); err != nil || len(g.Entries) != 9 {
		t.Errorf("afterwards: %v", err)
	}
}
