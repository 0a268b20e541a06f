package exchange

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// columns are what the columns of a CSV file hold: a value, or one of pictureColumns by
// its number and one. A byte each, for there may be millions.
type columns struct {
	kinds []uint8
	last  int // value that has a name, and one
}

// name adds a column that has a name.
func (c *columns) name(name string) error {
	digits, isValue := strings.CutPrefix(name, "v")
	number, err := strconv.Atoi(digits)
	kind := slices.Index(pictureColumns, name) + 1
	switch {
	case name == "":
		return fmt.Errorf("column %d has no name; a column of row numbers, as pandas writes it, must be left out (index=False)", len(c.kinds)+1)
	case kind > 0:
	case !isValue || err != nil:
		return fmt.Errorf("column %q is neither of a picture (%s) nor a value (v0, v1, …)", name, strings.Join(pictureColumns, ", "))
	case number < c.last:
		return fmt.Errorf("column %q comes after \"v%d\"; values must be in order, each once", name, c.last-1)
	default:
		c.last = number + 1
	}
	c.kinds = append(c.kinds, uint8(kind))
	return nil
}

func readCSV(r *bufio.Reader, rows *rowsRead) error {
	var c columns
	in := newCSVFields(r)
	header, begun := false, ""
	for n := 1; ; {
		var e exported
		i := 0
		for ; i == 0 || !in.last; i++ {
			field, _, err := in.next()
			if err == io.EOF && i == 0 {
				return nil
			} else if err != nil {
				return err
			}
			switch {
			case n == 1 && i == 0:
				begun = string(field)
				_, err := strconv.ParseFloat(begun, 32)
				header = err != nil
			case n > 1 && i >= len(c.kinds):
				return in.wrongCount()
			}
			if header && n == 1 {
				if err := c.name(string(field)); err != nil {
					return err
				}
				continue
			}
			if n == 1 {
				c.kinds = append(c.kinds, 0)
			}
			err = rows.take(&e, c.kinds[i], string(field))
			if rows.full != nil {
				return rows.full
			} else if err != nil && n == 1 {
				return (&columns{}).name(begun) // a line of names, and a number is none
			} else if err != nil {
				return fmt.Errorf("line %d, column %d: %q is no number that fits", in.fieldLine, i+1, field)
			}
		}
		if i != len(c.kinds) {
			return in.wrongCount()
		}
		if n++; n == 2 && header {
			rows.start = rows.position()
			continue
		}
		if err := rows.end(e); err != nil {
			return err
		}
	}
}

// take takes in a field of a column.
func (r *rowsRead) take(e *exported, kind uint8, text string) (err error) {
	if kind == 0 {
		number, err := strconv.ParseFloat(text, 32)
		r.full = cmp.Or(r.full, r.add(float32(number)))
		return err
	}
	switch pictureColumns[kind-1] {
	case "path":
		e.Path = text
	case "label":
		e.Label = text
	case "width":
		e.Width, err = strconv.Atoi(text)
	case "height":
		e.Height, err = strconv.Atoi(text)
	case "size":
		e.Size, err = strconv.ParseInt(text, 10, 64)
	case "modified":
		e.Modified = text
	case "sha256":
		e.SHA256 = text
	}
	return err
}
