package jpeg

import (
	"errors"
	"fmt"

	"lookalike/internal/words"
)

// natural gives the place of a coefficient in its block by its place in the file. Those
// behind the last one, which only damaged files have, are put in its place.
var natural = func() (n [128]uint8) {
	for i := range n {
		n[i] = 63
	}
	copy(n[:], []uint8{
		0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
		35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
	})
	return n
}()

// scanRange is which coefficients a scan has, and which of their bits.
type scanRange struct {
	first, last int
	high, low   int // the bit behind the last known one, the last one here
}

// progress is how much of a component's coefficients is known: which bit was the last
// one; -1: nothing.
type progress struct {
	now    [64]int8
	before [10]int8 // before the component's last scan
}

var nothing = func() (p progress) {
	for k := range p.now {
		p.now[k] = -1
	}
	return p
}()

// What scans there may be, lest a file of few bytes is work without end.
const (
	// mostScans is what fuzzers of libjpeg-turbo set; its programs write 100 at most.
	mostScans = 500
	// mostSent is how many coefficients of a block the scans of a component may have: each
	// of 64 with its first bits and then bit by bit, down from the 13th.
	mostSent = 64 * (1 + 13)
)

// scan decodes one scan.
func (d *decoder) scan(b []byte) error {
	if len(b) < 1 || b[0] < 1 || b[0] > 4 || len(b) != 4+2*int(b[0]) {
		return errors.New("a scan's header of a wrong length")
	}
	if d.scans++; d.scans > mostScans {
		return fmt.Errorf("more than %d scans", mostScans)
	}
	var list []*component
	for i := range int(b[0]) {
		c, err := d.component(b[1+2*i], list)
		if err != nil {
			return err
		}
		c.dc, c.ac = b[2+2*i]>>4, b[2+2*i]&15
		list = append(list, c)
	}
	tail := b[1+2*len(list):]
	s := scanRange{int(tail[0]), int(tail[1]), int(tail[2] >> 4), int(tail[2] & 15)}
	if !d.progressive {
		s = scanRange{0, 63, 0, 0}
	} else if s.first > s.last || s.last > 63 || s.first == 0 && s.last > 0 || s.first > 0 && len(list) > 1 || s.low > 13 || s.high > 0 && s.high != s.low+1 {
		return fmt.Errorf("a scan of coefficients %d to %d, bits %d to %d", s.first, s.last, s.high, s.low)
	}
	for _, c := range list {
		if err := d.begin(c, s); err != nil {
			return err
		}
	}
	if len(list) == 1 {
		c := list[0]
		return d.units(c.cols, c.cols*c.rows, c.v, list, s, func(i int, empty bool) { d.block(c, s, i%c.cols, i/c.cols, empty) })
	}
	blocks := 0
	for _, c := range list {
		blocks += c.h * c.v
	}
	if blocks > 10 {
		return fmt.Errorf("a scan of %d blocks a unit; there are 10 at most", blocks)
	}
	return d.units(d.columns, d.columns*d.rows, 1, list, s, func(i int, empty bool) {
		x, y := i%d.columns, i/d.columns
		for _, c := range list {
			for j := range c.h * c.v {
				d.block(c, s, x*c.h+j%c.h, y*c.v+j/c.h, empty)
			}
		}
	})
}

// component finds the component of a name that is not in the list yet.
func (d *decoder) component(id byte, list []*component) (*component, error) {
next:
	for i := range d.components {
		c := &d.components[i]
		if c.id != id {
			continue
		}
		for _, other := range list {
			if other == c {
				continue next
			}
		}
		return c, nil
	}
	return nil, fmt.Errorf("a scan of component %d, which there is not", id)
}

// begin makes ready for a component's part of a scan.
func (d *decoder) begin(c *component, s scanRange) error {
	if c.quant == nil {
		if c.table > 3 || d.quant[c.table] == nil {
			return fmt.Errorf("table %d of quantization is missing", c.table)
		}
		c.quant = factors(d.quant[c.table])
	}
	if c.sent += s.last - s.first + 1; c.sent > mostSent {
		return errors.New("more scans than the coefficients have bits")
	}
	for k := min(s.first, 1); k < len(c.known.before); k++ {
		c.known.before[k] = 0
		if d.scans > 1 {
			c.known.before[k] = c.known.now[k]
		}
	}
	for k := s.first; k <= s.last; k++ {
		c.known.now[k] = int8(s.low)
	}
	if d.arithmetic {
		return nil
	}
	if s.first == 0 && s.high == 0 {
		if err := d.makeTable(0, c.dc); err != nil {
			return err
		}
	}
	if s.last > 0 {
		return d.makeTable(1, c.ac)
	}
	return nil
}

// factors returns a table of quantization in natural order.
func factors(b []byte) *[64]int32 {
	q := new([64]int32)
	for i, place := range natural[:64] {
		if len(b) == 64 {
			q[place] = int32(b[i])
		} else {
			q[place] = int32(b[2*i])<<8 | int32(b[2*i+1])
		}
	}
	return q
}

// units decodes n MCUs, with the restarts between them. There are so many in a row, and
// so many rows of them in one of the whole picture's.
func (d *decoder) units(row, n, rows int, list []*component, s scanRange, unit func(i int, empty bool)) error {
	d.short = false
	good := 0
	for i, next := 0, 0; i < n; i++ {
		if i == next {
			if i > 0 {
				if err := d.restarted((i/d.restart - 1) % 8); err != nil {
					return err
				}
			} else {
				d.bits, d.count, d.eobRun = 0, 0, 0
			}
			for _, c := range list {
				c.last = 0
			}
			if d.arithmetic {
				d.coder.reset(d, list, s)
			}
			next = n
			if d.restart > 0 {
				next = i + d.restart
			}
		}
		if !d.short {
			good = i
		}
		unit(i, d.short)
		if d.cut {
			return words.ErrCut
		}
		if d.coder.zeros > mostZeros {
			return errors.New("arithmetic coding that ends far too early")
		}
	}
	d.lastGood = good / row / rows
	return nil
}

// block decodes a block of a component. An empty one is of an interval whose data ended.
func (d *decoder) block(c *component, s scanRange, x, y int, empty bool) {
	if !d.progressive {
		var values [64]int16
		switch {
		case empty:
			c.draw(x, y, &values, 0)
		case d.arithmetic:
			d.coder.sequential(c, &values)
			c.show(x, y, &values)
		default:
			c.draw(x, y, &values, d.sequential(c, &values))
		}
		return
	}
	if empty {
		return
	}
	values := (*[64]int16)(c.values[64*(y*c.stride+x):])
	switch {
	case d.arithmetic:
		d.coder.progressive(c, s, values)
	case s.first == 0 && s.high == 0:
		values[0] = int16(d.dc(c) << s.low)
	case s.first == 0:
		values[0] |= int16(d.take(1) << s.low)
	case s.high == 0:
		d.ac(c, s, values)
	default:
		d.refine(c, s, values)
	}
}

// sequential decodes a block of a sequential file, times the factors of quantization, and
// returns the sum of the coefficients' sizes.
func (d *decoder) sequential(c *component, values *[64]int16) (sum int64) {
	q := c.quant
	v := int32(int16(d.dc(c))) * q[0]
	values[0] = int16(v)
	sum = int64(max(v, -v))
	ac := &d.tables[1][c.ac&3]
	bits, count := d.bits, d.count // in registers
	for k := 1; k < 64; k++ {
		if count < 32 {
			d.bits, d.count = bits, count
			d.fill()
			bits, count = d.bits, d.count
		}
		var symbol byte
		var v int32
		if found := ac.lookup[bits>>((count-lookupBits)&63)&(1<<lookupBits-1)]; found != 0 && count >= 32 {
			symbol = byte(found)
			count -= int(found>>8) + int(symbol&15)
			v = extended(int32(bits>>(count&63)), int(symbol&15))
		} else {
			d.bits, d.count = bits, count
			symbol = d.symbol(ac)
			v = d.extended(int(symbol & 15))
			bits, count = d.bits, d.count
		}
		run := int(symbol >> 4)
		if symbol&15 == 0 {
			if run < 15 {
				break
			}
			k += 15
			continue
		}
		k += run
		place := natural[k&127] & 63
		v *= q[place]
		values[place] = int16(v)
		sum += int64(max(v, -v))
	}
	d.bits, d.count = bits, count
	return sum
}

// dc decodes a DC coefficient.
func (d *decoder) dc(c *component) int32 {
	c.last += d.extended(int(d.symbol(&d.tables[0][c.dc&3])))
	return c.last
}

// ac decodes the first bits of AC coefficients.
func (d *decoder) ac(c *component, s scanRange, values *[64]int16) {
	if d.eobRun > 0 {
		d.eobRun--
		return
	}
	ac := &d.tables[1][c.ac&3]
	for k := s.first; k <= s.last; k++ {
		symbol := d.symbol(ac)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				d.eobRun = 1<<run + int(d.take(run)) - 1
				return
			}
			k += 15
			continue
		}
		k += run
		values[natural[k&127]&63] = int16(d.extended(size) << s.low)
	}
}

// refine decodes one more bit of AC coefficients: those that are not zero get it
// as they are passed.
func (d *decoder) refine(c *component, s scanRange, values *[64]int16) {
	bit := int16(1) << s.low
	k := s.first
	for d.eobRun == 0 && k <= s.last {
		symbol := d.symbol(&d.tables[1][c.ac&3])
		run, value := int(symbol>>4), int16(0)
		if symbol&15 != 0 {
			if value = bit; d.take(1) == 0 {
				value = -bit
			}
		} else if run < 15 {
			d.eobRun = 1<<run + int(d.take(run))
			break
		}
		k = d.pass(values, k, s.last, run, bit)
		if value != 0 {
			values[natural[k&127]&63] = value
		}
		k++
	}
	if d.eobRun > 0 {
		d.pass(values, k, s.last, 64, bit)
		d.eobRun--
	}
}

// pass decodes one more bit of the coefficients from k on that are not zero, and returns
// which one comes after so many zeros.
func (d *decoder) pass(values *[64]int16, k, last, zeros int, bit int16) int {
	for ; k <= last; k++ {
		v := &values[natural[k&127]&63]
		if *v == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if d.count == 0 {
			d.filled(1)
		}
		d.count--
		if d.bits>>(d.count&63)&1 == 0 || *v&bit != 0 {
			continue
		}
		if *v > 0 {
			*v += bit
		} else {
			*v -= bit
		}
	}
	return k
}
