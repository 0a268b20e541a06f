package jpeg

import (
	"bytes"
	"errors"
	"fmt"

	"lookalike/internal/words"
)

// errEnd is the end of the picture: its marker, or where only that is missing.
var errEnd = errors.New("jpeg: the end")

// decoder is one run over a file.
type decoder struct {
	Header
	side   int    // of the pixels of a block: 8 or 1
	data   []byte // what is left of the file
	marker byte   // that ended the data of a scan, still to be read; 0: none

	bits  uint64 // of the scan, the last count of them still to be taken
	count int
	short bool // zeros were taken, because a marker came too early
	cut   bool // zeros were taken, because there is no more
	lost  bool // something was short, now or before

	quant    [4][]byte   // 64 factors, of 8 or 16 bits, in the order of the file
	codes    [2][4]codes // DC, AC
	tables   [2][4]table // of the codes, for the scan
	coder    arithmetic
	restart  int // MCUs between restart markers; 0: none
	eobRun   int // blocks that a progressive scan passes over
	scans    int
	lastGood int // the row of MCUs up to which the last scan had data
}

// untilScan reads segments up to the one that begins a scan, and returns its header; or
// errEnd.
func (d *decoder) untilScan() (scan []byte, err error) {
	for {
		if d.marker == 0 && !d.nextMarker() {
			if d.scans > 0 && d.complete() && !d.lost {
				return nil, errEnd
			}
			return nil, words.ErrCut
		}
		marker := d.marker
		d.marker = 0
		switch {
		case 0xd0 <= marker && marker <= 0xd7, marker == 1: // restart markers stand alone
			continue
		case marker == 0xd9 && d.scans == 0:
			return nil, errors.New("a file without a picture")
		case marker == 0xd9:
			return nil, errEnd
		case marker < 0xc0, marker == 0xd8, marker >= 0xf0 && marker != 0xfe:
			return nil, fmt.Errorf("marker %#02x, which does not belong there", marker)
		}
		body, err := d.body(marker)
		if err != nil {
			return nil, err
		}
		switch {
		case marker == 0xda && d.components == nil:
			return nil, errors.New("a scan before the frame's header")
		case marker == 0xda:
			return body, nil
		case marker == 0xc4:
			err = d.huffmanTables(body)
		case marker == 0xcc:
			err = d.conditions(body)
		case 0xc0 <= marker && marker <= 0xcf:
			err = d.frame(marker, body)
		case marker == 0xdb:
			err = d.quantTables(body)
		case marker == 0xdd:
			if len(body) != 2 {
				return nil, errors.New("a restart interval of a wrong length")
			}
			d.restart = int(body[0])<<8 | int(body[1])
		case marker == 0xe0:
			d.jfif = d.jfif || len(body) >= 14 && bytes.HasPrefix(body, []byte("JFIF\x00"))
		case marker == 0xee && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
			d.adobe, d.transform = true, body[11]
		case marker == 0xde || marker == 0xdf:
			err = errors.New("hierarchical coding, which is not supported")
		}
		if err != nil {
			return nil, err
		}
	}
}

// nextMarker finds a marker, whatever lies before it.
func (d *decoder) nextMarker() bool {
	for {
		at := bytes.IndexByte(d.data, 0xff)
		if at < 0 {
			d.data = nil
			return false
		}
		d.data = d.data[at:]
		d.fillBytes()
		if len(d.data) == 0 {
			return false
		}
		d.marker, d.data = d.data[0], d.data[1:]
		if d.marker != 0 {
			return true
		}
	}
}

// fillBytes passes over bytes of 255, any number of which may stand before a marker.
func (d *decoder) fillBytes() {
	for len(d.data) > 0 && d.data[0] == 0xff {
		d.data = d.data[1:]
	}
}

// body reads what belongs to a marker.
func (d *decoder) body(marker byte) ([]byte, error) {
	if len(d.data) < 2 {
		return nil, words.ErrCut
	}
	end := int(d.data[0])<<8 | int(d.data[1])
	notes := marker >= 0xe0 || marker == 0xdc
	switch {
	case end < 2 && notes: // as libjpeg has it
		end = 2
	case end < 2:
		return nil, fmt.Errorf("a segment of marker %#02x of no length", marker)
	case end > len(d.data):
		return nil, words.ErrCut
	}
	body := d.data[2:end]
	d.data = d.data[end:]
	return body, nil
}

func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		id, n := b[0]&15, 1+64
		if b[0]>>4 != 0 { // of 16 bits each
			n += 64
		}
		if id > 3 || len(b) < n {
			return errors.New("a table of quantization that is damaged")
		}
		d.quant[id] = b[1:n]
		b = b[n:]
	}
	return nil
}

// restarted goes on behind a restart marker, the one of number want. Where that is not
// the next one, it does what libjpeg does by default.
func (d *decoder) restarted(want int) error {
	d.bits, d.count, d.eobRun = 0, 0, 0
	if d.marker == 0 && !d.nextMarker() {
		return words.ErrCut
	}
	for d.marker != 0 {
		number := int(d.marker) - 0xd0
		ahead := (number - want) & 7
		switch {
		case d.marker < 0xc0, number >= 0 && number < 8 && ahead >= 6: // no marker, or one that was to come before: the next one is perhaps right
			if !d.nextMarker() {
				return words.ErrCut
			}
			continue
		case number >= 0 && number < 8 && ahead != 1 && ahead != 2: // right, or so wrong that it counts for nothing
			d.marker = 0
		}
		// What belongs to this interval is lost: of two behind, or of the end.
		break
	}
	if d.marker == 0 {
		d.short = false
	}
	return nil
}
