package putaway

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"lookalike/internal/atomicfile"
)

// A journal is a file of lines of JSON: a header, then a step before each file is
// touched, which is on the disk before anything else happens, and a line for how
// it went. What a run did that was cut off can be told from its steps and from
// what lies on the disk.

const (
	journalFormat  = "lookalike dups journal"
	journalVersion = 1
)

// header is the first line.
type header struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Program string    `json:"program"`
	Time    time.Time `json:"time"`
}

// What a line says.
const (
	opMove   = "move"   // From is to go to To
	opLink   = "link"   // From is to become a link to To, by way of Aside
	opDone   = "done"   // the step of this ID has been done, if not without an error,
	opFailed = "failed" // or left undone,
	opUndone = "undone" // or taken back

	opHold = "hold" // an empty file is to hold From's name while the step of this ID is taken back
)

// line is one after the header.
type line struct {
	Op     string      `json:"op"`
	ID     int         `json:"id"`
	From   string      `json:"from,omitempty"` // paths are absolute
	To     string      `json:"to,omitempty"`
	Aside  string      `json:"aside,omitempty"` // a second name of From's old file, while it is exchanged
	SHA256 string      `json:"sha256,omitempty"`
	Mode   fs.FileMode `json:"mode,omitempty"` // of From, as its time
	Time   time.Time   `json:"modified,omitzero"`
	Why    string      `json:"why,omitempty"`

	held bool // there is an opHold of this step
}

func (l line) sum() (sum [32]byte, err error) {
	b, err := hex.DecodeString(l.SHA256)
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%q is not a SHA-256", l.SHA256)
	}
	return [32]byte(b), nil
}

// Journal is one that is being written.
type Journal struct {
	Path   string
	f      *os.File
	next   int
	broken error              // of the first line that could not be written, perhaps in part
	output *atomicfile.Output // so that nobody undoes it meanwhile
}

// Create begins a journal, on the disk under its name. An existing file is an error.
func Create(path, program string) (*Journal, error) {
	output, err := atomicfile.Reserve(path)
	if err != nil {
		return nil, fmt.Errorf("cannot write the journal: %w", err)
	}
	err = atomicfile.Create(path, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(header{journalFormat, journalVersion, program, time.Now().UTC()})
	})
	var f *os.File
	if err == nil {
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}
	if err != nil {
		output.Close()
		return nil, fmt.Errorf("cannot write the journal: %w", err)
	}
	return &Journal{Path: path, f: f, output: output}, nil
}

// write adds a line. After one that could not be written there is no other: it would
// stand behind a part of that one, and nobody could read it.
func (j *Journal) write(l line) error {
	if j.broken != nil {
		return j.broken
	}
	b, err := json.Marshal(l)
	if err == nil {
		err = doing("write", j.Path, func() error { _, err := j.f.Write(append(b, '\n')); return err })
	}
	if err == nil {
		err = doing("sync", j.Path, j.f.Sync)
	}
	if err != nil {
		j.broken = fmt.Errorf("cannot write the journal: %w", err)
	}
	return j.broken
}

// Err is the error for which nothing more can be put away with this journal.
func (j *Journal) Err() error { return j.broken }

// step writes down what is going to happen, and returns its number.
func (j *Journal) step(l line) (int, error) {
	l.ID = j.next
	j.next++
	return l.ID, j.write(l)
}

// end writes down how a step went, unless there is something left to be undone of one
// that has failed.
func (j *Journal) end(id int, done bool, err error) error {
	if !done && errors.Is(err, errLeft) {
		return nil
	}
	l := line{Op: opFailed, ID: id}
	if done {
		l.Op = opDone
	}
	if err != nil {
		l.Why = err.Error()
	}
	return j.write(l)
}

// Close ends the journal. One without a step is removed. It may be called again, and
// does nothing then: another program may have made a file of that name.
func (j *Journal) Close() error {
	if j.f == nil {
		return nil
	}
	defer j.output.Close()
	err := j.f.Close()
	j.f = nil
	if j.next == 0 {
		return errors.Join(err, os.Remove(j.Path))
	}
	return err
}

// Bounds of a journal that is read.
const (
	longestLine = 1 << 20
	mostSteps   = 10_000_000
)

// read returns the steps of a journal that are to be taken back: those that have
// not been yet.
func read(r io.Reader) ([]line, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	var h header
	first := lines.Scan()
	if !first && lines.Err() == nil { // its run was killed while an empty file held the name
		return nil, nil
	}
	if !first || json.Unmarshal(lines.Bytes(), &h) != nil || h.Format != journalFormat {
		return nil, errors.New("it is not a journal of 'lookalike dups'")
	}
	if h.Version != journalVersion {
		return nil, fmt.Errorf("it is a journal of version %d; this program reads version %d", h.Version, journalVersion)
	}
	var steps []line
	over, held := map[int]bool{}, map[int]bool{}
	for n := 2; lines.Scan(); n++ {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			if !lines.Scan() { // the last line, cut off: nothing had been done yet
				break
			}
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		switch l.Op {
		case opMove, opLink:
			if _, err := l.sum(); err != nil || l.From == "" || l.To == "" || len(steps) == mostSteps {
				return nil, fmt.Errorf("line %d makes no sense", n)
			}
			steps = append(steps, l)
		case opFailed, opUndone:
			over[l.ID] = true
		case opHold:
			held[l.ID] = true
		case opDone:
		default:
			return nil, fmt.Errorf("line %d: there is no %q", n, l.Op)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	kept := steps[:0]
	for _, l := range steps {
		if !over[l.ID] {
			l.held = held[l.ID]
			kept = append(kept, l)
		}
	}
	return kept, nil
}
