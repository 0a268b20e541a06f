//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package fetch

import (
	"os"
	"syscall"
)

// lock takes f for this process until it is closed, or says that another one
// has it. File systems that cannot lock do not keep anybody from downloading.
func lock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != syscall.EWOULDBLOCK
}
