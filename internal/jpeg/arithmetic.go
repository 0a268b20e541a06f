package jpeg

import "errors"

// arithmetic decodes arithmetic coding, the QM-coder of ISO/IEC 10918-1 Annex D.
type arithmetic struct {
	d       *decoder
	base    int64 // of the interval, with bits read ahead behind it
	size    int64 // of the interval, normalized
	ahead   int   // bits read ahead; below 0: bytes are missing at the start
	damaged bool  // what is left of the interval between restarts counts for nothing
	zeros   int   // bytes behind the last one of the scan that were taken for zeros

	low, high [16]byte // bounds of small DC differences, as powers of two
	middle    [16]byte // up to which coefficient the statistics are of the first ones
	dc        [16][64]byte
	ac        [16][256]byte // probabilities: the likelier bit << 7 | the state
	even      byte          // the state of a probability of one half
}

// mostZeros is how many zero bytes may be missing at the ends of scans. Encoders leave them
// out, which are a few; what is damaged would take them without end.
const mostZeros = 1 << 20

func (a *arithmetic) unconditioned() {
	for i := range 16 {
		a.low[i], a.high[i], a.middle[i] = 0, 1, 5
	}
}

// conditions reads the segment that sets bounds of statistics.
func (d *decoder) conditions(b []byte) error {
	a := &d.coder
	for ; len(b) >= 2; b = b[2:] {
		id, v := b[0], b[1]
		switch {
		case id >= 32:
			return errors.New("conditions for a table of arithmetic coding that there is not")
		case id >= 16:
			a.middle[id-16] = v
		case v&15 > v>>4:
			return errors.New("conditions of arithmetic coding whose bounds are crossed")
		default:
			a.low[id], a.high[id] = v&15, v>>4
		}
	}
	if len(b) > 0 {
		return errors.New("conditions of arithmetic coding of a wrong length")
	}
	return nil
}

// reset begins a scan, or goes on behind a restart marker.
func (a *arithmetic) reset(d *decoder, list []*component, s scanRange) {
	a.d, a.base, a.size, a.ahead, a.damaged, a.even = d, 0, 0, -16, false, evenState
	for _, c := range list {
		c.context = 0
		if s.first == 0 && s.high == 0 {
			a.dc[c.dc] = [64]byte{}
		}
		if s.last > 0 {
			a.ac[c.ac] = [256]byte{}
		}
	}
}

// bit decodes a bit of the probability that p keeps.
func (a *arithmetic) bit(p *byte) bool {
	for a.size < 0x8000 {
		if a.ahead--; a.ahead < 0 {
			a.base = a.base<<8 | int64(a.next())
			if a.ahead += 8; a.ahead < 0 {
				if a.ahead++; a.ahead == 0 {
					a.size = 0x8000
				}
			}
		}
		a.size <<= 1
	}
	was := *p
	s := &states[was&0x7f]
	a.size -= s.size
	bound := a.size << a.ahead
	likely := true
	switch {
	case a.base >= bound:
		a.base -= bound
		likely = a.size < s.size
		a.size = s.size
	case a.size >= 0x8000:
		return was>>7 != 0
	default:
		likely = a.size >= s.size
	}
	if likely {
		*p = was&0x80 ^ s.likely
		return was>>7 != 0
	}
	*p = was&0x80 ^ s.unlikely ^ s.swap
	return was>>7 == 0
}

// next returns a byte of the scan; zeros behind its last one.
func (a *arithmetic) next() byte {
	d := a.d
	if d.marker != 0 {
		a.zeros++
		return 0
	}
	if len(d.data) == 0 {
		d.cut = true
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	if b != 0xff {
		return b
	}
	d.fillBytes()
	if len(d.data) == 0 {
		d.cut = true
		return 0
	}
	d.marker, d.data = d.data[0], d.data[1:] // 0: the byte is one of 255
	if d.marker != 0 {
		return 0
	}
	return 0xff
}

// sequential decodes a block of a sequential file.
func (a *arithmetic) sequential(c *component, values *[64]int16) {
	if a.damaged || !a.first(c) {
		return
	}
	values[0] = int16(c.last)
	a.firstAC(c, scanRange{1, 63, 0, 0}, values)
}

// progressive decodes what a scan of a progressive file has for a block.
func (a *arithmetic) progressive(c *component, s scanRange, values *[64]int16) {
	switch {
	case s.first == 0 && s.high > 0:
		if a.bit(&a.even) {
			values[0] |= int16(1) << s.low
		}
	case a.damaged:
	case s.first == 0:
		if a.first(c) {
			values[0] = int16(c.last << s.low)
		}
	case s.high == 0:
		a.firstAC(c, s, values)
	default:
		a.refine(c, s, values)
	}
}

// first decodes the DC coefficient into c.last.
func (a *arithmetic) first(c *component) bool {
	p := &a.dc[c.dc]
	at := c.context
	if !a.bit(&p[at]) {
		c.context = 0
		return true
	}
	negative := a.bit(&p[at+1])
	at += 2
	if negative {
		at++
	}
	m := 0
	if a.bit(&p[at]) {
		m, at = 1, 20
		for a.bit(&p[at]) {
			if m <<= 1; m == 0x8000 {
				a.damaged = true
				return false
			}
			at++
		}
	}
	switch {
	case m < 1<<a.low[c.dc]>>1:
		c.context = 0
	case m > 1<<a.high[c.dc]>>1:
		c.context = 12
	default:
		c.context = 4
	}
	if negative && c.context > 0 {
		c.context += 4
	}
	c.last = (c.last + a.value(m, negative, &p[at+14])) & 0xffff
	return true
}

// value decodes the bits of a value below its highest one, m.
func (a *arithmetic) value(m int, negative bool, p *byte) int32 {
	v := m
	for m >>= 1; m > 0; m >>= 1 {
		if a.bit(p) {
			v |= m
		}
	}
	if negative {
		return int32(-v - 1)
	}
	return int32(v + 1)
}

// firstAC decodes the first bits of AC coefficients.
func (a *arithmetic) firstAC(c *component, s scanRange, values *[64]int16) {
	p := &a.ac[c.ac]
	for k := s.first; k <= s.last; k++ {
		at := 3 * (k - 1)
		if a.bit(&p[at]) { // the rest is zero
			return
		}
		for !a.bit(&p[at+1]) {
			at, k = at+3, k+1
			if k > s.last {
				a.damaged = true
				return
			}
		}
		negative := a.bit(&a.even)
		at += 2
		m := 0
		if a.bit(&p[at]) {
			m = 1
			if a.bit(&p[at]) {
				m, at = 2, 217
				if k <= int(a.middle[c.ac]) {
					at = 189
				}
				for a.bit(&p[at]) {
					if m <<= 1; m == 0x8000 {
						a.damaged = true
						return
					}
					at++
				}
			}
		}
		values[natural[k&127]&63] = int16(a.value(m, negative, &p[at+14]) << s.low)
	}
}

// refine decodes one more bit of AC coefficients.
func (a *arithmetic) refine(c *component, s scanRange, values *[64]int16) {
	p := &a.ac[c.ac]
	bit := int16(1) << s.low
	known := s.last // the last coefficient that is not zero so far
	for known > 0 && values[natural[known]] == 0 {
		known--
	}
	for k := s.first; k <= s.last; k++ {
		at := 3 * (k - 1)
		if k > known && a.bit(&p[at]) { // the rest stays zero
			return
		}
		for {
			v := &values[natural[k]]
			if *v != 0 {
				if a.bit(&p[at+2]) {
					if *v < 0 {
						*v -= bit
					} else {
						*v += bit
					}
				}
				break
			}
			if a.bit(&p[at+1]) {
				if *v = bit; a.bit(&a.even) {
					*v = -bit
				}
				break
			}
			at, k = at+3, k+1
			if k > s.last {
				a.damaged = true
				return
			}
		}
	}
}

const evenState = 113

// states estimate probabilities: the size of the unlikelier bit's interval, the next state
// after it and after the likelier one, and whether the two change places. The table is
// Annex D's, Table D.3; the last state stays.
var states = [evenState + 1]struct {
	size                   int64
	unlikely, likely, swap byte
}{
	{0x5a1d, 1, 1, 0x80}, {0x2586, 14, 2, 0}, {0x1114, 16, 3, 0}, {0x080b, 18, 4, 0}, {0x03d8, 20, 5, 0},
	{0x01da, 23, 6, 0}, {0x00e5, 25, 7, 0}, {0x006f, 28, 8, 0}, {0x0036, 30, 9, 0}, {0x001a, 33, 10, 0},
	{0x000d, 35, 11, 0}, {0x0006, 9, 12, 0}, {0x0003, 10, 13, 0}, {0x0001, 12, 13, 0}, {0x5a7f, 15, 15, 0x80},
	{0x3f25, 36, 16, 0}, {0x2cf2, 38, 17, 0}, {0x207c, 39, 18, 0}, {0x17b9, 40, 19, 0}, {0x1182, 42, 20, 0},
	{0x0cef, 43, 21, 0}, {0x09a1, 45, 22, 0}, {0x072f, 46, 23, 0}, {0x055c, 48, 24, 0}, {0x0406, 49, 25, 0},
	{0x0303, 51, 26, 0}, {0x0240, 52, 27, 0}, {0x01b1, 54, 28, 0}, {0x0144, 56, 29, 0}, {0x00f5, 57, 30, 0},
	{0x00b7, 59, 31, 0}, {0x008a, 60, 32, 0}, {0x0068, 62, 33, 0}, {0x004e, 63, 34, 0}, {0x003b, 32, 35, 0},
	{0x002c, 33, 9, 0}, {0x5ae1, 37, 37, 0x80}, {0x484c, 64, 38, 0}, {0x3a0d, 65, 39, 0}, {0x2ef1, 67, 40, 0},
	{0x261f, 68, 41, 0}, {0x1f33, 69, 42, 0}, {0x19a8, 70, 43, 0}, {0x1518, 72, 44, 0}, {0x1177, 73, 45, 0},
	{0x0e74, 74, 46, 0}, {0x0bfb, 75, 47, 0}, {0x09f8, 77, 48, 0}, {0x0861, 78, 49, 0}, {0x0706, 79, 50, 0},
	{0x05cd, 48, 51, 0}, {0x04de, 50, 52, 0}, {0x040f, 50, 53, 0}, {0x0363, 51, 54, 0}, {0x02d4, 52, 55, 0},
	{0x025c, 53, 56, 0}, {0x01f8, 54, 57, 0}, {0x01a4, 55, 58, 0}, {0x0160, 56, 59, 0}, {0x0125, 57, 60, 0},
	{0x00f6, 58, 61, 0}, {0x00cb, 59, 62, 0}, {0x00ab, 61, 63, 0}, {0x008f, 61, 32, 0}, {0x5b12, 65, 65, 0x80},
	{0x4d04, 80, 66, 0}, {0x412c, 81, 67, 0}, {0x37d8, 82, 68, 0}, {0x2fe8, 83, 69, 0}, {0x293c, 84, 70, 0},
	{0x2379, 86, 71, 0}, {0x1edf, 87, 72, 0}, {0x1aa9, 87, 73, 0}, {0x174e, 72, 74, 0}, {0x1424, 72, 75, 0},
	{0x119c, 74, 76, 0}, {0x0f6b, 74, 77, 0}, {0x0d51, 75, 78, 0}, {0x0bb6, 77, 79, 0}, {0x0a40, 77, 48, 0},
	{0x5832, 80, 81, 0x80}, {0x4d1c, 88, 82, 0}, {0x438e, 89, 83, 0}, {0x3bdd, 90, 84, 0}, {0x34ee, 91, 85, 0},
	{0x2eae, 92, 86, 0}, {0x299a, 93, 87, 0}, {0x2516, 86, 71, 0}, {0x5570, 88, 89, 0x80}, {0x4ca9, 95, 90, 0},
	{0x44d9, 96, 91, 0}, {0x3e22, 97, 92, 0}, {0x3824, 99, 93, 0}, {0x32b4, 99, 94, 0}, {0x2e17, 93, 86, 0},
	{0x56a8, 95, 96, 0x80}, {0x4f46, 101, 97, 0}, {0x47e5, 102, 98, 0}, {0x41cf, 103, 99, 0}, {0x3c3d, 104, 100, 0},
	{0x375e, 99, 93, 0}, {0x5231, 105, 102, 0}, {0x4c0f, 106, 103, 0}, {0x4639, 107, 104, 0}, {0x415e, 103, 99, 0},
	{0x5627, 105, 106, 0x80}, {0x50e7, 108, 107, 0}, {0x4b85, 109, 103, 0}, {0x5597, 110, 109, 0}, {0x504f, 111, 107, 0},
	{0x5a10, 110, 111, 0x80}, {0x5522, 112, 109, 0}, {0x59eb, 112, 111, 0x80}, {0x5a1d, 113, 113, 0},
}
