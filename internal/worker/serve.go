package worker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
)

// job is a Job as it arrives: its header, and parts while they are read.
type job struct {
	jobHeader
	parts chan Part
}

// large is memory that is given back to the system after a picture.
const large = 64 << 20

// serve decodes what its input asks for, until that ends.
func serve(decoders map[string]Decoder) {
	// Whoever ends the program with a signal to all of its processes leaves it the time
	// to finish what it does.
	signal.Ignore(others...)
	jobs := make(chan job)
	go func() {
		receive(bufio.NewReader(os.Stdin), jobs)
		os.Exit(inputEnded)
	}()
	output := os.Stdout
	for j := range jobs {
		s := served{decoder: decoders[string(bytes.TrimRight(j.Name[:], "\x00"))], memory: j.Memory}
		limit(j.Memory, j.Time)
		for part := range j.parts {
			pixels, err := s.decode(part)
			answer := answerHeader{Length: uint32(len(pixels))}
			if err != nil {
				reason := err.Error()
				pixels = []byte(reason[:min(len(reason), longestReason)])
				answer = answerHeader{true, uint32(len(pixels))}
			}
			binary.Write(output, binary.LittleEndian, answer)
			output.Write(pixels)
		}
		s.close()
		// Go's collector does not run by itself here: it would wait for the decoder's end.
		if j.Memory < large {
			runtime.GC()
		} else {
			debug.FreeOSMemory()
		}
	}
}

// receive reads jobs until the input ends. It is always reading, so that this is noticed
// at once.
func receive(input io.Reader, jobs chan<- job) {
	for {
		var j job
		if binary.Read(input, binary.LittleEndian, &j.jobHeader) != nil {
			return
		}
		j.parts = make(chan Part)
		jobs <- j
		for range j.Parts {
			var h partHeader
			if binary.Read(input, binary.LittleEndian, &h) != nil {
				return
			}
			p := Part{make([]byte, h.Length), int(h.Width), int(h.Height)}
			if _, err := io.ReadFull(input, p.File); err != nil {
				return
			}
			j.parts <- p
		}
		close(j.parts)
	}
}

// served is a job that is being decoded.
type served struct {
	decoder  Decoder
	memory   int64
	instance Instance
}

func (s *served) decode(p Part) (pixels []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the decoder failed on damaged data: %v", r)
		}
	}()
	if s.decoder == nil {
		return nil, fmt.Errorf("there is no such decoder")
	}
	if s.instance == nil {
		if s.instance, err = s.decoder(s.memory); err != nil {
			return nil, err
		}
	}
	pixels, err = s.instance.Decode(p.File, p.Width, p.Height)
	if err == nil && len(pixels) != 4*p.Width*p.Height {
		err = fmt.Errorf("the decoder gave %d bytes for %d x %d pixels", len(pixels), p.Width, p.Height)
	}
	return pixels, err
}

func (s *served) close() {
	if s.instance != nil {
		s.instance.Close()
	}
}
