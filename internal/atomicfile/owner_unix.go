//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"syscall"
)

// ChangeOwner gives a file the owner of another, if that is allowed.
func ChangeOwner(path string, of fs.FileInfo) {
	now, err := os.Stat(path)
	if err != nil {
		return
	}
	have, ok := now.Sys().(*syscall.Stat_t)
	want, ok2 := of.Sys().(*syscall.Stat_t)
	if ok && ok2 && (have.Uid != want.Uid || have.Gid != want.Gid) {
		os.Chown(path, int(want.Uid), int(want.Gid)) // only root may, and who belongs to the group
	}
}
