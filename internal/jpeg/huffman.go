package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// codes are Huffman codes as the file has them: how many of each length, and what they
// stand for.
type codes struct{ counts, symbols []byte }

// table looks up codes.
type table struct {
	lookup [1 << lookupBits]uint16 // by the next bits: length<<8 | symbol; 0: longer
	limit  [17]int32               // by length: one more than the greatest code, to 16 bits
	offset [17]int32               // by length: index of the symbol less the code
	symbol []byte
}

const lookupBits = 9

func (d *decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return errors.New("a Huffman table that is damaged")
		}
		total := 0
		for _, n := range b[1:17] {
			total += int(n)
		}
		if total > 256 || len(b) < 17+total {
			return errors.New("a Huffman table with too many codes")
		}
		d.codes[b[0]>>4][b[0]&15] = codes{b[1:17], b[17 : 17+total]}
		b = b[17+total:]
	}
	return nil
}

// makeTable makes the table that a scan wants.
func (d *decoder) makeTable(class int, id byte) error {
	if id > 3 {
		return fmt.Errorf("a scan wants Huffman table %d, which there is not", id)
	}
	c := d.codes[class][id]
	if c.counts == nil && !d.progressive && id < 2 { // frames of films in JPEG leave them out
		c = usual[class][id]
	}
	switch {
	case c.counts == nil:
		return fmt.Errorf("the Huffman table %d is missing", id)
	case class == 0 && bytes.ContainsFunc(c.symbols, func(r rune) bool { return r > 15 }):
		return errors.New("a Huffman table for DC with more than 15 bits")
	case !d.tables[class][id].build(c):
		return errors.New("a Huffman table with too many codes of a length")
	}
	return nil
}

// build makes the table of canonical codes.
func (t *table) build(c codes) bool {
	*t = table{symbol: c.symbols}
	code, index := int32(0), int32(0)
	for i, n := range c.counts {
		length := i + 1
		t.offset[length] = index - code
		for range n {
			if code >= 1<<length {
				return false
			}
			if length <= lookupBits {
				rest := lookupBits - length
				for j := range 1 << rest {
					t.lookup[int(code)<<rest|j] = uint16(length)<<8 | uint16(c.symbols[index])
				}
			}
			code, index = code+1, index+1
		}
		t.limit[length] = code << (16 - length)
		code <<= 1
	}
	return true
}

// fill makes ready at least 40 bits, or what there is before the next marker.
func (d *decoder) fill() {
	if len(d.data) >= 8 && d.marker == 0 {
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
	for d.count <= 40 && len(d.data) > 0 && d.marker == 0 {
		b := d.data[0]
		d.data = d.data[1:]
		if b == 0xff {
			d.fillBytes()
			if len(d.data) == 0 {
				return
			}
			d.marker, d.data = d.data[0], d.data[1:] // 0: the byte is one of 255
			if d.marker != 0 {
				return
			}
		}
		d.bits = d.bits<<8 | uint64(b)
		d.count += 8
	}
}

// take returns the next n bits, at most 16.
func (d *decoder) take(n int) int32 {
	if d.count < n {
		d.filled(n)
	}
	d.count -= n
	return int32(d.bits>>(d.count&63)) & (1<<(n&31) - 1)
}

// filled makes ready n bits: zeros if there are no more.
func (d *decoder) filled(n int) {
	d.fill()
	if d.count >= n {
		return
	}
	if d.marker != 0 {
		d.short, d.lost = true, true
	} else {
		d.cut = true
	}
	d.bits <<= 32
	d.count += 32
}

// extended returns a coefficient of n bits, at most 16.
func (d *decoder) extended(n int) int32 { return extended(d.take(n), n) }

// extended returns what the last n bits of v stand for; those that begin with 0 are negative.
func extended(v int32, n int) int32 {
	most := int32(1)<<(n&31) - 1
	v &= most
	return v - most&((v-(most+1)>>1)>>31)
}

// symbol decodes a symbol. A code that there is not is taken for 0.
func (d *decoder) symbol(t *table) byte {
	if d.count < 16 {
		d.fill()
	}
	next := int32(d.bits << 16 >> d.count & 0xffff) // 16 bits, zeros after the last
	if found := t.lookup[next>>(16-lookupBits)]; found != 0 {
		d.take(int(found >> 8))
		return byte(found)
	}
	for length := lookupBits + 1; length <= 16; length++ {
		if next < t.limit[length] {
			d.take(length)
			return t.symbol[t.offset[length]+next>>(16-length)]
		}
	}
	d.take(16)
	d.take(1)
	return 0
}
