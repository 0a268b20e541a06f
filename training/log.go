package training

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"lookalike/internal/atomicfile"
	"lookalike/internal/checkpoint"
	"lookalike/internal/words"
	"lookalike/nn"
)

// lossLog is the table of a training, a line an epoch; nil for none.
type lossLog struct {
	path   string
	output *atomicfile.Output // this training alone writes it; nil for a stream
	first  bool               // nothing has been written yet
	begin  [][]string         // what comes before the first epoch's line: heading and epochs done
	exists bool               // a file, to be replaced: a log to go on with, or nothing in it
	file   *os.File           // that lines are added to
	stream bool               // file is a pipe or a device
}

// logColumns are its heading.
var logColumns = []string{"epoch", "loss", "val_loss", "images_per_second", "seconds"}

// openLog makes sure that a log can be written, and writes nothing: a training that
// does not come to the end of an epoch leaves the file as it was, or none. After the
// epochs that record tells of, the log goes on: it keeps their lines and drops later
// ones, which a model that has been put back from a copy, or was not yet written when
// the run was killed, does not have. Where a line is missing, as when the log was not
// kept at first, the losses are known from the record. A log of another training is
// replaced only if anew. A path of "" is no log.
func openLog(path string, record *checkpoint.Training, anew bool) (*lossLog, error) {
	if path == "" {
		return nil, nil
	}
	l := &lossLog{path: path, first: true}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return l, l.openStream(record)
	}
	var err error
	if l.output, err = reserveFile(path); err != nil {
		return nil, err
	}
	l.path = l.output.Path()
	lines, err := readLog(path)
	if err == nil && len(record.Losses) == 0 && lines != nil && !anew {
		err = fmt.Errorf("the log %s exists already; remove it or choose another name", path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	_, missing := os.Stat(path)
	l.exists = missing == nil
	l.begin = logBegin(record, lines)
	return l, nil
}

// openStream opens a pipe or a device. A pipe that nobody reads is an error.
func (l *lossLog) openStream(record *checkpoint.Training) (err error) {
	if l.file, err = os.OpenFile(l.path, os.O_WRONLY|nonblock, 0); err != nil {
		if errors.Is(err, syscall.ENXIO) {
			err = errors.New("nobody reads it; start the reader first")
		}
		return fmt.Errorf("cannot write the log %s: %w", l.path, words.Cause(err))
	}
	l.stream, l.begin = true, logBegin(record, nil)
	return nil
}

// until has a pipe that is read slowly, or by nobody any more, not keep the training from
// ending when ctx does.
func (l *lossLog) until(ctx context.Context) (stop func() bool) {
	if l == nil || !l.stream {
		return func() bool { return true }
	}
	file := l.file
	return context.AfterFunc(ctx, func() { file.SetWriteDeadline(time.Now()) }) // a device may have none
}

// logBegin is the heading and a line for each epoch of a record, the one that a log
// has if there is one.
func logBegin(record *checkpoint.Training, lines [][]string) [][]string {
	begin := [][]string{logColumns}
	for i := range record.Losses {
		val := math.NaN()
		if i < len(record.ValLosses) {
			val = record.ValLosses[i]
		}
		line := logLine(i+1, record.Losses[i], val, "", "")
		for _, old := range lines {
			if old[0] == line[0] && old[1] == line[1] && old[2] == line[2] {
				line = old
			}
		}
		begin = append(begin, line)
	}
	return begin
}

// mostLog bounds the size of a log that is read.
const mostLog = 64 << 20

// readLog returns the lines of a log behind the heading, nil if there is no file
// or an empty one. A last line that a crash has cut short is left out.
func readLog(path string) ([][]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the log: %w", err)
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(f, mostLog))
	r.FieldsPerRecord = -1
	lines := [][]string{}
	for n := 0; ; n++ {
		line, err := r.Read()
		if err == io.EOF {
			break
		}
		if n == 0 && (err != nil || fmt.Sprint(line) != fmt.Sprint(logColumns)) {
			return nil, fmt.Errorf("%s is not a log of this program's trainings (it does not begin with %q); choose another name", path, "epoch,loss,val_loss,…")
		}
		if err == nil && n > 0 && len(line) == len(logColumns) {
			lines = append(lines, line)
		}
		if n > 0 && err != nil {
			break
		}
	}
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		return nil, nil
	}
	return lines, nil
}

// logLine is an epoch as a line.
func logLine(epoch int, loss, val float64, rate, seconds string) []string {
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return []string{strconv.Itoa(epoch), number(loss), number(val), rate, seconds}
}

// add writes the line of an epoch, and makes it last.
func (l *lossLog) add(e nn.EpochStats) error {
	if l == nil {
		return nil
	}
	seconds := e.Duration.Seconds()
	line := logLine(e.Epoch, e.Loss, e.ValLoss,
		strconv.FormatFloat(float64(e.Samples)/seconds, 'f', 2, 64), strconv.FormatFloat(seconds, 'f', 3, 64))
	err := l.write(line)
	if err != nil {
		return fmt.Errorf("cannot write the log %s: %w", l.path, err)
	}
	return nil
}

func (l *lossLog) write(line []string) (err error) {
	switch {
	case l.first && !l.stream:
		err = l.create(append(l.begin, line))
	case l.first:
		err = csv.NewWriter(l.file).WriteAll(append(l.begin, line))
	default:
		err = csv.NewWriter(l.file).WriteAll([][]string{line})
	}
	if err == nil && !l.stream {
		err = l.file.Sync()
	}
	l.first = l.first && err != nil
	return err
}

// create makes the file, or puts a new one in the place of the log that it goes on
// with, and opens it for further lines.
func (l *lossLog) create(lines [][]string) error {
	place := atomicfile.Create
	if l.exists {
		place = atomicfile.Write
	}
	err := place(l.path, func(w io.Writer) error { return csv.NewWriter(w).WriteAll(lines) })
	if err != nil {
		return err
	}
	l.exists = true
	l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND, 0)
	return err
}

// follows tells whether an epoch is for the model first: where there is no log yet, only
// perhaps an empty file, and where it is a pipe, which may never take a line.
func (l *lossLog) follows() bool {
	return l != nil && (l.stream || l.first && len(l.begin) == 1)
}

// complete writes the epochs that are done, if the log that was told of lacks some: the
// run that trained them may have been killed before.
func (l *lossLog) complete() error {
	if l == nil || l.stream {
		return nil
	}
	if have, err := readLog(l.path); err != nil || slices.EqualFunc(have, l.begin[1:], slices.Equal) {
		return err
	}
	return l.create(l.begin)
}

// Close closes the file, and lets others write it. It may be called again.
func (l *lossLog) Close() error {
	if l == nil {
		return nil
	}
	if l.output != nil {
		defer l.output.Close()
	}
	if l.file == nil {
		return nil
	}
	file := l.file
	l.file = nil
	return file.Close()
}
