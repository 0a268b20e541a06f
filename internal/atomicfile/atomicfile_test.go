package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// expect fails unless dir holds exactly the files named in want, with their content.
func expect(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := want[e.Name()]; !ok {
			t.Errorf("%s is left over", e.Name())
		}
	}
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if string(got) != content {
			t.Errorf("%s holds %q, want %q", name, got, content)
		}
	}
}

func TestWriteCreatesAndReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	long := strings.Repeat("0123456789", 1<<15) // more than one buffer
	for _, content := range []string{"first", long, "", "last"} {
		if err := Write(path, text(content)); err != nil {
			t.Fatal(err)
		}
		expect(t, dir, map[string]string{"a.txt": content})
	}
}

func TestWriteRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("a.txt", text("x")); err != nil {
		t.Fatal(err)
	}
	expect(t, ".", map[string]string{"a.txt": "x"})
}

func TestWriteLongName(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("n", 255) // the longest most file systems take
	if err := Write(filepath.Join(dir, name), text("x")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{name: "x"})
}

func TestOldContentStaysUntilTheEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := Write(path, text("old")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			return err
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if string(got) != "old" {
			t.Errorf("while writing, the file holds %d bytes, want the old content", len(got))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailureLeavesEverythingAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := Write(path, text("old")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken on purpose")
	err := Write(path, func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %q must wrap %q and name %s", err, broken, path)
	}
	expect(t, dir, map[string]string{"a.txt": "old"})

	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic in write was swallowed")
			}
		}()
		Write(path, func(io.Writer) error { panic("on purpose") })
	}()
	expect(t, dir, map[string]string{"a.txt": "old"})
}

func TestErrorsNameThePath(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing", "a.txt")
	err := Write(missing, text("x"))
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("missing folder: error %q", err)
	}
	err = Write(dir, text("x"))
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder as the file: error %q", err)
	}
	expect(t, dir, nil)

	_, source := os.Open(filepath.Join(dir, "source"))
	link := os.Rename(filepath.Join(dir, "source"), filepath.Join(dir, "target"))
	for _, other := range []error{source, link} {
		err = Write(filepath.Join(dir, "a.txt"), func(io.Writer) error { return other })
		if err == nil || !strings.Contains(err.Error(), other.Error()) {
			t.Errorf("error %q must keep %q", err, other)
		}
	}
}
