//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

func peakMB(p *os.ProcessState) int {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int(usage.Maxrss >> 20)
	}
	return int(usage.Maxrss >> 10)
}
