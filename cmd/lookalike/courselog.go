package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"

	"lookalike/checkpoint"
	"lookalike/nn"
)

// courseLog is the table of a training, a line an epoch; nil for none.
type courseLog struct {
	path string
	file *os.File
}

// logColumns are its heading.
var logColumns = []string{"epoch", "loss", "val_loss", "images_per_second", "seconds"}

// openLog begins a log or, after the epochs that record tells of, goes on with
// one: it keeps the lines of these epochs and drops later ones, which a model
// that has been put back from a copy does not have. Where a line is missing, as
// when the log was not kept at first, the losses are known from the record. A
// path of "" is no log.
func openLog(path, model string, record *checkpoint.Training) (*courseLog, error) {
	if path == "" {
		return nil, nil
	}
	if err := checkOutput(path, model); err != nil {
		return nil, err
	}
	done := len(record.Losses)
	lines, err := readLog(path)
	switch {
	case err != nil:
		return nil, err
	case done == 0 && lines != nil:
		return nil, fmt.Errorf("the log %s exists already; remove it or choose another name", path)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("cannot write the log: %w", err)
	}
	l := &courseLog{path, f}
	err = l.write(logColumns)
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
		err = errors.Join(err, l.write(line))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
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
			return nil, fmt.Errorf("%s is no log of this program's trainings (it does not begin with %q); choose another name", path, "epoch,loss,val_loss,…")
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

// add writes the line of an epoch.
func (l *courseLog) add(e nn.EpochStats) error {
	if l == nil {
		return nil
	}
	seconds := e.Duration.Seconds()
	return l.write(logLine(e.Epoch, e.Loss, e.ValLoss,
		strconv.FormatFloat(float64(e.Samples)/seconds, 'f', 2, 64), strconv.FormatFloat(seconds, 'f', 3, 64)))
}

func (l *courseLog) write(line []string) error {
	w := csv.NewWriter(l.file)
	w.Write(line)
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("cannot write the log %s: %w", l.path, err)
	}
	return nil
}

// Close closes the file.
func (l *courseLog) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
