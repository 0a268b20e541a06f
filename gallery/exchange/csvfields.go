package exchange

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
)

// mostField bounds a field of CSV, such as a path.
const mostField = 1 << 20

// csvFields reads CSV field by field, by the rules and with the errors of encoding/csv,
// which holds a line whole: one of ten million numbers took 900 MB.
type csvFields struct {
	in         *bufio.Reader
	line       int // in which the next byte is
	column     int // of the next byte, from 1
	recordLine int
	fieldLine  int // where the last field began
	field      []byte
	last       bool // the last field was its line's last
}

func newCSVFields(r *bufio.Reader) *csvFields {
	return &csvFields{in: r, line: 1, column: 1, last: true}
}

// next returns the next field, valid until the call after it. first tells that a line
// begins with it. At the end of the file the error is io.EOF.
func (f *csvFields) next() (field []byte, first bool, err error) {
	first = f.last
	b, err := f.byte()
	for first && b == '\n' && err == nil { // an empty line
		f.line, f.column = f.line+1, 1
		b, err = f.byte()
	}
	if first && err != nil {
		return nil, false, err
	}
	f.field, f.last = f.field[:0], false
	f.fieldLine = f.line
	if first {
		f.recordLine = f.line
	}
	quoted := err == nil && b == '"'
	if quoted {
		b, err = f.quoted()
	} else {
		for ; err == nil && b != ',' && b != '\n'; b, err = f.byte() {
			if b == '"' {
				return nil, false, f.wrong(f.column-1, csv.ErrBareQuote)
			}
			if err := f.add(b); err != nil {
				return nil, false, err
			}
		}
	}
	if err == io.EOF || err == nil && b == '\n' {
		f.last = true
		if err == nil {
			f.line, f.column = f.line+1, 1
		}
		err = nil
	}
	return f.field, first, err
}

// quoted reads a field behind its first quote, and what follows it.
func (f *csvFields) quoted() (byte, error) {
	for {
		b, err := f.byte()
		if err == io.EOF {
			if f.column == 2 { // nothing is in this line
				f.line--
			}
			return 0, f.wrong(f.column, csv.ErrQuote)
		} else if err != nil {
			return 0, err
		}
		if b == '"' {
			if b, err = f.byte(); err != nil || b == ',' || b == '\n' {
				return b, err
			}
			if b != '"' {
				return 0, f.wrong(f.column-2, csv.ErrQuote)
			}
		}
		if err := f.add(b); err != nil {
			return 0, err
		}
		if b == '\n' {
			f.line, f.column = f.line+1, 1
		}
	}
}

func (f *csvFields) add(b byte) error {
	if f.field = append(f.field, b); len(f.field) > mostField {
		return fmt.Errorf("line %d: a field of more than %d bytes", f.line, mostField)
	}
	return nil
}

// byte returns the next byte; of an end of a line as Windows has it the second, and the
// file's last carriage return not at all.
func (f *csvFields) byte() (byte, error) {
	b, err := f.in.ReadByte()
	if b == '\r' && err == nil {
		switch next, peekErr := f.in.Peek(1); {
		case peekErr == nil && next[0] == '\n':
			f.column++
			b, err = f.in.ReadByte()
		case peekErr == io.EOF:
			f.column++
			return 0, io.EOF
		}
	}
	f.column++
	return b, err
}

// wrongCount is the error for a line that has more or fewer fields than the first.
func (f *csvFields) wrongCount() error {
	return &csv.ParseError{StartLine: f.recordLine, Line: f.recordLine, Column: 1, Err: csv.ErrFieldCount}
}

func (f *csvFields) wrong(column int, err error) error {
	return &csv.ParseError{StartLine: f.recordLine, Line: f.line, Column: column, Err: err}
}
