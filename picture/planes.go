package picture

import (
	"encoding/binary"
	"errors"
	"image"
)

// image/jpeg rounds its inverse cosine transform otherwise than libjpeg: two
// values in a hundred differ, by a level or two. That is enough to show in
// features of a deep network, so the common files are decoded here, to the bit
// as libjpeg-turbo does it by default: sequential or progressive, Huffman-coded,
// 8 bits, grey or with chroma whole or halved. For whatever else, damage
// included, jpegPlanes gives errOther, and image/jpeg has the word.

var errOther = errors.New("a JPEG for image/jpeg")

// jpegDecoder is one run over a file.
type jpegDecoder struct {
	data []byte // what is left of the file

	bits  uint64 // of the scan, the last count of them still to be taken
	count int
	short bool // bits were wanted that are not there

	width, height int
	progressive   bool
	components    []jpegComponent
	columns, rows int // of MCUs, the units of interleaved scans
	quant         [4][64]int32
	huffman       [2][4]huffman // DC, AC
	restart       int           // MCUs between restart markers; 0: none
	eobRun        int           // blocks that a progressive scan passes over
}

type jpegComponent struct {
	id         byte
	h, v       int // blocks in an MCU
	table      byte
	stride     int // blocks in a row, whole MCUs
	cols, rows int // blocks in a scan of its own
	pixels     []uint8
	values     []int16 // coefficients of progressive files, 64 a block in natural order
	shift      [64]int // bits still missing of each coefficient; -1: all
	dc, ac     *huffman
	last       int32 // the DC coefficient before
}

// huffman is a table of codes.
type huffman struct {
	lookup [1 << lookupBits]uint16 // by the next bits: length<<8 | symbol; 0: longer
	limit  [17]int32               // by length: one more than the greatest code, to 16 bits
	offset [17]int32               // by length: index of the symbol less the code
	symbol []byte
}

const lookupBits = 9

// natural gives the place of a coefficient in its block by its place in the file.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// jpegPlanes decodes the planes of a file, as *image.YCbCr or *image.Gray.
func jpegPlanes(data []byte) (image.Image, error) {
	if len(data) < 2 {
		return nil, errOther
	}
	d := &jpegDecoder{data: data[2:]}
	for {
		marker, body, ok := d.segment()
		if !ok {
			return nil, errOther
		}
		switch marker {
		case 0xc0, 0xc1, 0xc2:
			ok = d.frame(marker == 0xc2, body)
		case 0xc4:
			ok = d.huffmanTables(body)
		case 0xdb:
			ok = d.quantTables(body)
		case 0xdd:
			if ok = len(body) == 2; ok {
				d.restart = int(binary.BigEndian.Uint16(body))
			}
		case 0xda:
			ok = d.scan(body)
		case 0xd9:
			return d.planes()
		default: // notes of applications; other ways of coding are not for us
			ok = marker >= 0xe0
		}
		if !ok {
			return nil, errOther
		}
	}
}

// segment reads a marker and what belongs to it.
func (d *jpegDecoder) segment() (marker byte, body []byte, ok bool) {
	for len(d.data) > 2 && d.data[0] == 0xff && d.data[1] == 0xff { // fill
		d.data = d.data[1:]
	}
	if len(d.data) < 2 || d.data[0] != 0xff {
		return 0, nil, false
	}
	if marker = d.data[1]; marker == 0xd9 {
		return marker, nil, true
	}
	if len(d.data) < 4 {
		return 0, nil, false
	}
	end := 2 + int(binary.BigEndian.Uint16(d.data[2:]))
	if end < 4 || end > len(d.data) {
		return 0, nil, false
	}
	body, d.data = d.data[4:end], d.data[end:]
	return marker, body, true
}

func (d *jpegDecoder) quantTables(b []byte) bool {
	for len(b) > 0 {
		wide, id := int(b[0]>>4), b[0]&15
		n := 64 * (1 + wide)
		if wide > 1 || id > 3 || len(b) < 1+n {
			return false
		}
		for i, place := range natural {
			if wide == 0 {
				d.quant[id][place] = int32(b[1+i])
			} else {
				d.quant[id][place] = int32(binary.BigEndian.Uint16(b[1+2*i:]))
			}
		}
		b = b[1+n:]
	}
	return true
}

func (d *jpegDecoder) huffmanTables(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return false
		}
		total := 0
		for _, n := range b[1:17] {
			total += int(n)
		}
		if total > 256 || len(b) < 17+total {
			return false
		}
		if !d.huffman[b[0]>>4][b[0]&15].build(b[1:17], b[17:17+total]) {
			return false
		}
		b = b[17+total:]
	}
	return true
}

// build makes the table of canonical codes from the number of codes of each
// length.
func (h *huffman) build(counts, symbols []byte) bool {
	*h = huffman{symbol: symbols}
	code, index := int32(0), int32(0)
	for i, n := range counts {
		length := i + 1
		h.offset[length] = index - code
		for range n {
			if code >= 1<<length {
				return false
			}
			if length <= lookupBits {
				rest := lookupBits - length
				for j := range 1 << rest {
					h.lookup[int(code)<<rest|j] = uint16(length)<<8 | uint16(symbols[index])
				}
			}
			code, index = code+1, index+1
		}
		h.limit[length] = code << (16 - length)
		code <<= 1
	}
	return true
}

// frame reads the size and the components.
func (d *jpegDecoder) frame(progressive bool, b []byte) bool {
	if d.components != nil || len(b) < 6 || b[0] != 8 || len(b) != 6+3*int(b[5]) || b[5] != 1 && b[5] != 3 {
		return false
	}
	d.progressive = progressive
	d.height, d.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if d.width == 0 || d.height == 0 {
		return false
	}
	list := make([]jpegComponent, b[5])
	for i := range list {
		s := b[6+3*i:]
		list[i] = jpegComponent{id: s[0], h: int(s[1] >> 4), v: int(s[1] & 15), table: s[2]}
		if s[2] > 3 || list[i].h < 1 || list[i].v < 1 {
			return false
		}
	}
	if len(list) == 1 {
		list[0].h, list[0].v = 1, 1
	}
	h, v := list[0].h, list[0].v
	if h > 2 || v > 2 {
		return false
	}
	for _, c := range list[1:] {
		if c.h != 1 || c.v != 1 {
			return false
		}
	}
	d.columns, d.rows = divideUp(d.width, 8*h), divideUp(d.height, 8*v)
	for i := range list {
		c := &list[i]
		c.stride = d.columns * c.h
		c.cols, c.rows = divideUp(divideUp(d.width*c.h, h), 8), divideUp(divideUp(d.height*c.v, v), 8)
		blocks := c.stride * d.rows * c.v
		c.pixels = make([]uint8, 64*blocks)
		if progressive {
			c.values = make([]int16, 64*blocks)
		}
		for k := range c.shift {
			c.shift[k] = -1
		}
	}
	d.components = list
	return true
}

func divideUp(a, b int) int { return (a + b - 1) / b }

// jpegScan is which coefficients a scan has, and which of their bits.
type jpegScan struct {
	first, last int
	high, low   int // the bit behind the last known one, the last one here
}

// scan decodes one scan.
func (d *jpegDecoder) scan(b []byte) bool {
	if len(d.components) == 0 || len(b) < 1 || len(b) != 4+2*int(b[0]) {
		return false
	}
	var list []*jpegComponent
	tail := b[1+2*int(b[0]):]
	s := jpegScan{int(tail[0]), int(tail[1]), int(tail[2] >> 4), int(tail[2] & 15)}
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
func (d *jpegDecoder) follows(s jpegScan, list []*jpegComponent) bool {
	switch {
	case !d.progressive:
		s = jpegScan{0, 63, 0, 0}
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
func (d *jpegDecoder) units(n int, list []*jpegComponent, unit func(i int) bool) bool {
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
func (d *jpegDecoder) block(c *jpegComponent, s jpegScan, x, y int) bool {
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

func (d *jpegDecoder) sequential(c *jpegComponent, values *[64]int16) bool {
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

func (d *jpegDecoder) dc(c *jpegComponent, value *int16, low int) bool {
	size := int(d.symbol(c.dc))
	if size > 15 {
		return false
	}
	c.last += d.extended(size)
	*value = int16(c.last << low)
	return true
}

// ac decodes the first bits of AC coefficients.
func (d *jpegDecoder) ac(c *jpegComponent, s jpegScan, values *[64]int16) bool {
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
func (d *jpegDecoder) refine(c *jpegComponent, s jpegScan, values *[64]int16) bool {
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

// fill makes ready at least 16 bits, or what there is before the next marker.
func (d *jpegDecoder) fill() {
	for d.count <= 40 && len(d.data) > 0 {
		b := d.data[0]
		if b == 0xff {
			if len(d.data) < 2 || d.data[1] != 0 {
				return
			}
			d.data = d.data[1:]
		}
		d.data = d.data[1:]
		d.bits = d.bits<<8 | uint64(b)
		d.count += 8
	}
}

// take returns the next n bits, at most 16.
func (d *jpegDecoder) take(n int) int32 {
	if d.count < n {
		if d.fill(); d.count < n {
			d.short = true
			return 0
		}
	}
	d.count -= n
	return int32(d.bits >> d.count & (1<<n - 1))
}

// extended returns a coefficient of n bits; those that begin with 0 are negative.
func (d *jpegDecoder) extended(n int) int32 {
	v := d.take(n)
	if n > 0 && v < 1<<(n-1) {
		v -= 1<<n - 1
	}
	return v
}

// symbol decodes a symbol. A code that there is not sets short.
func (d *jpegDecoder) symbol(h *huffman) byte {
	if d.count < 16 {
		d.fill()
	}
	next := int32(d.bits << 16 >> d.count & 0xffff) // 16 bits, zeros after the last
	if found := h.lookup[next>>(16-lookupBits)]; found != 0 {
		d.take(int(found >> 8))
		return byte(found)
	}
	for length := lookupBits + 1; length <= 16; length++ {
		if next < h.limit[length] {
			d.take(length)
			return h.symbol[h.offset[length]+next>>(16-length)]
		}
	}
	d.short = true
	return 0
}

// planes returns what has been decoded.
func (d *jpegDecoder) planes() (image.Image, error) {
	if d.components == nil {
		return nil, errOther
	}
	for i := range d.components {
		c := &d.components[i]
		for _, missing := range c.shift {
			if missing != 0 { // libjpeg guesses at what is missing
				return nil, errOther
			}
		}
		for at := 0; at < len(c.values)/64; at++ {
			c.transform(at%c.stride, at/c.stride, (*[64]int16)(c.values[64*at:]), &d.quant[c.table])
		}
	}
	rect := image.Rect(0, 0, d.width, d.height)
	luma := &d.components[0]
	if len(d.components) == 1 {
		return &image.Gray{Pix: luma.pixels, Stride: 8 * luma.stride, Rect: rect}, nil
	}
	cb, cr := &d.components[1], &d.components[2]
	ratio := map[[2]int]image.YCbCrSubsampleRatio{
		{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422,
		{1, 2}: image.YCbCrSubsampleRatio440, {2, 2}: image.YCbCrSubsampleRatio420,
	}[[2]int{luma.h, luma.v}]
	return &image.YCbCr{Y: luma.pixels, Cb: cb.pixels, Cr: cr.pixels, YStride: 8 * luma.stride, CStride: 8 * cb.stride, SubsampleRatio: ratio, Rect: rect}, nil
}

// transform writes a block's pixels: the inverse cosine transform of Loeffler,
// Ligtenberg and Moschytz ("Practical fast 1-D DCT algorithms with 11
// multiplications", ICASSP 1989) in libjpeg's fixed point, 13 bits of fraction in
// the factors and 2 more between columns and rows.
func (c *jpegComponent) transform(x, y int, values *[64]int16, quant *[64]int32) {
	var block [64]int32
	for i, v := range values {
		block[i] = int32(v) * quant[i]
	}
	for i := range 8 {
		transform8(block[i:], 8, 11)
	}
	stride := 8 * c.stride
	for i := range 8 {
		row := block[8*i : 8*i+8]
		transform8(row, 1, 18)
		out := c.pixels[(8*y+i)*stride+8*x:][:8]
		for j, v := range row {
			out[j] = clamp(v + 128)
		}
	}
}

// transform8 transforms 8 values in place, step apart, and divides by 2 to the
// shift, rounding.
func transform8(b []int32, step, shift int) {
	b = b[:7*step+1]
	z := (b[2*step] + b[6*step]) * 4433 // √2 cos 3π/8
	t2, t3 := z-b[6*step]*15137, z+b[2*step]*6270
	t0, t1 := (b[0]+b[4*step])<<13, (b[0]-b[4*step])<<13
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	o0, o1, o2, o3 := b[7*step], b[5*step], b[3*step], b[step]
	z5 := (o0 + o2 + o1 + o3) * 9633
	z1, z2 := -(o0+o3)*7373, -(o1+o2)*20995
	z3, z4 := z5-(o0+o2)*16069, z5-(o1+o3)*3196
	o0 = o0*2446 + z1 + z3
	o1 = o1*16819 + z2 + z4
	o2 = o2*25172 + z2 + z3
	o3 = o3*12299 + z1 + z4

	half := int32(1) << (shift - 1)
	b[0], b[7*step] = (e0+o3+half)>>shift, (e0-o3+half)>>shift
	b[step], b[6*step] = (e1+o2+half)>>shift, (e1-o2+half)>>shift
	b[2*step], b[5*step] = (e2+o1+half)>>shift, (e2-o1+half)>>shift
	b[3*step], b[4*step] = (e3+o0+half)>>shift, (e3-o0+half)>>shift
}
