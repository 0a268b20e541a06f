package jpeg

import "encoding/binary"

// huffman is a table of codes.
type huffman struct {
	lookup [1 << lookupBits]uint16 // by the next bits: length<<8 | symbol; 0: longer
	limit  [17]int32               // by length: one more than the greatest code, to 16 bits
	offset [17]int32               // by length: index of the symbol less the code
	symbol []byte
}

const lookupBits = 9

func (d *decoder) huffmanTables(b []byte) bool {
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

// fill makes ready at least 40 bits, or what there is before the next marker.
func (d *decoder) fill() {
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
func (d *decoder) take(n int) int32 {
	if d.count < n && !d.filled(n) {
		return 0
	}
	d.count -= n
	return int32(d.bits>>(d.count&63)) & (1<<(n&31) - 1)
}

// filled notes if there are less than n bits even after fill.
func (d *decoder) filled(n int) bool {
	d.fill()
	d.short = d.short || d.count < n
	return d.count >= n
}

// extended returns a coefficient of n bits; those that begin with 0 are negative.
func (d *decoder) extended(n int) int32 {
	v := d.take(n)
	if n == 0 {
		return v
	}
	return v + (v-1<<((n-1)&31))>>31&(1-1<<(n&31))
}

// symbol decodes a symbol. A code that there is not sets short.
func (d *decoder) symbol(h *huffman) byte {
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
