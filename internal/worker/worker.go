// Package worker runs decoders of others in processes of their own: this program once
// more, which takes files from its standard input and gives pixels to its output. Each
// has bounds of memory, of processor time and of time, and is ended when it is over one
// of them. A few are kept for what comes next; all end with the program, also if that is
// killed, for they then find the end of their input.
package worker

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Decoder makes an instance for the files of one picture. It has no more than so many
// bytes of memory.
type Decoder func(memory int64) (Instance, error)

// Instance decodes the files of one picture, one after the other.
type Instance interface {
	// Decode returns the pixels, 4 bytes each, of a file of a known size. The next call
	// may write over them.
	Decode(file []byte, width, height int) (rgba []byte, err error)
	Close()
}

// Job is a picture to be decoded.
type Job struct {
	Decoder string
	Parts   []Part
	Memory  int64 // most bytes for the decoder

	time time.Duration // of a processor; 0: as the pixels ask
}

// Part is a file of the decoder's, with the size of its pixels.
type Part struct {
	File          []byte
	Width, Height int
}

// pixels is how many the parts have.
func (j Job) pixels() (n int64) {
	for _, p := range j.Parts {
		n += int64(p.Width) * int64(p.Height)
	}
	return n
}

// limits returns how much time of a processor a job may take, which is some twenty times
// what it takes (measured: 0.16 µs a pixel), and how much by the clock, on a machine that
// does much else.
func (j Job) limits() (processor, clock time.Duration) {
	processor = j.time
	if processor == 0 {
		processor = 20*time.Second + time.Duration(j.pixels())*3*time.Microsecond
		if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
			processor *= 30 // WebAssembly is interpreted there
		}
	}
	return processor, time.Minute + 5*processor
}

// ready tells why there are no processes; nil: there may be.
var ready struct {
	sync.Mutex
	missing error
}

var errNotReady = errors.New("HEIC and AVIF are decoded by this program itself, started once more, which it is not ready for: its main has to call Main of package picture/heif first")

func init() { ready.missing = errNotReady }

// Refuse has all jobs fail with that reason.
func Refuse(reason string) {
	ready.Lock()
	defer ready.Unlock()
	ready.missing = errors.New(reason)
}

// Main is called first in a program's main. In a process that was started for decoding it
// serves until its input ends, and does not return.
func Main(decoders map[string]Decoder) {
	if isWorker() {
		serve(decoders)
	}
	ready.Lock()
	defer ready.Unlock()
	ready.missing = nil
}

// Do decodes the parts of a job, and gives use the pixels of each in order, which it must
// not keep. It waits while as many jobs are under way as there are processors.
func Do(j Job, use func(part int, rgba []byte) error) error {
	ready.Lock()
	missing := ready.missing
	ready.Unlock()
	if missing != nil {
		return missing
	}
	p, err := processes.take()
	if err != nil {
		return fmt.Errorf("no process for decoding can be started: %w", err)
	}
	err = p.do(j, use)
	processes.give(p)
	return err
}
