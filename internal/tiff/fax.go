package tiff

import (
	"errors"
	"math/bits"
)

// fax decodes what CCITT's recommendations T.4 and T.6 make of pixels that are black or
// white: Huffman codes of runs, or of how a line differs from the one above it. Black is 1
// in the rows that come out.
type fax struct {
	src   []byte
	at    int // bits read
	width int
	runs  *[2][1 << longestCode]run

	above, line []int // where the colour changes, the first time to black
}

// Kinds of files.
const (
	faxRuns      = iota // lines of runs, each beginning with a byte
	faxWordRuns         // with a word of 16 bits
	faxOneWay           // T.4, one-dimensional: lines of runs, marked between them
	faxTwoWays          // T.4, two-dimensional: a mark says which line is of runs
	faxTwoWaysT6        // T.6: no line is of runs
)

// Marks between lines of T.4. Two of them say that there is no other line, in T.6, too.
const (
	mark     = 1 // eleven zeros before it
	markBits = 12
	twoMarks = mark<<markBits | mark
)

// decodeFax fills dst with rows of stride bytes. Where the data say that there are no more
// lines, the others are white.
func decodeFax(dst, src []byte, width, stride, kind int) error {
	f := &fax{src: src, width: width, runs: runTables()}
	for lines := 0; len(dst) > 0; lines++ {
		oneWay, ended := true, false
		switch kind {
		case faxRuns:
			f.at = (f.at + 7) &^ 7
		case faxWordRuns:
			f.at = (f.at + 15) &^ 15
		case faxOneWay:
			f.skipMark()
			ended = f.peek(markBits) == mark
		case faxTwoWays:
			if f.skipMark() {
				oneWay = f.peek(1) == 1
				f.at++
			}
			ended = f.peek(markBits) == mark
		case faxTwoWaysT6:
			oneWay, ended = false, f.peek(2*markBits) == twoMarks
		}
		if ended && lines > 0 {
			return nil
		}
		f.above, f.line = f.line, f.above[:0]
		decode := f.twoWays
		if oneWay {
			decode = f.oneWay
		}
		if err := decode(); err != nil {
			return err
		}
		if f.at > 8*len(f.src) {
			return errCut
		}
		for i := 0; i+1 < len(f.line); i += 2 {
			blacken(dst[:min(stride, len(dst))], f.line[i], f.line[i+1])
		}
		dst = dst[min(stride, len(dst)):]
	}
	return nil
}

// peek returns the next bits, 24 at most, and zeros behind the end.
func (f *fax) peek(n int) int {
	var v uint32
	for i, at := 0, f.at/8; i < 4; i, at = i+1, at+1 {
		v <<= 8
		if at < len(f.src) {
			v |= uint32(f.src[at])
		}
	}
	return int(v << (f.at % 8) >> (32 - n))
}

// skipMark passes the mark between lines, eleven zeros or more and a one, if it is next.
func (f *fax) skipMark() bool {
	const zeros = 11
	if f.peek(zeros) != 0 {
		return false
	}
	f.at += zeros
	for f.at < 8*len(f.src) {
		if next := f.peek(8); next != 0 {
			f.at += 8 - bits.Len(uint(next)) + 1
			return true
		}
		f.at += 8
	}
	return true
}

// length reads the codes of one run.
func (f *fax) length(colour int) (int, error) {
	n := 0
	for {
		r := f.runs[colour][f.peek(longestCode)]
		if f.at += int(r.bits); r.bits == 0 || f.at > 8*len(f.src) {
			return 0, f.wrong()
		}
		n = min(n+int(r.pixels), f.width)
		if r.pixels < 64 {
			return n, nil
		}
	}
}

// wrong is the error of a code that there is not: perhaps the end of the data.
func (f *fax) wrong() error {
	if f.at+24 > 8*len(f.src) {
		return errCut
	}
	return errors.New("a code that CCITT's recommendations do not have")
}

// oneWay reads a line of runs.
func (f *fax) oneWay() error {
	for at, colour := 0, 0; at < f.width; colour ^= 1 {
		n, err := f.length(colour)
		if err != nil {
			return err
		}
		at += n
		if err := f.change(at); err != nil {
			return err
		}
	}
	f.end()
	return nil
}

// change notes that the colour changes at a place. Runs may be empty, but not without end.
func (f *fax) change(at int) error {
	if len(f.line) > 2*f.width+8 {
		return errors.New("a line of too many runs")
	}
	f.line = append(f.line, min(at, f.width))
	return nil
}

// end ends a line, so that the changes of the next one find some behind all of it.
func (f *fax) end() { f.line = append(f.line, f.width, f.width, f.width, f.width) }

// twoWays reads a line that is told by the changes of the one above it.
func (f *fax) twoWays() error {
	if len(f.above) == 0 { // an imaginary white one
		f.above = append(f.above, f.width, f.width, f.width, f.width)
	}
	at, colour, next := -1, 0, 0 // next is where b1 is searched in f.above
	for at < f.width {
		next = max(0, next-2)&^1 | colour
		for next+2 < len(f.above) && f.above[next] <= at && f.above[next] < f.width {
			next += 2
		}
		b1 := f.above[next]
		shift, ok := 0, true
		switch code := f.peek(7); {
		case code>>6 == 1:
			f.at++
		case code>>4 == 0b011:
			shift, f.at = 1, f.at+3
		case code>>4 == 0b010:
			shift, f.at = -1, f.at+3
		case code>>1 == 0b000011:
			shift, f.at = 2, f.at+6
		case code>>1 == 0b000010:
			shift, f.at = -2, f.at+6
		case code == 0b0000011:
			shift, f.at = 3, f.at+7
		case code == 0b0000010:
			shift, f.at = -3, f.at+7
		case code>>3 == 0b0001: // passes the run above
			f.at += 4
			at, ok = f.above[min(next+1, len(f.above)-1)], false
		case code>>4 == 0b001: // two runs
			f.at += 3
			at, ok = max(at, 0), false
			for _, c := range [2]int{colour, colour ^ 1} {
				n, err := f.length(c)
				if err != nil {
					return err
				}
				at += n
				if err := f.change(at); err != nil {
					return err
				}
			}
		case code == 1:
			return errors.New("pixels as they are, an extension of CCITT's codes that is not read")
		default:
			return f.wrong()
		}
		if f.at > 8*len(f.src) {
			return errCut
		}
		if !ok {
			continue
		}
		if b1+shift < at || b1+shift < 0 {
			return errors.New("a run that ends before it begins")
		}
		at = b1 + shift
		if err := f.change(at); err != nil {
			return err
		}
		colour ^= 1
	}
	f.end()
	return nil
}

// blacken sets the bits of a row from one place up to another.
func blacken(row []byte, from, to int) {
	if from >= to || to > 8*len(row) {
		return
	}
	first, last := byte(0xff)>>(from%8), byte(0xff)<<(7-(to-1)%8)
	a, b := from/8, (to-1)/8
	if a == b {
		row[a] |= first & last
		return
	}
	row[a] |= first
	for i := a + 1; i < b; i++ {
		row[i] = 0xff
	}
	row[b] |= last
}
