package published

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/netip"
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

// Fetch downloads what is not there, once.
func TestFetch(t *testing.T) {
	content := []byte("weights")
	was := Files
	t.Cleanup(func() { Files = was })
	address, ranges := serve(t, plain(content))
	sum := md5.Sum(content)
	Files = []File{{Name: "small", URL: address, Checksum: Checksum{"md5", hex.EncodeToString(sum[:])}, Size: int64(len(content)), file: "small.h5"}}
	store, anyone := Store(t.TempDir()), func(netip.Addr) error { return nil }
	if _, err := store.Fetch(t.Context(), "small", Watch{}); err == nil || !strings.Contains(err.Error(), "private") && !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("from this machine: %v", err)
	}
	for range 2 {
		path, err := store.fetch(t.Context(), "small", anyone, Watch{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != string(content) || filepath.Base(path) != "small.h5" {
			t.Errorf("%s holds %q, %v", path, got, err)
		}
	}
	if asked := strings.Count(ranges()+" ", " "); asked != 1 {
		t.Errorf("asked %d times: %q", asked, ranges())
	}
	if _, err := store.Fetch(t.Context(), "large", Watch{}); err == nil || !strings.Contains(err.Error(), `called "large"; there are small`) {
		t.Errorf("unknown name: %v", err)
	}
}

// What a program may make itself, and must not, is an error.
func TestMisuse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for want, call := range map[string]func() error{
		`"" is none of the published files`: func() error { _, err := Store("").Path(File{}); return err },
		`no file to download`:               func() error { return Download(t.Context(), path, File{URL: "https://example.com/x"}, nil, Watch{}) },
		`no method "crc"`:                   func() error { _, err := Checksum{"crc", ""}.Of(t.Context(), "catalog.go"); return err },
		`are not on this machine`:           func() error { return new(MissingError) },
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if f := new(MissingError).Smallest(); f.Name != "" {
		t.Errorf("the smallest of none is %s", f.Name)
	}
}
