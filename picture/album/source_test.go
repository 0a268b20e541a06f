package album

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"lookalike/internal/words"
	"lookalike/picture"
)

// packed is a file of an archive in the order written.
type packed struct {
	name, data, link string
	kind             byte // of tar
}

func zipOf(t testing.TB, members ...packed) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarOf(t testing.TB, members ...packed) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o644, Typeflag: m.kind, Linkname: m.link, ModTime: time.Unix(1e9, 0)}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, m.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// source opens a file of these bytes, whose name says nothing about them.
func source(t testing.TB, data []byte) (*Source, error) {
	path := filepath.Join(t.TempDir(), "Zdjęcia 写真")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	} else if !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the file", err)
	}
	return s, err
}

// TestSources reads the same pictures from a folder and from each archive.
func TestSources(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	members := []packed{{name: ".hidden", data: "x"}, {name: "Käse/写真", data: string(fixture(t, "rgb.png"))},
		{name: "a/b/420.jpg", data: string(fixture(t, "420.jpg"))}, {name: "no", data: "text"}}
	dir := t.TempDir()
	for _, m := range members {
		path := filepath.Join(dir, filepath.FromSlash(m.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(m.data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	sources := map[string]*Source{}
	for kind, data := range map[string][]byte{"zip": zipOf(t, members...), "tar": tarOf(t, members...), "tar.gz": gzipOf(tarOf(t, members...))} {
		s, err := source(t, data)
		if err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(s.FS, ".hidden", "Käse/写真", "a/b/420.jpg", "no"); err != nil {
			t.Error(kind, err)
		}
		sources[kind] = s
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	sources["folder"] = s
	for kind, s := range sources {
		if s.Kind != kind {
			t.Errorf("%s is called %s", kind, s.Kind)
		}
		set, err := s.Pictures(picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"Käse/写真", "a/b/420.jpg", "no"}; !slices.Equal(set.paths, want) || set.Label(1) != "b" {
			t.Errorf("%s: %q", kind, set.paths)
		}
		good, bad, err := set.Check(t.Context(), nil)
		if err != nil || good.Len() != 2 || len(bad) != 1 || bad[0].Path != "no" {
			t.Errorf("%s: %d good, skipped %v, %v", kind, good.Len(), bad, err)
		}
		m, err := set.Load(0)
		if err != nil || m.Width != 45 {
			t.Errorf("%s: %v, %v", kind, m, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSourceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".photo")
	if err := os.WriteFile(path, fixture(t, "rgb.png"), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil || s.Kind != "file" {
		t.Fatal(s, err)
	}
	set, err := s.Pictures(picture.Options{})
	if err != nil || set.Len() != 1 || set.Path(0) != ".photo" {
		t.Fatal(set, err)
	}
	if m, err := set.Load(0); err != nil || m.Width != 45 {
		t.Error(m, err)
	}
	if _, err := Open(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := Open(os.DevNull); err == nil || !strings.Contains(err.Error(), "neither a folder nor a file") {
		t.Errorf("a device: %v", err)
	}
}

// names lists the files of a source and what they hold, sorted.
func names(t *testing.T, s *Source) string {
	var out []string
	err := fs.WalkDir(s.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(s.FS, p)
		if err != nil {
			data = []byte("(" + words.Cause(err).Error() + ")")
		}
		out = append(out, p+"="+string(data))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// TestOddArchives: paths that lead out, occur twice or contradict each other.
func TestOddArchives(t *testing.T) {
	odd := []packed{{name: "../../up", data: "1"}, {name: "/etc/x", data: "2"}, {name: `win\dow`, data: "3"}, {name: "a/./b//c", data: "4"},
		{name: "twice", data: "5"}, {name: "twice", data: "6"}, {name: "f", data: "7"}, {name: "f/g", data: "8"}, {name: "..", data: "9"}, {name: "caf\xe9", data: "0"}}
	left := func(path, why string) string { return path + " (left out 1)=(" + why + ")" }
	later := left("twice", "the archive has a later file of this path, which counts")
	want := []string{left("a file without a name", "the archive gives a file no name"), "a/b/c=4", "cafΘ=0", "etc/x=2",
		left("f", "the archive has a folder of this path, which counts"), "f/g=8", later, "twice=6", "up=1", `win\dow=3`}
	slices.Sort(want)
	s, err := source(t, zipOf(t, odd...))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); got != strings.Join(want, " ") {
		t.Errorf("zip: %s, want %s", got, want)
	}
	odd = append(odd, packed{name: "soft", kind: tar.TypeSymlink, link: "/etc/passwd"}, packed{name: "hard", kind: tar.TypeLink, link: "./up"},
		packed{name: "nowhere", kind: tar.TypeLink, link: "absent"}, packed{name: "dir/", kind: tar.TypeDir}, packed{name: "pipe", kind: tar.TypeFifo})
	want = append(want, "soft=(a symbolic link, which is not followed in an archive)", "hard=1",
		"nowhere=(a hard link to absent, which the archive does not have before it)", "pipe=(neither a file nor a folder)")
	slices.Sort(want)
	s, err = source(t, tarOf(t, odd...))
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); got != strings.Join(want, " ") {
		t.Errorf("tar: %s, want %s", got, want)
	}
}

// TestBackslashes: they separate folders where DOS made a zip that has no slash, and not
// within a character of two bytes.
func TestBackslashes(t *testing.T) {
	const dos, unix = 0, 3
	for _, c := range []struct {
		system uint16
		raw    []string
		want   []string
	}{
		{dos, []string{`.\a\1.jpg`, `..\b.jpg`, `a\`}, []string{"a/1.jpg", "b.jpg"}},
		{dos, []string{`a\1.jpg`, "b/2.jpg"}, []string{`a\1.jpg`, "b/2.jpg"}},
		{unix, []string{`a\1.jpg`, `b\1.jpg`}, []string{`a\1.jpg`, `b\1.jpg`}},
		{dos, []string{"\x95\\a.jpg", "\x95\\b.jpg"}, []string{"表a.jpg", "表b.jpg"}},
		{dos, []string{"\x94\x4c\\\x95\\.jpg"}, []string{"猫/表.jpg"}},
		{dos, []string{"\xfe\\a.jpg", "\xfe\\b.jpg"}, []string{`■\a.jpg`, `■\b.jpg`}}, // of no known encoding
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range c.raw {
			w, err := z.CreateRaw(&zip.FileHeader{Name: name, CreatorVersion: c.system<<8 | 20, NonUTF8: true})
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, "")
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := source(t, b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ReplaceAll(names(t, s), "=", ""); got != strings.Join(c.want, " ") {
			t.Errorf("%q of system %d: %q, want %q", c.raw, c.system, got, c.want)
		}
	}
}

// TestNamesInArchives: the files that lost pictures without a word.
func TestNamesInArchives(t *testing.T) {
	for file, want := range map[string][]string{
		"sjis":          {"犬/表.jpg", "猫.jpg"},
		"sjis-all-lost": {"一覧表.jpg", "予定表.jpg"},
		"sjis-lost":     {"plain.jpg", "一覧表.jpg", "写真/可能.jpg"},
		"sjis-merge":    {"表a.jpg", "表b.jpg"},
		"trailing":      {"a/1.jpg", "a/2.jpg"},
	} {
		s, err := Open("../../../shared/cases/files/" + file + ".zip")
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("no ../shared/cases/files")
		}
		if err != nil {
			t.Fatal(err)
		}
		set, err := s.Pictures(picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if good, bad, err := set.Check(t.Context(), nil); err != nil || len(bad) > 0 || !slices.Equal(good.paths, want) {
			t.Errorf("%s: %q, left out %v, %v; want %q", file, good.paths, bad, err, want)
		}
		s.Close()
	}
}

// TestBehindGzip: several parts are one file, and what follows the last is ignored, but no
// part may be damaged.
func TestBehindGzip(t *testing.T) {
	whole := tarOf(t, packed{name: "a", data: "text"})
	twoParts := append(gzipOf(whole[:700]), gzipOf(whole[700:])...)
	for what, data := range map[string][]byte{
		"zeros": append(gzipOf(whole), make([]byte, 5000)...), "rubbish": append(gzipOf(whole), "rubbish"...), "one byte": append(gzipOf(whole), 0x1f), "two parts": twoParts,
	} {
		s, err := source(t, data)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		} else if got := names(t, s); got != "a=text" {
			t.Errorf("%s: %s", what, got)
		}
	}
	for n := len(gzipOf(whole[:700])) + 2; n < len(twoParts); n++ {
		if _, err := source(t, twoParts[:n]); err == nil {
			t.Fatalf("no error for the first %d of %d bytes", n, len(twoParts))
		}
	}
}

func TestDamagedArchives(t *testing.T) {
	long := strings.Repeat("ab/", 2000) + "c"
	noise := make([]byte, 3*99*33)
	rand.NewChaCha8([32]byte{}).Read(noise)
	good := map[string][]byte{"zip": zipOf(t, packed{name: "a", data: string(noise)}), "tar": tarOf(t, packed{name: "a", data: string(noise)})}
	for what, c := range map[string]struct {
		data []byte
		want string
	}{
		"a cut zip":     {good["zip"][:len(good["zip"])-30], "zip"},
		"a cut tar":     {good["tar"][:5000], "cut short"},
		"a cut tar.gz":  {gzipOf(good["tar"])[:5000], "cut short"},
		"a gzip of one": {gzipOf([]byte("text")), "no tar archive"},
		"a long path":   {zipOf(t, packed{name: long, data: "x"}), "6001 bytes"},
		"7z":            {[]byte("7z\xbc\xaf'\x1c\x00\x04"), "zip, tar and tar.gz"},
		"a bomb":        {gzipOf(tarOf(t, packed{name: "a", data: string(make([]byte, 80<<20))})), "the limit"},
	} {
		if _, err := source(t, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", what, err, c.want)
		}
	}
	// What is flipped in the contents is found by the checksum.
	flipped := bytes.Clone(good["zip"])
	flipped[2000] ^= 1
	s, err := source(t, flipped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(s.FS, "a"); err == nil {
		t.Error("no error for a damaged file of a zip archive")
	}
	encrypted := bytes.Clone(good["zip"])
	encrypted[bytes.Index(encrypted, []byte("PK\x01\x02"))+8] |= 1
	if s, err = source(t, encrypted); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s); got != "a=(the file is encrypted)" {
		t.Error(got)
	}
}

// FuzzSource: whatever the bytes, an error or a source that can be listed.
func FuzzSource(f *testing.F) {
	members := []packed{{name: "a/b", data: "text"}, {name: "a/c", data: "more"}}
	f.Add(zipOf(f, members...))
	f.Add(tarOf(f, members...))
	f.Add(gzipOf(tarOf(f, members...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := source(t, data)
		if err != nil {
			return
		}
		set, err := s.Pictures(picture.Options{MaxBytes: 1 << 16})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := set.Check(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

// A closed source reads no more from archives, opens none, and stays closed.
func TestSourceClosed(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	members := packed{name: "a/1.png", data: string(fixture(t, "rgb.png"))}
	for name, data := range map[string][]byte{"b.zip": zipOf(t, members), "b.tar": tarOf(t, members), "b.tar.gz": gzipOf(tarOf(t, members))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ open, read string }{
		{"b.zip", "a/1.png"}, {"b.tar", "a/1.png"}, {"b.tar.gz", "a/1.png"}, {"", "b.zip/a/1.png"},
	} {
		s, err := Open(filepath.Join(dir, c.open))
		if err != nil {
			t.Fatal(err)
		}
		set, err := s.Pictures(picture.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("%s: closed: %v", c.open, err)
			}
		}
		if _, err := s.Pictures(picture.Options{}); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: pictures: %v", c.open, err)
		}
		if _, err := fs.ReadFile(s.FS, c.read); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %s: %v", c.open, c.read, err)
		}
		if _, err := set.Load(0); c.open != "" && !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %s: %v", c.open, set.Path(0), err)
		}
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
