package putaway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"lookalike/internal/atomicfile"
)

// write makes a file and returns its hash.
func write(t *testing.T, path, text string) [32]byte {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256([]byte(text))
}

// tree is all files below a folder with content, permissions and time.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintln(&b, path, string(data), info.Mode(), info.ModTime().UTC())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func newJournal(t *testing.T) *Journal {
	t.Helper()
	j, err := Create(filepath.Join(t.TempDir(), "journal.jsonl"), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		j.f.Close()
		j.output.Close()
	})
	return j
}

// undo takes back what a journal, whose run is over, says and returns what went wrong.
func undo(t *testing.T, j *Journal) (back int, errs []string) {
	t.Helper()
	j.output.Close()
	err := Undo(t.Context(), j.Path, false, func(u Undone) {
		if u.Err != nil {
			errs = append(errs, u.Err.Error())
		} else {
			back++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return back, errs
}

// elsewhere is a folder on another device, if there is one.
func elsewhere(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "lookalike-")
	if err != nil {
		t.Skip("no other device:", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	probe := filepath.Join(t.TempDir(), "probe")
	write(t, probe, "x")
	if err := os.Rename(probe, filepath.Join(dir, "probe")); err == nil {
		t.Skip("/dev/shm is the same device")
	}
	return dir
}

func testMove(t *testing.T, away string) {
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "ü", "b.jpg"), filepath.Join(dir, "c.jpg")
	sums := [][32]byte{write(t, a, "one"), write(t, b, "two"), write(t, c, "three")}
	before := tree(t, dir)
	j := newJournal(t)
	to := filepath.Join(away, "x", "a.jpg")
	write(t, to, "somebody's")
	for i, from := range []string{a, b, c} {
		target := to
		if i > 0 {
			target = filepath.Join(away, filepath.Base(from))
		}
		got, err := j.Move(from, target, sums[i])
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: filepath.Join(away, "x", "a (2).jpg"), false: target}[i == 0]; got != want {
			t.Errorf("%s went to %s, want %s", from, got, want)
		}
		if _, err := os.Lstat(from); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", from, err)
		}
		if info, err := Examine(got, sums[i]); err != nil || info.ModTime().Year() != 2020 || runtime.GOOS != "windows" && info.Mode() != 0o640 {
			t.Errorf("%s: %v, %v", got, info, err)
		}
	}
	if data, _ := os.ReadFile(to); string(data) != "somebody's" {
		t.Errorf("what was there is %q", data)
	}
	if err := os.Remove(filepath.Dir(b)); err != nil { // a folder that has gone meanwhile
		t.Fatal(err)
	}
	if back, errs := undo(t, j); back != 3 || errs != nil {
		t.Errorf("%d back, %v", back, errs)
	}
	if after := tree(t, dir); after != before {
		t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
	}
	if left := tree(t, away); strings.Count(left, "\n") != 1 {
		t.Errorf("left behind: %s", left)
	}
	if back, errs := undo(t, j); back != 0 || errs != nil {
		t.Errorf("a second time: %d back, %v", back, errs)
	}
}

func TestMove(t *testing.T)              { testMove(t, filepath.Join(t.TempDir(), "away")) }
func TestMoveToOtherDevice(t *testing.T) { testMove(t, elsewhere(t)) }

// What is not as it was indexed stays.
func TestMoveChanged(t *testing.T) {
	dir, away := t.TempDir(), t.TempDir()
	a := filepath.Join(dir, "a.jpg")
	sum := write(t, a, "one")
	write(t, a, "two")
	j := newJournal(t)
	if _, err := j.Move(a, filepath.Join(away, "a.jpg"), sum); !errors.Is(err, ErrChanged) {
		t.Errorf("changed: %v", err)
	}
	if _, err := j.Move(filepath.Join(dir, "b.jpg"), filepath.Join(away, "b.jpg"), sum); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := os.Symlink(a, filepath.Join(dir, "link.jpg")); err == nil {
		if _, err := j.Move(filepath.Join(dir, "link.jpg"), filepath.Join(away, "l.jpg"), sha256.Sum256([]byte("two"))); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("link: %v", err)
		}
	}
	if s := tree(t, away); s != "" {
		t.Errorf("moved: %s", s)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(j.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a journal of nothing stays: %v", err)
	}
}

// What was moved and has changed since, or whose place is taken, is left.
func TestUndoConflicts(t *testing.T) {
	dir, away := t.TempDir(), t.TempDir()
	j := newJournal(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		sum := write(t, filepath.Join(dir, name), name)
		if _, err := j.Move(filepath.Join(dir, name), filepath.Join(away, name), sum); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(away, "a"), "edited")
	write(t, filepath.Join(dir, "b"), "another")
	if err := os.Remove(filepath.Join(away, "c")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir) + tree(t, away)
	if err := Undo(t.Context(), j.Path, true, func(Undone) {}); err != nil { // dry
		t.Fatal(err)
	}
	if after := tree(t, dir) + tree(t, away); after != before {
		t.Error("a dry run changes something")
	}
	back, errs := undo(t, j)
	if back != 1 || len(errs) != 3 {
		t.Errorf("%d back, %q", back, errs)
	}
	for i, want := range []string{"no such file", "is another file now", "has changed since it was moved"} {
		if runtime.GOOS != "windows" && !strings.Contains(errs[i], want) {
			t.Errorf("%q does not say %q", errs[i], want)
		}
	}
	// When nothing is in the way any more, the rest comes back.
	if err := os.Remove(filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(away, "a"), "a")
	if back, errs := undo(t, j); back != 2 || len(errs) != 1 {
		t.Errorf("then %d back, %q", back, errs)
	}
}

func TestLink(t *testing.T) {
	dir := t.TempDir()
	keep, a, b, c := filepath.Join(dir, "keep"), filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	sum := write(t, keep, "one")
	write(t, a, "one")
	write(t, b, "other")
	write(t, c, "one")
	when := time.Date(2021, 5, 5, 5, 5, 5, 0, time.UTC)
	if err := os.Chtimes(a, when, when); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	j := newJournal(t)
	if done, err := j.Link(a, keep, sum); err != nil || !done {
		t.Fatalf("done %v, %v", done, err)
	}
	x, _ := os.Stat(a)
	if y, _ := os.Stat(keep); !os.SameFile(x, y) {
		t.Error("not the same file")
	}
	if _, err := j.Link(a, keep, sum); !errors.Is(err, ErrLinked) {
		t.Errorf("linked: %v", err)
	}
	if _, err := j.Link(b, keep, sum); !errors.Is(err, ErrChanged) {
		t.Errorf("of other bytes: %v", err)
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(c, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Link(c, keep, sum); err == nil || !strings.Contains(err.Error(), "permissions") {
			t.Errorf("of other permissions: %v", err)
		}
		if err := os.Chmod(c, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if back, errs := undo(t, j); back != 1 || errs != nil {
		t.Errorf("%d back, %v", back, errs)
	}
	x, _ = os.Stat(a)
	if y, _ := os.Stat(keep); os.SameFile(x, y) {
		t.Error("still the same file")
	}
	if after := tree(t, dir); after != before {
		t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
	}
}

func TestLinkToOtherDevice(t *testing.T) {
	away := elsewhere(t)
	a, keep := filepath.Join(t.TempDir(), "a"), filepath.Join(away, "keep")
	sum := write(t, a, "one")
	write(t, keep, "one")
	if _, err := newJournal(t).Link(a, keep, sum); err == nil || !strings.Contains(err.Error(), "another device") {
		t.Errorf("%v", err)
	}
	if s := tree(t, filepath.Dir(a)); strings.Count(s, "\n") != 1 {
		t.Errorf("left behind: %s", s)
	}
}

// syncFails lets folders fail to be synced until the function that it returns is
// called.
func syncFails(t *testing.T) (restore func()) {
	t.Helper()
	before := syncDir
	syncDir = func(string) error { return errSync }
	restore = func() { syncDir = before }
	t.Cleanup(restore)
	return restore
}

var errSync = errors.New("the folder cannot be synced")

// What has been done although an error followed is told as done, and taken back.
func TestSyncFails(t *testing.T) {
	for _, text := range []string{"one", ""} {
		dir, away := t.TempDir(), t.TempDir()
		moved, linked, keep := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "keep")
		sum := write(t, moved, text)
		write(t, linked, text)
		write(t, keep, text)
		before := tree(t, dir)
		j := newJournal(t)
		restore := syncFails(t)
		to := filepath.Join(away, "a")
		if got, err := j.Move(moved, to, sum); got != to || !errors.Is(err, errSync) {
			t.Errorf("%q moved to %q, %v", text, got, err)
		}
		if _, err := Examine(to, sum); err != nil {
			t.Errorf("%q moved: %v", text, err)
		}
		if done, err := j.Link(linked, keep, sum); !done || !errors.Is(err, errSync) {
			t.Errorf("%q linked: %v, %v", text, done, err)
		}
		if _, errs := undo(t, j); len(errs) != 2 || !strings.Contains(errs[1], errSync.Error()) {
			t.Errorf("%q taken back, while folders cannot be synced: %q", text, errs)
		}
		restore()
		if back, errs := undo(t, j); back != 2 || errs != nil {
			t.Errorf("%q taken back: %d, %q", text, back, errs)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("after undo:\n%s\nbefore:\n%s", after, before)
		}
		if x, y := stat(t, linked), stat(t, keep); os.SameFile(x, y) {
			t.Errorf("%q is still a link", text)
		}
		if left := tree(t, away); left != "" {
			t.Errorf("left behind: %s", left)
		}
	}
}

// A copy on another device that may not last is given up, and the file stays.
func TestSyncOfCopyFails(t *testing.T) {
	away := elsewhere(t)
	for _, text := range []string{"one", ""} {
		dir := t.TempDir()
		from, to := filepath.Join(dir, "a"), filepath.Join(away, "a")
		sum := write(t, from, text)
		before := tree(t, dir)
		j := newJournal(t)
		restore := syncFails(t)
		if got, err := j.Move(from, to, sum); got != "" || !errors.Is(err, errSync) {
			t.Errorf("%q moved to %q, %v", text, got, err)
		}
		restore()
		if back, errs := undo(t, j); back != 0 || errs != nil {
			t.Errorf("%q: %d taken back, %q", text, back, errs)
		}
		if after := tree(t, dir); after != before {
			t.Errorf("after:\n%s\nbefore:\n%s", after, before)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the copy of %q stays: %v", text, err)
		}
	}
}

// What the name of a new folder stands in is synced before a file goes there.
func TestNewNamesLast(t *testing.T) {
	dir := t.TempDir()
	from, away := filepath.Join(dir, "a"), filepath.Join(dir, "x", "y")
	sum := write(t, from, "one")
	var synced []string
	t.Cleanup(func() { syncDir = atomicfile.SyncDir })
	syncDir = func(d string) error {
		if _, err := os.Stat(from); err == nil { // not moved yet
			synced = append(synced, d)
		}
		return atomicfile.SyncDir(d)
	}
	j, err := Create(filepath.Join(dir, "journal"), "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Move(from, filepath.Join(away, "a"), sum); err != nil {
		t.Fatal(err)
	}
	if want := []string{dir, filepath.Dir(away)}; !slices.Equal(synced, want) {
		t.Errorf("synced before the file was moved: %q, want %q", synced, want)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func stat(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// A run may be killed between any two system calls. Whatever state that leaves,
// undo brings back what was there before.
func TestUndoAfterKill(t *testing.T) {
	sum := sha256.Sum256([]byte("one"))
	for name, c := range map[string]struct {
		op    string
		state map[string]string // files below the folder; "=" is a link to keep
	}{
		"nothing done yet":    {opMove, map[string]string{"a": "one"}},
		"name held":           {opMove, map[string]string{"a": "one", "to": ""}},
		"copied":              {opMove, map[string]string{"a": "one", "to": "one"}},
		"moved":               {opMove, map[string]string{"to": "one"}},
		"nothing linked yet":  {opLink, map[string]string{"a": "one", "keep": "one"}},
		"new link":            {opLink, map[string]string{"a": "one", "keep": "one", "aside.new": "="}},
		"new link and aside":  {opLink, map[string]string{"a": "one", "keep": "one", "aside.new": "=", "aside": "one"}},
		"in place, and aside": {opLink, map[string]string{"a": "=", "keep": "one", "aside": "one"}},
		"linked":              {opLink, map[string]string{"a": "=", "keep": "one"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.state {
				if text != "=" {
					write(t, filepath.Join(dir, name), text)
				}
			}
			for name, text := range c.state {
				if text == "=" {
					if err := os.Link(filepath.Join(dir, "keep"), filepath.Join(dir, name)); err != nil {
						t.Fatal(err)
					}
				}
			}
			to := filepath.Join(dir, "to")
			if c.op == opLink {
				to = filepath.Join(dir, "keep")
			}
			j := newJournal(t)
			if _, err := j.step(line{Op: c.op, From: filepath.Join(dir, "a"), To: to, Aside: filepath.Join(dir, "aside"), SHA256: hex.EncodeToString(sum[:]), Mode: 0o640, Time: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)}); err != nil {
				t.Fatal(err)
			}
			if _, err := j.f.WriteString(`{"op":"mo`); err != nil { // the next step, cut off
				t.Fatal(err)
			}
			want := t.TempDir()
			write(t, filepath.Join(want, "a"), "one")
			if c.op == opLink {
				write(t, filepath.Join(want, "keep"), "one")
			}
			if back, errs := undo(t, j); back != 1 || errs != nil {
				t.Errorf("%d back, %v", back, errs)
			}
			if got, want := strings.ReplaceAll(tree(t, dir), dir, ""), strings.ReplaceAll(tree(t, want), want, ""); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if c.op == opLink {
				x, err := os.Stat(filepath.Join(dir, "a"))
				if err != nil {
					t.Fatal(err)
				}
				if y, _ := os.Stat(filepath.Join(dir, "keep")); os.SameFile(x, y) {
					t.Error("still a link")
				}
			}
			if back, errs := undo(t, j); back != 0 || errs != nil {
				t.Errorf("a second time: %d, %v", back, errs)
			}
		})
	}
}

func TestBadJournals(t *testing.T) {
	head, err := json.Marshal(header{Format: journalFormat, Version: journalVersion})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"hello": "not a journal",
		`{"format":"lookalike dups journal","version":9}`:            "version 9",
		string(head) + "\n{\"op\":\"dance\"}\n":                      `no "dance"`,
		string(head) + "\n{\"op\":\"move\",\"from\":\"/a\"}\n":       "line 2 makes no sense",
		string(head) + "\nxx\n{\"op\":\"done\"}\n":                   "line 2",
		string(head) + "\n" + strings.Repeat("x", 2*longestLine):     "too long",
		string(head) + "\n{\"op\":\"link\",\"sha256\":\"00\"}\n{}\n": "line 2 makes no sense",
	} {
		path := filepath.Join(t.TempDir(), "j")
		write(t, path, text)
		err := Undo(context.Background(), path, false, func(Undone) { t.Error("a step") })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

// Where an empty file holds a new name for a moment, a run that is killed then leaves a
// journal of nothing.
func TestEmptyJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	write(t, path, "")
	for _, dryRun := range []bool{true, false} {
		if err := Undo(t.Context(), path, dryRun, func(Undone) { t.Error("a step") }); err != nil {
			t.Error(err)
		}
	}
}

// Of two runs that copy one file, the first to remove it wins. What the other has copied
// is in its journal, so that after both are undone nothing is left.
func TestMoveTwiceAtOnce(t *testing.T) {
	dir, away, other := t.TempDir(), t.TempDir(), t.TempDir()
	from := filepath.Join(dir, "a.jpg")
	sum := write(t, from, "one")
	was := tree(t, dir)
	slow, quick := newJournal(t), newJournal(t)
	copied := way("copied").calls(func(int) error { return nil })
	use(t, func(call, path string) error {
		if call == "remove" && path == from {
			use(t, copied)
			if _, err := quick.Move(from, filepath.Join(other, "a.jpg"), sum); err != nil {
				t.Error(err)
			}
		}
		return copied(call, path)
	})
	to, err := slow.Move(from, filepath.Join(away, "a.jpg"), sum)
	if to != "" || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("moved to %q, %v", to, err)
	}
	for _, j := range []*Journal{slow, quick} {
		if back, errs := undo(t, j); back != 1 || errs != nil {
			t.Errorf("%d back, %v", back, errs)
		}
	}
	if got := tree(t, dir) + tree(t, away) + tree(t, other); got != was {
		t.Errorf("got\n%s\nwant\n%s", got, was)
	}
}

// The file that stays may change after it was read. What was to become a link to it stays
// then, for it may be the last of its contents.
func TestLinkKeepChanges(t *testing.T) {
	for name, change := range map[string]func(keep string) error{
		"written over": func(keep string) error { return os.WriteFile(keep, []byte("new"), 0o640) },
		"replaced": func(keep string) error {
			return errors.Join(os.WriteFile(keep+".new", []byte("new"), 0o640), os.Rename(keep+".new", keep))
		},
		"a link": func(keep string) error { return errors.Join(os.Remove(keep), os.Symlink("elsewhere", keep)) },
	} {
		for _, at := range []string{"link", "rename"} {
			t.Run(name+" before "+at, func(t *testing.T) {
				dir := t.TempDir()
				from, keep := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "keep.jpg")
				sum := write(t, from, "one")
				write(t, keep, "one")
				changed := false
				use(t, func(call, path string) error {
					if call == at && !changed {
						changed = true
						if err := change(keep); err != nil {
							t.Skip(err)
						}
					}
					return nil
				})
				j := newJournal(t)
				done, err := j.Link(from, keep, sum)
				use(t, way("").calls(nothing))
				linked := at == "rename" && name != "written over" // to what was read, which lives on
				if done != linked || err == nil != linked || err != nil && !IsLeft(err) {
					t.Errorf("done %v, %v", done, err)
				}
				undo(t, j)
				if data, err := os.ReadFile(from); string(data) != "one" {
					t.Errorf("it holds %q, %v", data, err)
				}
				if left, _ := filepath.Glob(filepath.Join(dir, ".lookalike-*")); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			})
		}
	}
}
