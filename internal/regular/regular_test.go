package regular

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err == nil {
		f, err := Open(link)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), dir+" is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(path + "x"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "there is no file "+path+"x" {
		t.Errorf("nothing: %v", err)
	}
	if _, err := Open(os.DevNull); err == nil {
		t.Error("a device is opened")
	}
	for _, path := range []string{dir, path + "x", os.DevNull} {
		_, err := Open(path)
		if reason := Reason(err); !strings.Contains(err.Error(), path) || strings.Contains(reason.Error(), path) {
			t.Errorf("%v, for the reason %v", err, reason)
		}
	}
}
