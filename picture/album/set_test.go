package album

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"lookalike/picture"
)

// gallery is a file system of n pictures, picture i being i+1 wide, and of the
// other files given.
func gallery(t testing.TB, n int, others map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := range n {
		out[string(rune('a'+i/5))+"/"+string(rune('a'+i%5))] = &fstest.MapFile{Data: black(t, i+1, 2)}
	}
	for name, data := range others {
		out[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return out
}

// black is the file of a black picture.
func black(t testing.TB, width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture.New(width, height).RGBA()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fixture is a file of package picture's tests.
func fixture(t testing.TB, name string) []byte {
	data, err := os.ReadFile("../testdata/decode/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func folder(t testing.TB, fsys fs.FS) *Set {
	s, err := Folder(fsys, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFolder(t *testing.T) {
	s := folder(t, gallery(t, 0, map[string]string{
		"top.jpg": "", "b/deep/er/1.png": "", "b/2": "", "b.txt": "", "B/3": "",
		".hidden": "", ".git/config": "", "b/.cache/4": "", "b/.5": "", "b-c/6": "",
	}))
	var got []string
	for i := range s.Len() {
		got = append(got, s.Path(i)+" "+s.Label(i))
	}
	want := []string{"B/3 B", "b-c/6 b-c", "b.txt ", "b/2 b", "b/deep/er/1.png er", "top.jpg "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Folder(os.DirFS(filepath.Join(t.TempDir(), "absent")), picture.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}

// TestSystemFolders are left out with a word each; a file of such a name is a picture.
func TestSystemFolders(t *testing.T) {
	png := string(fixture(t, "rgb.png"))
	s := folder(t, gallery(t, 0, map[string]string{"a/1": png, "a/@eaDir/1/thumb.jpg": png, "#recycle/2": png, "b/@eaDir": png}))
	good, bad, err := s.Check(t.Context(), nil)
	if err != nil || !slices.Equal(good.paths, []string{"a/1", "b/@eaDir"}) {
		t.Errorf("%q, %v", good.paths, err)
	}
	var got []string
	for _, skip := range bad {
		got = append(got, skip.Path+": "+skip.Reason.Error())
	}
	if want := []string{"#recycle: Synology's waste basket, left out with all in it", "a/@eaDir: Synology's folder of thumbnails, left out with all in it"}; !slices.Equal(got, want) {
		t.Errorf("left out: %q", got)
	}
	if _, err := s.Stat(0); err == nil || !strings.Contains(err.Error(), "waste basket") {
		t.Errorf("Stat: %v", err) // which an index takes for a folder that is not read
	}
}

func TestFolderLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sub", "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": "sub/file", "folder": "sub", "sub/loop": "..", "nowhere": "absent", "self": "self"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	if s, want := folder(t, os.DirFS(dir)), []string{"link", "nowhere", "self", "sub/file"}; !slices.Equal(s.paths, want) {
		t.Errorf("got %q, want %q", s.paths, want)
	}
}

// TestFolderNames: a name that Go cannot open as part of a file system is
// reported, and so is what may not be read.
func TestFolderNames(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("Node makes UTF-8 of names")
	}
	dir := t.TempDir()
	for _, name := range []string{"écran – 写真 \u202e", "caf\xe9"} {
		if err := os.WriteFile(filepath.Join(dir, name), fixture(t, "rgb.png"), 0o666); err != nil {
			t.Skip("no such names here:", err)
		}
	}
	good, bad, err := folder(t, os.DirFS(dir)).Check(t.Context(), nil)
	if err != nil || good.Len() != 1 || len(bad) != 1 || !strings.Contains(bad[0].Reason.Error(), "not UTF-8") {
		t.Errorf("%d good, skipped %v, %v", good.Len(), bad, err)
	}
}

func TestLimit(t *testing.T) {
	s := folder(t, gallery(t, 10, nil))
	for n, want := range map[int]string{
		-1: "", 0: "", 1: "a/a", 3: "a/a a/d b/b", 9: "a/a a/b a/c a/d a/e b/a b/b b/c b/d",
		10: "a/a a/b a/c a/d a/e b/a b/b b/c b/d b/e", 99: "a/a a/b a/c a/d a/e b/a b/b b/c b/d b/e",
	} {
		if got := strings.Join(s.Limit(n).paths, " "); got != want {
			t.Errorf("Limit(%d): %s, want %s", n, got, want)
		}
	}
}

// TestSample: as many pictures as are asked for, whatever lies among them.
func TestSample(t *testing.T) {
	others := map[string]string{}
	for i := range 300 {
		others[fmt.Sprintf("a/%d.json", i)] = "{}"
	}
	s := folder(t, gallery(t, 10, others))
	for n, want := range map[int]int{0: 0, 1: 1, 4: 4, 10: 10, 11: 10, 1000: 10} {
		tried := 0
		good, bad, err := s.Sample(t.Context(), n, func(i int) { tried = i })
		if err != nil || good.Len() != want || !slices.IsSorted(good.paths) {
			t.Errorf("Sample(%d): %q, %v", n, good.paths, err)
		}
		if n > 10 && len(bad) != 300 || len(bad) > 300 || tried < want || tried > s.Len() {
			t.Errorf("Sample(%d): %d left out, %d tried", n, len(bad), tried)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := s.Sample(ctx, 5, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func TestLoad(t *testing.T) {
	s := folder(t, gallery(t, 3, map[string]string{"bad": "x"}))
	m, err := s.Map(func(m *picture.Image) *picture.Image { return picture.Nearest(m, 7, 7) }).
		Map(func(m *picture.Image) *picture.Image { return picture.Nearest(m, m.Width+1, 4) }).Load(0)
	if err != nil || m.Width != 8 || m.Height != 4 {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := s.Load(3); err == nil || !strings.HasPrefix(err.Error(), "bad: not a JPEG") {
		t.Errorf("error %v does not name path and reason", err)
	}
	delete(s.fsys.(fstest.MapFS), "a/b")
	if _, err := s.Load(1); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "a/b") != 1 {
		t.Errorf("error %v does not name path and reason once", err)
	}
}

// Films lie among photographs, and must not be read whole to be left out.
func TestReadOfOthers(t *testing.T) {
	s := folder(t, gallery(t, 1, map[string]string{
		"film.mp4": "\x00\x00\x00\x18ftypmp42" + strings.Repeat("film", 1<<18),
		"short":    "x",
		"z.jxl":    "\xff\x0a" + strings.Repeat("photo", 1<<18),
	}))
	for i := range s.Len() {
		path := s.Path(i)
		var data []byte
		var info fs.FileInfo
		if err := s.Read(i, func(d []byte, about fs.FileInfo) error { data, info = d, about; return nil }); err != nil {
			t.Fatal(err)
		}
		whole := s.fsys.(fstest.MapFS)[path].Data
		want := whole
		if path != "a/a" {
			want = whole[:min(len(whole), 200)] // which tell its format
		}
		if !bytes.Equal(data, want) || info.Size() != int64(len(whole)) {
			t.Errorf("%s: %d bytes read of %d", path, len(data), len(whole))
		}
		_, got := s.Decode(data)
		if _, err := s.Decode(whole); fmt.Sprint(got) != fmt.Sprint(err) {
			t.Errorf("%s: error %v, of the whole file %v", path, got, err)
		}
	}
}

func TestEach(t *testing.T) {
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 2, 15, 60} {
			next := 0
			err := folder(t, gallery(t, n, nil)).Each(t.Context(), func(i int, m *picture.Image, err error) error {
				if i != next || err != nil || m.Width != i+1 {
					t.Errorf("picture %d: %v, %v; expected picture %d", i, m, err, next)
				}
				next++
				return nil
			})
			if err != nil || next != n {
				t.Errorf("%d of %d pictures, %v", next, n, err)
			}
		}
	}
}

// However Each ends, its error or panic reaches the caller. The bubble fails the
// test if a goroutine stays behind.
func TestEachEnds(t *testing.T) { synctest.Test(t, testEachEnds) }

func testEachEnds(t *testing.T) {
	s := folder(t, gallery(t, 60, nil))
	enough := errors.New("enough")
	if err := s.Each(t.Context(), func(i int, m *picture.Image, err error) error {
		if i == 5 {
			return enough
		}
		return nil
	}); err != enough {
		t.Errorf("an error of the caller came back as %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	calls := 0
	if err := s.Each(ctx, func(i int, m *picture.Image, err error) error {
		calls++
		cancel(enough)
		return nil
	}); err != enough || calls == s.Len() {
		t.Errorf("after cancel: %v, %d calls", err, calls)
	}

	func() {
		defer func() {
			if r := recover(); r != "transform" {
				t.Errorf("recovered %v", r)
			}
		}()
		s.Map(func(*picture.Image) *picture.Image { panic("transform") }).Each(t.Context(), func(int, *picture.Image, error) error { return nil })
	}()
}

// broken makes a folder and a file of a file system unreadable.
type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	if name == "locked" || name == "a/b" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return b.FS.Open(name)
}

func TestCheck(t *testing.T) {
	cut := string(fixture(t, "rgb.png")[:2000])
	s, err := Folder(broken{gallery(t, 6, map[string]string{
		"a/c1.jpg": "text", "a/c2.png": cut, "b/huge.png": string(black(t, 200, 100)), "locked/in": "",
	})}, picture.Options{MaxPixels: 200*100 - 1})
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	good, bad, err := s.Check(t.Context(), func(i int) { seen = append(seen, i) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/a", "a/c", "a/d", "a/e", "b/a"}; !slices.Equal(good.paths, want) {
		t.Errorf("good: %q, want %q", good.paths, want)
	}
	if m, err := good.Load(4); err != nil || m.Width != 6 {
		t.Errorf("the set of good ones gave %v, %v", m, err)
	}
	var got []string
	for _, skip := range bad {
		if strings.Contains(skip.Reason.Error(), skip.Path) {
			t.Errorf("reason %q repeats the path", skip.Reason)
		}
		got = append(got, skip.Path)
	}
	if want := []string{"a/b", "a/c1.jpg", "a/c2.png", "b/huge.png", "locked"}; !slices.Equal(got, want) {
		t.Errorf("bad: %q, want %q", got, want)
	}
	if !slices.IsSorted(seen) || len(seen) != s.Len() {
		t.Errorf("done was called with %v", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Check(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}
