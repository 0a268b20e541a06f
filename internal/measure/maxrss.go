//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package measure

import (
	"runtime"
	"syscall"
)

// maxRSS returns the most memory that this process has held at once, in MB, or 0
// if the system does not tell.
func maxRSS() int {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" { // in bytes, elsewhere in kilobytes
		return int(u.Maxrss >> 20)
	}
	return int(u.Maxrss >> 10)
}
