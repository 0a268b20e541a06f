package jpeg

// natural gives the place of a coefficient in its block by its place in the file.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// scanRange is which coefficients a scan has, and which of their bits.
type scanRange struct {
	first, last int
	high, low   int // the bit behind the last known one, the last one here
}

// scan decodes one scan.
func (d *decoder) scan(b []byte) bool {
	if len(d.components) == 0 || len(b) < 1 || len(b) != 4+2*int(b[0]) {
		return false
	}
	var list []*component
	tail := b[1+2*int(b[0]):]
	s := scanRange{int(tail[0]), int(tail[1]), int(tail[2] >> 4), int(tail[2] & 15)}
	for i := range int(b[0]) {
		for j := range d.components {
			if c := &d.components[j]; c.id == b[1+2*i] {
				tables := b[2+2*i]
				if tables>>4 > 3 || tables&15 > 3 {
					return false
				}
				c.dc, c.ac = &d.huffman[0][tables>>4], &d.huffman[1][tables&15]
				list = append(list, c)
			}
		}
	}
	if len(list) != int(b[0]) || len(list) == 0 || !d.follows(s, list) {
		return false
	}
	if len(list) == 1 {
		c := list[0]
		return d.units(c.cols*c.rows, list, func(i int) bool { return d.block(c, s, i%c.cols, i/c.cols) })
	}
	return d.units(d.columns*d.rows, list, func(i int) bool {
		x, y := i%d.columns, i/d.columns
		for _, c := range list {
			for j := range c.h * c.v {
				if !d.block(c, s, x*c.h+j%c.h, y*c.v+j/c.h) {
					return false
				}
			}
		}
		return true
	})
}

// follows tells whether a scan goes on where those before it have ended, and
// notes where it ends.
func (d *decoder) follows(s scanRange, list []*component) bool {
	switch {
	case !d.progressive:
		s = scanRange{0, 63, 0, 0}
	case s.first > s.last || s.last > 63 || s.first == 0 && s.last > 0 || s.first > 0 && len(list) > 1 || s.low > 13 || s.high > 0 && s.high != s.low+1:
		return false
	}
	for _, c := range list {
		for k := s.first; k <= s.last; k++ {
			if s.high == 0 && c.shift[k] >= 0 || s.high > 0 && c.shift[k] != s.high {
				return false
			}
			c.shift[k] = s.low
		}
	}
	return true
}

// units decodes n MCUs, with the restarts between them.
func (d *decoder) units(n int, list []*component, unit func(i int) bool) bool {
	for i := range n {
		if i == 0 || d.restart > 0 && i%d.restart == 0 {
			d.bits, d.count, d.eobRun = 0, 0, 0
			if i > 0 {
				if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != byte(0xd0+(i/d.restart-1)%8) {
					return false
				}
				d.data = d.data[2:]
			}
			for _, c := range list {
				c.last = 0
			}
		}
		if !unit(i) || d.short {
			return false
		}
	}
	return true
}

// block decodes a block of a component.
func (d *decoder) block(c *component, s scanRange, x, y int) bool {
	at := y*c.stride + x
	if !d.progressive {
		var values [64]int16
		if !d.sequential(c, &values) {
			return false
		}
		c.transform(x, y, &values, &d.quant[c.table])
		return true
	}
	values := (*[64]int16)(c.values[64*at:])
	switch {
	case s.first == 0 && s.high == 0:
		return d.dc(c, &values[0], s.low)
	case s.first == 0:
		values[0] |= int16(d.take(1) << s.low)
		return true
	case s.high == 0:
		return d.ac(c, s, values)
	}
	return d.refine(c, s, values)
}

func (d *decoder) sequential(c *component, values *[64]int16) bool {
	if !d.dc(c, &values[0], 0) {
		return false
	}
	for k := 1; k < 64; k++ {
		symbol := d.symbol(c.ac)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				break
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return false
		}
		values[natural[k]] = int16(d.extended(size))
	}
	return true
}

func (d *decoder) dc(c *component, value *int16, low int) bool {
	size := int(d.symbol(c.dc))
	if size > 15 {
		return false
	}
	c.last += d.extended(size)
	*value = int16(c.last << low)
	return true
}

// ac decodes the first bits of AC coefficients.
func (d *decoder) ac(c *component, s scanRange, values *[64]int16) bool {
	if d.eobRun > 0 {
		d.eobRun--
		return true
	}
	for k := s.first; k <= s.last; k++ {
		symbol := d.symbol(c.ac)
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run < 15 {
				d.eobRun = 1<<run + int(d.take(run)) - 1
				break
			}
			k += 15
			continue
		}
		if k += run; k > s.last {
			return false
		}
		values[natural[k]] = int16(d.extended(size) << s.low)
	}
	return true
}

// refine decodes one more bit of AC coefficients: those that are not zero get it
// as they are passed.
func (d *decoder) refine(c *component, s scanRange, values *[64]int16) bool {
	bit := int16(1) << s.low
	k := s.first
	pass := func(zeros int) { // to the coefficient behind that many that stay zero
		for ; k <= s.last; k++ {
			v := &values[natural[k]]
			switch {
			case *v == 0:
				if zeros == 0 {
					return
				}
				zeros--
			case d.take(1) == 0 || *v&bit != 0:
			case *v > 0:
				*v += bit
			default:
				*v -= bit
			}
		}
	}
	for d.eobRun == 0 && k <= s.last {
		symbol := d.symbol(c.ac)
		run, value := int(symbol>>4), int16(0)
		switch symbol & 15 {
		case 0:
			if run < 15 {
				d.eobRun = 1<<run + int(d.take(run))
				continue
			}
		case 1:
			if value = bit; d.take(1) == 0 {
				value = -bit
			}
		default:
			return false
		}
		pass(run)
		if k <= s.last {
			values[natural[k]] = value
			k++
		} else if value != 0 {
			return false
		}
	}
	if d.eobRun > 0 {
		pass(64)
		d.eobRun--
	}
	return true
}
