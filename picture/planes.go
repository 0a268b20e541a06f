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

// fill makes ready at least 40 bits, or what there is before the next marker.
func (d *jpegDecoder) fill() {
	if len(d.data) >= 8 {
		// Bytes of 255, which need a look at the next one, are rare.
		const ones, tops = 0x0101010101010101, 0x8080808080808080
		next := binary.BigEndian.Uint64(d.data)
		if (^next-ones)&next&tops == 0 {
			n := max(48-d.count, 0) / 8
			d.bits = d.bits<<(8*n) | next>>(64-8*n)
			d.data = d.data[n:]
			d.count += 8 * n
			return
		}
	}
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
	if d.count < n && !d.filled(n) {
		return 0
	}
	d.count -= n
	return int32(d.bits>>(d.count&63)) & (1<<(n&31) - 1)
}

// filled notes if there are less than n bits even after fill.
func (d *jpegDecoder) filled(n int) bool {
	d.fill()
	d.short = d.short || d.count < n
	return d.count >= n
}

// extended returns a coefficient of n bits; those that begin with 0 are negative.
func (d *jpegDecoder) extended(n int) int32 {
	v := d.take(n)
	if n == 0 {
		return v
	}
	return v + (v-1<<((n-1)&31))>>31&(1-1<<(n&31))
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
func (c *jpegComponent) transform(x, y int, v *[64]int16, q *[64]int32) {
	const half1, shift1 = 1 << 10, 11
	const half2, shift2 = 1<<17 + 128<<18, 18 // 128: samples are stored less that
	var b [64]int32
	for i := range 8 {
		dc := int32(v[i]) * q[i]
		if v[i+8]|v[i+16]|v[i+24]|v[i+32]|v[i+40]|v[i+48]|v[i+56] == 0 { // most columns
			dc = (dc<<13 + half1) >> shift1
			b[i], b[i+8], b[i+16], b[i+24], b[i+32], b[i+40], b[i+48], b[i+56] = dc, dc, dc, dc, dc, dc, dc, dc
			continue
		}
		s0, s1, s2, s3, s4, s5, s6, s7 := transform8(dc, int32(v[i+8])*q[i+8], int32(v[i+16])*q[i+16], int32(v[i+24])*q[i+24],
			int32(v[i+32])*q[i+32], int32(v[i+40])*q[i+40], int32(v[i+48])*q[i+48], int32(v[i+56])*q[i+56], half1)
		b[i], b[i+8], b[i+16], b[i+24] = s0>>shift1, s1>>shift1, s2>>shift1, s3>>shift1
		b[i+32], b[i+40], b[i+48], b[i+56] = s4>>shift1, s5>>shift1, s6>>shift1, s7>>shift1
	}
	stride := 8 * c.stride
	for i := range 8 {
		r := (*[8]int32)(b[8*i:])
		s0, s1, s2, s3, s4, s5, s6, s7 := transform8(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], half2)
		out := (*[8]uint8)(c.pixels[(8*y+i)*stride+8*x:])
		out[0], out[1], out[2], out[3] = clamp(s0>>shift2), clamp(s1>>shift2), clamp(s2>>shift2), clamp(s3>>shift2)
		out[4], out[5], out[6], out[7] = clamp(s4>>shift2), clamp(s5>>shift2), clamp(s6>>shift2), clamp(s7>>shift2)
	}
}

// transform8 transforms 8 values. The results are still to be divided by a power
// of two, half of which is in them already if given. Arguments and results are
// as many as go in registers.
func transform8(b0, b1, b2, b3, b4, b5, b6, b7, half int32) (_, _, _, _, _, _, _, _ int32) {
	z := (b2 + b6) * 4433 // √2 cos 3π/8
	t2, t3 := z-b6*15137, z+b2*6270
	t0, t1 := (b0+b4)<<13+half, (b0-b4)<<13+half
	e0, e1, e2, e3 := t0+t3, t1+t2, t1-t2, t0-t3

	z5 := (b7 + b3 + b5 + b1) * 9633
	z1, z2 := -(b7+b1)*7373, -(b5+b3)*20995
	z3, z4 := z5-(b7+b3)*16069, z5-(b5+b1)*3196
	o0 := b7*2446 + z1 + z3
	o1 := b5*16819 + z2 + z4
	o2 := b3*25172 + z2 + z3
	o3 := b1*12299 + z1 + z4
	return e0 + o3, e1 + o2, e2 + o1, e3 + o0, e3 - o0, e2 - o1, e1 - o2, e0 - o3
}
