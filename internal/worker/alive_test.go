//go:build !js && !wasip1

package worker

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// alive tells whether a process is there that has not ended; one that nobody waits for
// has ended.
func alive(pid int) bool {
	if stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")); err == nil {
		return !strings.Contains(string(stat), ") Z ")
	}
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
