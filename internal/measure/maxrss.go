//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package measure

import (
	"os"
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
	return megabytes(&u)
}

// PeakMB is the most memory that a process, which has ended, has held at once, in MB,
// or 0 if the system does not tell.
func PeakMB(p *os.ProcessState) int {
	if u, ok := p.SysUsage().(*syscall.Rusage); ok {
		return megabytes(u)
	}
	return 0
}

func megabytes(u *syscall.Rusage) int {
	if runtime.GOOS == "darwin" { // in bytes, elsewhere in kilobytes
		return int(u.Maxrss >> 20)
	}
	return int(u.Maxrss >> 10)
}
