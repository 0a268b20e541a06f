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
	"path/filepath"
	"time"
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
}

func (l line) sum() (sum [32]byte, err error) {
	b, err := hex.DecodeString(l.SHA256)
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%q is no SHA-256", l.SHA256)
	}
	return [32]byte(b), nil
}

// Journal is one that is being written.
type Journal struct {
	Path string
	f    *os.File
	next int
}

// Create begins a journal, on the disk under its name. An existing file is an error.
func Create(path, program string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write the journal: %w", err)
	}
	j := &Journal{Path: path, f: f}
	err = j.write(header{journalFormat, journalVersion, program, time.Now().UTC()})
	if err == nil {
		if err = syncDir(filepath.Dir(path)); err != nil {
			err = fmt.Errorf("cannot write the journal: %w", err)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return j, nil
}

func (j *Journal) write(v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		if _, err = j.f.Write(append(b, '\n')); err == nil {
			err = j.f.Sync()
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write the journal: %w", err)
	}
	return nil
}

// step writes down what is going to happen, and returns its number.
func (j *Journal) step(l line) (int, error) {
	l.ID = j.next
	j.next++
	return l.ID, j.write(l)
}

// end writes down how a step went.
func (j *Journal) end(id int, done bool, err error) error {
	l := line{Op: opFailed, ID: id}
	if done {
		l.Op = opDone
	}
	if err != nil {
		l.Why = err.Error()
	}
	return j.write(l)
}

// Close ends the journal. One without a step is removed.
func (j *Journal) Close() error {
	err := j.f.Close()
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
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &h) != nil || h.Format != journalFormat {
		return nil, errors.New("it is not a journal of 'lookalike dups'")
	}
	if h.Version != journalVersion {
		return nil, fmt.Errorf("it is a journal of version %d; this program reads version %d", h.Version, journalVersion)
	}
	var steps []line
	over := map[int]bool{}
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
			kept = append(kept, l)
		}
	}
	return kept, nil
}
