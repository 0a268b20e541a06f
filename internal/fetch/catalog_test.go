package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("LOOKALIKE_CACHE", cache)
	if dir, err := Store("elsewhere").Folder(); err != nil || filepath.Base(dir) != "elsewhere" {
		t.Errorf("a store that is given is %s (%v)", dir, err)
	}
	store := Store("")
	_, err := store.Find("vgg16", "vgg16-notop")
	missing, ok := errors.AsType[*MissingError](err)
	if !errors.Is(err, os.ErrNotExist) || !ok || missing.Smallest().Name != "vgg16-notop" {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := store.Find("vgg17"); err == nil || errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "vgg16, vgg16-notop, vgg19, vgg19-notop") {
		t.Errorf("unknown name: %v", err)
	}
	for _, name := range []string{"vgg16-notop", "vgg16"} {
		f, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		path, err := store.Path(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(path, cache+string(filepath.Separator)) {
			t.Errorf("%s is kept as %s, outside of %s", name, path, cache)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+".part", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Find(name); err == nil {
			t.Errorf("a part is taken for the file: %s", got)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Find("vgg16", "vgg16-notop"); err != nil || got != path {
			t.Errorf("found %s, %v; want %s", got, err, path)
		}
	}
}

func TestFilesAreWhole(t *testing.T) {
	for _, f := range Files {
		if c, err := ParseChecksum(f.Checksum.Hex); err != nil || c != f.Checksum {
			t.Errorf("%s: checksum %v, %v", f.Name, c, err)
		}
		if !strings.HasPrefix(f.URL, "https://") || f.Size < 1<<20 {
			t.Errorf("%s: %d bytes at %s", f.Name, f.Size, f.URL)
		}
	}
}

func TestParseChecksum(t *testing.T) {
	short, long := strings.Repeat("0aF3", 8), strings.Repeat("0aF3", 16)
	for in, want := range map[string]string{
		short: "md5:" + strings.ToLower(short), "MD5:" + short: "md5:" + strings.ToLower(short),
		long: "sha256:" + strings.ToLower(long), "sha256:" + long: "sha256:" + strings.ToLower(long),
	} {
		if got, err := ParseChecksum(in); err != nil || got.String() != want {
			t.Errorf("%s is read as %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ":", "md5:", "sha256:" + short, "md5:" + long, "sha1:" + short, short[1:], "g" + short[1:], short + "\n"} {
		if got, err := ParseChecksum(in); err == nil {
			t.Errorf("%q is read as %v", in, got)
		}
	}
}
