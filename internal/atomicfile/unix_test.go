//go:build unix

package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPermissionsFollowTheUmask(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		umask int
		want  os.FileMode
	}{{0o022, 0o644}, {0o077, 0o600}, {0, 0o644}} {
		path := filepath.Join(dir, fmt.Sprintf("%o.txt", c.umask))
		old := syscall.Umask(c.umask)
		err := Write(path, text("x"))
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != c.want {
			t.Errorf("umask %04o gives %v, want %v", c.umask, info.Mode(), c.want)
		}
	}
}

func TestSymbolicLinkStays(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	link, target := filepath.Join(dir, "link"), filepath.Join(elsewhere, "target")
	if err := os.WriteFile(target, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(link); err != nil || got != target {
		t.Errorf("the link points to %q, %v", got, err)
	}
	expect(t, elsewhere, map[string]string{"target": "new"})
}

func TestPipeIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	if err := Write(path, text("x")); err == nil {
		t.Error("a named pipe was replaced by a file")
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is gone: %v, %v", info, err)
	}
}

// A file that is replaced, by its name or behind a link, keeps its permissions.
func TestPermissionsStay(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.txt"), filepath.Join(dir, "link")
	if err := os.Symlink("a.txt", link); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o600, 0o640, 0o444, 0o666} {
		if err := errors.Join(Write(path, text("old")), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{path, link} {
			if err := Write(name, text("new")); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Lstat(path); err != nil || info.Mode() != mode {
				t.Errorf("mode %v became %v, %v", mode, info.Mode(), err)
			}
		}
	}
}

// A link to a file that is not there yet leads to it.
func TestDanglingLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := Create(link, text("x")); !errors.Is(err, os.ErrExist) {
		t.Errorf("a link that is there was taken for a free name: %v", err)
	}
	if err := Write(link, text("new")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.Readlink(link); err != nil || got != "target" {
		t.Errorf("the link points to %q, %v", got, err)
	}
	expect(t, dir, map[string]string{"target": "new", "link": "new"})
}
