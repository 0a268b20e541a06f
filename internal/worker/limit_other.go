//go:build !linux && !darwin && !freebsd

package worker

import (
	"os"
	"os/exec"
	"time"
)

// others are signals that end a program.
var others = []os.Signal{os.Interrupt}

func apart(*exec.Cmd) {}

// limit has nothing to set here: the decoder bounds its memory itself, and the program
// that waits for it the time.
func limit(int64, time.Duration) {}
