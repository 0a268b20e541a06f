//go:build unix

package putaway

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// foreign returns an owner that this process may give files to, but does not.
func foreign(t *testing.T) (uid, gid int) {
	if os.Geteuid() == 0 {
		return 12345, 12346
	}
	groups, _ := os.Getgroups()
	for _, g := range groups {
		if g != os.Getegid() {
			return os.Geteuid(), g
		}
	}
	t.Skip("there is no owner that files may be given to")
	return 0, 0
}

// A copy has the owner of its file: on another device, back from there, and where a link
// becomes a file again.
func TestOwnerStays(t *testing.T) {
	uid, gid := foreign(t)
	dir := t.TempDir()
	from, keep := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "keep.jpg")
	sum := write(t, from, "one")
	write(t, keep, "one")
	expect := func(path string) {
		t.Helper()
		if s := stat(t, path).Sys().(*syscall.Stat_t); int(s.Uid) != uid || int(s.Gid) != gid || s.Mode&0o777 != 0o640 {
			t.Errorf("%s belongs to %d:%d, mode %o", path, s.Uid, s.Gid, s.Mode)
		}
	}
	for _, path := range []string{from, keep} {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}

	use(t, way("copied").calls(nothing))
	j := newJournal(t)
	to, err := j.Move(from, filepath.Join(dir, "away.jpg"), sum)
	if err != nil {
		t.Fatal(err)
	}
	expect(to)
	undo(t, j)
	expect(from)

	use(t, way("").calls(nothing))
	j = newJournal(t)
	if _, err := j.Link(from, keep, sum); err != nil {
		t.Fatal(err)
	}
	undo(t, j)
	expect(from)
	expect(keep)
}
