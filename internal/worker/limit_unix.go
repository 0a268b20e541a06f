//go:build linux || darwin || freebsd

package worker

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// apart keeps signals from a process that are meant for those of the terminal.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// others are signals that end a program.
var others = []os.Signal{os.Interrupt, unix.SIGTERM, unix.SIGHUP}

// own is what the program itself has of addresses and of time besides a job, for the Go
// runtime and for the decoder's translation.
const own = 1 << 30

var watch = sync.OnceFunc(func() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGXCPU)
	go func() {
		<-c
		os.Exit(overTime)
	}()
})

// limit bounds what the process takes from now on.
func limit(memory int64, processor time.Duration) {
	watch()
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &used) == nil {
		seconds := uint64(used.Utime.Sec) + uint64(used.Stime.Sec) + 2 + uint64(processor/time.Second)
		lower(unix.RLIMIT_CPU, seconds)
	}
	if n := addresses(); n > 0 {
		lower(unix.RLIMIT_AS, n+own+2*uint64(memory))
	}
}

// addresses returns the addresses that the process had when it was asked first; 0 if the
// system does not tell.
var addresses = sync.OnceValue(func() uint64 {
	var pages uint64
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fmt.Sscan(string(text), &pages)
	return pages * uint64(os.Getpagesize())
})

// lower sets a limit that a later one may raise again.
func lower(what int, to uint64) {
	var l unix.Rlimit
	if unix.Getrlimit(what, &l) != nil {
		return
	}
	soft(&l.Cur, l.Max, to)
	unix.Setrlimit(what, &l)
}

// soft sets one in the system's own kind of number.
func soft[T int64 | uint64](now *T, most T, to uint64) { *now = min(T(to), most) }
