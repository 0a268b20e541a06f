package worker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// variable in the environment tells a process that it is one for decoding.
const variable = "LOOKALIKE_DECODES_PICTURES"

func isWorker() bool { return os.Getenv(variable) != "" }

// Exit codes of a process that has ended itself.
const (
	overTime   = 124
	inputEnded = 0
)

// A job is said as its header, and then part by part, each answered before the next.
type (
	jobHeader struct {
		Memory int64
		Time   time.Duration
		Name   [16]byte
		Parts  uint32
	}
	partHeader struct {
		Width, Height, Length uint32
	}
	answerHeader struct {
		Failed bool
		Length uint32
	}
)

// longestReason bounds what a process can say why it could not decode.
const longestReason = 1000

// process is one that decodes.
type process struct {
	command *exec.Cmd
	to      io.WriteCloser
	from    *bufio.Reader
	said    *beginning
	pixels  []byte // of the last part
	ended   bool
}

// program is the path of this program, also if its file has been replaced meanwhile.
func program() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	return os.Executable()
}

func start() (*process, error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	c := exec.Command(path)
	c.Args = []string{filepath.Base(os.Args[0]) + "-decodes-pictures"}
	// Without a second processor, a decoder that never ends would keep the end of the
	// input from being seen.
	c.Env = append(os.Environ(), variable+"=1", "GOMAXPROCS=2", "GOGC=off", "GOMEMLIMIT=off", "GOTRACEBACK=none")
	apart(c)
	p := &process{command: c, said: new(beginning)}
	c.Stderr = p.said
	if p.to, err = c.StdinPipe(); err != nil {
		return nil, err
	}
	from, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.from = bufio.NewReaderSize(from, 64<<10)
	return p, c.Start()
}

// do has the process decode a job. Whatever fails ends the process, except that it says
// by itself why it cannot decode.
func (p *process) do(j Job, use func(part int, rgba []byte) error) error {
	processor, clock := j.limits()
	late := make(chan struct{})
	timer := time.AfterFunc(clock, func() {
		close(late)
		p.command.Process.Kill()
	})
	defer timer.Stop()
	h := jobHeader{Memory: j.Memory, Time: processor, Parts: uint32(len(j.Parts))}
	copy(h.Name[:], j.Decoder)
	err := binary.Write(p.to, binary.LittleEndian, h)
	for i, part := range j.Parts {
		if err != nil {
			break
		}
		var reason string
		if reason, err = p.decode(part); err != nil {
			break
		}
		if reason != "" {
			if i+1 < len(j.Parts) {
				p.end() // it waits for the other parts
			}
			return errors.New(reason)
		}
		if err := use(i, p.pixels); err != nil {
			p.end()
			return err
		}
	}
	if err == nil {
		return nil
	}
	code := p.end()
	select {
	case <-late:
		return fmt.Errorf("decoding was ended after %.0f s, the limit for its pixels", clock.Seconds())
	default:
	}
	switch said := p.said.String(); {
	case code == overTime:
		return fmt.Errorf("decoding was ended after %.0f s of processor time, the limit for its pixels", processor.Seconds())
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		return fmt.Errorf("decoding was ended: it would take over %d MB of memory", j.Memory/1e6)
	case said != "":
		line, _, _ := strings.Cut(said, "\n")
		return fmt.Errorf("decoding failed: %s", line)
	}
	return fmt.Errorf("the process that decodes has ended (%s)", p.command.ProcessState)
}

// decode has a part decoded; reason is what the process says why it cannot be.
func (p *process) decode(part Part) (reason string, err error) {
	h := partHeader{uint32(part.Width), uint32(part.Height), uint32(len(part.File))}
	if err := binary.Write(p.to, binary.LittleEndian, h); err != nil {
		return "", err
	}
	if _, err := p.to.Write(part.File); err != nil {
		return "", err
	}
	var answer answerHeader
	if err := binary.Read(p.from, binary.LittleEndian, &answer); err != nil {
		return "", err
	}
	length := 4 * part.Width * part.Height
	if answer.Failed {
		length = int(min(answer.Length, longestReason))
	} else if int64(answer.Length) != int64(length) {
		return "", errors.New("an answer of another length")
	}
	if cap(p.pixels) < length {
		p.pixels = make([]byte, length)
	}
	p.pixels = p.pixels[:length]
	if _, err := io.ReadFull(p.from, p.pixels); err != nil {
		return "", err
	}
	if answer.Failed {
		return string(p.pixels), nil
	}
	return "", nil
}

// end ends the process and returns its exit code, -1 if it was killed.
func (p *process) end() int {
	p.to.Close()
	// One that has ended by itself has said why; its output ends with it.
	if _, err := p.from.Peek(1); err != io.EOF {
		p.command.Process.Kill()
	}
	p.command.Wait()
	p.ended = true
	return p.command.ProcessState.ExitCode()
}

// beginning keeps the beginning of what is written.
type beginning struct {
	mu   sync.Mutex
	text []byte
}

func (b *beginning) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p[:min(len(p), longestReason-len(b.text))]...)
	return len(p), nil
}

func (b *beginning) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
