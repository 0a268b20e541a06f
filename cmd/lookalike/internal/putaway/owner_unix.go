//go:build unix

package putaway

import (
	"io/fs"
	"syscall"
)

// owner says whose a file is, as far as that is known.
func owner(info fs.FileInfo) [2]uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return [2]uint32{s.Uid, s.Gid}
	}
	return [2]uint32{}
}
